/* wireguard/send and wireguard/receive: two devices talk, and an enemy between them tries. */
#include "simulation.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "wireguard/send.h"

static void test_handshake_and_data(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *packet;

	simulation_ping(simulation, a);
	assert_int_equal(a->output.datagrams.first->length, sizeof(struct message_initiation));
	assert_int_equal(simulation_deliver(simulation, a, b), 1);
	assert_int_equal(b->output.datagrams.first->length, sizeof(struct message_response));
	assert_int_equal(simulation_deliver(simulation, b, a), 1);
	/* The ping that waited: 100 bytes, padded to 112. */
	assert_int_equal(a->output.datagrams.count, 1);
	assert_int_equal(a->output.datagrams.first->length, 16 + 112 + 16);
	assert_int_equal(simulation_deliver(simulation, a, b), 1);
	packet = b->output.inner.first;
	assert_non_null(packet);
	assert_int_equal(packet->length, 100); /* without the padding */
	for (size_t i = 20; i < 100; i++)
		assert_int_equal(packet_data(packet)[i], 100);
	assert_int_equal(simulation_read(simulation, b), 1);

	simulation_ping(simulation, b);
	simulation_settle(simulation);
	assert_int_equal(simulation_read(simulation, a), 1);
	simulation_send(simulation, a, "fd00::1", "fd00::2", 1420);
	simulation_settle(simulation);
	assert_int_equal(b->output.inner.first->length, 1420);
}

/* The responder sends nothing under keys that the initiator has not proved to have (section 5.1).
 */
static void test_key_confirmation(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *first;

	simulation_ping(simulation, a);
	simulation_deliver(simulation, a, b);
	simulation_ping(simulation, b);
	assert_int_equal(b->output.datagrams.count, 1); /* the response alone */
	simulation_deliver(simulation, b, a);
	assert_null(simulation_peer(b)->sessions.current);
	first = simulation_take(a, MESSAGE_DATA);
	simulation_hand_over(simulation, b, &a->address, first);
	assert_non_null(simulation_peer(b)->sessions.current);
	assert_int_equal(b->output.datagrams.count, 1); /* what waited there */
	simulation_settle(simulation);
	assert_int_equal(simulation_read(simulation, a), 1);
}

/* An initiator that has nothing to say confirms with a keepalive. */
static void test_confirmation_by_keepalive(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct work work = {a->device, &simulation->now, &a->output};

	send_initiation(&work, simulation_peer(a), false);
	simulation_deliver(simulation, a, b);
	simulation_deliver(simulation, b, a);
	assert_int_equal(a->output.datagrams.first->length, 32);
	simulation_settle(simulation);
	assert_int_equal(b->output.inner.count, 0);
	assert_non_null(simulation_peer(b)->sessions.current);
}

static void set_preshared(struct simulation *simulation, struct machine *machine,
			  struct machine *peer, uint8_t byte)
{
	struct wg_peer_change change = simulation_change(peer);

	change.set_preshared_key = true;
	memset(change.preshared_key.bytes, byte, KEY_SIZE);
	simulation_configure(simulation, machine, &change);
}

static void test_preshared_key(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	set_preshared(simulation, a, b, 7);
	simulation_ping(simulation, a);
	simulation_settle(simulation);
	assert_null(simulation_peer(a)->sessions.current);
	set_preshared(simulation, b, a, 7);
	simulation_pass(simulation, 6 * MOMENT_SECOND);
	simulation_connect(simulation);
}

/* Silence for a stranger, and for one who takes us for somebody else. */
static void test_wrong_keys(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_change change = {.set_private_key = true, .private_key = {{9}}};
	struct wg_peer_change removal = simulation_change(a);
	struct error error;

	removal.remove = true;
	simulation_configure(simulation, b, &removal);
	simulation_ping(simulation, a);
	assert_int_equal(simulation_deliver(simulation, a, b), 1);
	assert_int_equal(b->output.datagrams.count, 0);

	simulation_pass(simulation, 6 * MOMENT_SECOND);
	assert_int_equal(device_configure(b->device, &simulation->now, &change, &b->output, &error),
			 0);
	simulation_ping(simulation, a);
	assert_int_equal(simulation_deliver(simulation, a, b), 1);
	assert_int_equal(b->output.datagrams.count, 0);
}

/* Any bit of a message turned: nothing comes of it, and the right one is still taken afterwards. */
static void tamper(struct simulation *simulation, struct machine *from, struct machine *to,
		   enum message_type type)
{
	struct packet *right = simulation_take(from, type), *wrong;

	for (size_t bit = 0; bit < right->length * 8; bit++) {
		/* Outside of load mac2 counts for nothing (section 5.4.4). */
		if (type != MESSAGE_DATA && bit >= (right->length - MESSAGE_MAC_SIZE) * 8)
			break;
		wrong = simulation_copy(simulation, right);
		packet_data(wrong)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		simulation_hand_over(simulation, to, &from->address, wrong);
		assert_int_equal(to->output.datagrams.count, 0);
		assert_int_equal(to->output.inner.count, 0);
	}
	simulation_hand_over(simulation, to, &from->address, right);
	assert_int_equal(to->output.datagrams.count + to->output.inner.count, 1);
}

static void test_tampering(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_ping(simulation, a);
	tamper(simulation, a, b, MESSAGE_INITIATION);
	tamper(simulation, b, a, MESSAGE_RESPONSE);
	tamper(simulation, a, b, MESSAGE_DATA);
}

static void test_wrong_sizes(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *right, *wrong;

	simulation_ping(simulation, a);
	right = simulation_take(a, MESSAGE_INITIATION);
	for (uint32_t length = 0; length < 300; length++) {
		if (length == right->length)
			continue;
		wrong = simulation_copy(simulation, right);
		wrong->length = length;
		simulation_hand_over(simulation, b, &a->address, wrong);
		assert_int_equal(b->output.datagrams.count, 0);
	}
	packet_put(simulation->pool, right);
}

/* Not even one with the right MACs at its end. */
static void test_trailing_bytes(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *packet;

	simulation_ping(simulation, a);
	packet = simulation_take(a, MESSAGE_INITIATION);
	packet->length += 16;
	cookie_add_macs(&simulation_peer(a)->cookies, a->device->hash, packet_data(packet),
			packet->length, simulation->now.monotonic);
	simulation_hand_over(simulation, b, &a->address, packet);
	assert_int_equal(b->output.datagrams.count, 0);
}

/* Data for the index of a handshake, and a response for that of a session. */
static void test_index_of_another_kind(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *response, *data, *wrong;

	simulation->now.monotonic = MOMENT_SECOND; /* nothing is too old, not even zeroes */
	simulation_ping(simulation, a);
	simulation_deliver(simulation, a, b);
	response = simulation_take(b, MESSAGE_RESPONSE);
	data = packet_get(simulation->pool);
	data->length = 64;
	memset(packet_data(data), 0, data->length);
	packet_data(data)[0] = MESSAGE_DATA;
	memcpy(packet_data(data) + 4, packet_data(response) + 8, 4);
	simulation_hand_over(simulation, a, &b->address, data);
	wrong = simulation_copy(simulation, response);
	simulation_hand_over(simulation, a, &b->address, response);
	assert_int_equal(simulation_lose(simulation, a), 1);
	simulation_hand_over(simulation, a, &b->address, wrong);
	assert_int_equal(a->output.datagrams.count, 0);
}

static void test_replays(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *initiation, *response, *data;

	simulation_ping(simulation, a);
	initiation = simulation_take(a, MESSAGE_INITIATION);
	simulation_hand_over(simulation, b, &a->address, simulation_copy(simulation, initiation));
	response = simulation_take(b, MESSAGE_RESPONSE);
	simulation_hand_over(simulation, a, &b->address, simulation_copy(simulation, response));
	data = simulation_take(a, MESSAGE_DATA);
	simulation_hand_over(simulation, b, &a->address, simulation_copy(simulation, data));
	assert_int_equal(simulation_read(simulation, b), 1);

	simulation_pass(simulation, 6 * MOMENT_SECOND);
	simulation_hand_over(simulation, b, &a->address, initiation);
	simulation_hand_over(simulation, a, &b->address, response);
	simulation_hand_over(simulation, b, &a->address, data);
	assert_int_equal(simulation_lose(simulation, a) + simulation_lose(simulation, b), 0);
	assert_int_equal(simulation_read(simulation, b), 0);
}

static void test_source_must_be_allowed(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	uint64_t received;

	simulation_connect(simulation);
	received = simulation_peer(b)->received_bytes;
	simulation_send(simulation, a, "10.0.0.3", "10.0.0.2", 100);
	simulation_send(simulation, a, "fd00::3", "fd00::2", 100);
	assert_int_equal(simulation_deliver(simulation, a, b), 2);
	assert_int_equal(simulation_read(simulation, b), 0);
	assert_int_equal(simulation_peer(b)->received_bytes, received);
	simulation_send(simulation, a, "fd00::1", "fd00::2", 100);
	simulation_deliver(simulation, a, b);
	assert_int_equal(simulation_read(simulation, b), 1);
}

static void test_no_route(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_send(simulation, a, "10.0.0.1", "10.0.0.3", 100);
	simulation_send(simulation, a, "fd00::1", "fd00::3", 100);
	simulation_ping(simulation, b); /* b does not know where a is */
	assert_int_equal(a->output.datagrams.count + b->output.datagrams.count, 0);
	assert_int_equal(simulation_peer(b)->staged.count, 0);
}

/* Seals any bytes as the machine would an IP packet. */
static void send_raw(struct simulation *simulation, struct machine *from, const uint8_t *bytes,
		     uint32_t size)
{
	struct work work = {from->device, &simulation->now, &from->output};
	struct packet *packet = packet_get(simulation->pool);

	memcpy(packet_data(packet), bytes, size);
	packet->length = size;
	peer_stage(from->device, simulation_peer(from), packet);
	send_staged(&work, simulation_peer(from));
}

/* The inner header tells its length; one that does not fit is a lie. */
static void test_inner_length(void **state)
{
	static const struct {
		uint8_t version;
		uint16_t field;
		uint32_t size;
		bool right;
	} cases[] = {
		{4, 20, 20, true},  {4, 19, 20, false}, {4, 0, 48, false},
		{4, 33, 32, false}, {4, 20, 19, false}, {6, 0, 40, true},
		{6, 8, 48, true},   {6, 9, 48, false},	{6, 0, 39, false},
		{5, 20, 20, false}, {0, 0, 64, false},	{6, 65535, 48, false},
		{4, 32, 31, false}, {4, 21, 32, true},	{4, 65535, 64, false},
	};
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	uint8_t bytes[64];

	simulation_connect(simulation);
	device_set_mtu(a->device, 0); /* no padding */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(bytes, 0, sizeof(bytes));
		bytes[0] = (uint8_t)(cases[i].version << 4);
		if (cases[i].version == 6) {
			bytes[4] = (uint8_t)(cases[i].field >> 8);
			bytes[5] = (uint8_t)cases[i].field;
			memcpy(bytes + 8, (uint8_t[16]){0xfd, [15] = 1}, 16);
		} else {
			bytes[2] = (uint8_t)(cases[i].field >> 8);
			bytes[3] = (uint8_t)cases[i].field;
			memcpy(bytes + 12, (uint8_t[4]){10, 0, 0, 1}, 4);
		}
		send_raw(simulation, a, bytes, cases[i].size);
		simulation_deliver(simulation, a, b);
		if (cases[i].right)
			assert_int_equal(b->output.inner.first->length,
					 cases[i].field + (cases[i].version == 6 ? 40 : 0));
		assert_int_equal(simulation_read(simulation, b), cases[i].right);
	}
}

static void test_padding(void **state)
{
	static const struct {
		uint32_t size, mtu, padded;
	} cases[] = {
		{20, 1420, 32},	    {32, 1420, 32},	{33, 1420, 48},	    {1408, 1420, 1408},
		{1409, 1420, 1420}, {1420, 1420, 1420}, {1421, 1420, 1421}, {1500, 1420, 1500},
	};
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;

	simulation_connect(simulation);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		device_set_mtu(a->device, cases[i].mtu);
		simulation_send(simulation, a, "10.0.0.1", "10.0.0.2", cases[i].size);
		assert_int_equal(a->output.datagrams.first->length, 32 + cases[i].padded);
		assert_int_equal(simulation_deliver(simulation, a, &simulation->b), 1);
		assert_int_equal(simulation->b.output.inner.first->length, cases[i].size);
		simulation_read(simulation, &simulation->b);
	}
}

/* The endpoint follows authentic packets only, with the address they arrived at. */
static void test_roaming(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	union socket_address elsewhere = simulation_address("[2001:db8::1]:3000");
	struct packet *packet, *forged;

	simulation_connect(simulation);
	simulation_ping(simulation, a);
	packet = simulation_take(a, MESSAGE_DATA);
	forged = simulation_copy(simulation, packet);
	packet_data(forged)[40] ^= 1;
	simulation_hand_over(simulation, b, &elsewhere, forged);
	assert_true(socket_address_equal(&simulation_peer(b)->address, &a->address));
	packet->source.v6.ipi6_ifindex = 5;
	simulation_hand_over(simulation, b, &elsewhere, simulation_copy(simulation, packet));
	assert_true(socket_address_equal(&simulation_peer(b)->address, &elsewhere));
	/* A replay from a third place moves nothing. */
	simulation_hand_over(simulation, b, &a->address, packet);
	assert_true(socket_address_equal(&simulation_peer(b)->address, &elsewhere));
	simulation_ping(simulation, b);
	assert_true(socket_address_equal(&b->output.datagrams.first->address, &elsewhere));
}

static void test_source_sticks(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *packet;

	simulation_connect(simulation);
	simulation_ping(simulation, a);
	packet = simulation_take(a, MESSAGE_DATA);
	packet->source.v4.ipi_ifindex = 5;
	simulation_hand_over(simulation, b, &a->address, packet);
	simulation_ping(simulation, b);
	assert_int_equal(b->output.datagrams.first->source.v4.ipi_ifindex, 5);
}

/* No more than 128 packets of a peer wait, and the oldest go first. */
static void test_staged_packets(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	for (uint32_t i = 0; i < PEER_STAGED_MOST + 50; i++)
		simulation_send(simulation, a, "10.0.0.1", "10.0.0.2", 100 + i);
	assert_int_equal(simulation_peer(a)->staged.count, PEER_STAGED_MOST);
	assert_int_equal(a->output.datagrams.count, 1); /* one initiation for all */
	simulation_settle(simulation);
	assert_int_equal(b->output.inner.first->length, 150);
	assert_int_equal(simulation_read(simulation, b), PEER_STAGED_MOST);
	assert_int_equal(a->device->staged_count, 0);
}

/* Nor do the packets of all peers together take more than half of the pool. */
static void test_staged_packets_of_many_peers(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct wg_peer_change change = {.set_address = true, .address = a->address};
	struct error error;
	char address[IP_TEXT_MAX];

	for (uint8_t i = 0; i < 4; i++) {
		snprintf(address, sizeof(address), "10.1.0.%u", i);
		change.public_key = (struct key){{9, i}};
		assert_int_equal(cidr_list_parse(address, &change.allowed_ips, &error), 0);
		simulation_configure(simulation, a, &change);
		cidr_list_clear(&change.allowed_ips);
		for (uint32_t j = 0; j < PEER_STAGED_MOST; j++)
			simulation_send(simulation, a, "10.0.0.1", address, 100);
	}
	assert_int_equal(a->device->staged_count, SIMULATION_PACKETS / 2);
}

/* A batch larger than that passes whole when there is a session. */
static void test_large_batch(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet_queue queue = {};
	struct packet *packet;

	simulation_connect(simulation);
	for (size_t i = 0; i < 2 * PEER_STAGED_MOST; i++) {
		packet = packet_get(simulation->pool);
		packet->length = 20;
		memcpy(packet_data(packet),
		       (uint8_t[20]){0x45, [3] = 20, [12] = 10, [15] = 1, [16] = 10, [19] = 2}, 20);
		packet_queue_push(&queue, packet);
	}
	device_send(a->device, &simulation->now, &queue, &a->output);
	assert_int_equal(simulation_deliver(simulation, a, b), 2 * PEER_STAGED_MOST);
	assert_int_equal(simulation_read(simulation, b), 2 * PEER_STAGED_MOST);
}

static size_t allocations; /* by libcrypto */

static void *count_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return malloc(size);
}

static void *count_realloc(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return realloc(block, size);
}

static void count_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	free(block);
}

/* While packets move, libcrypto allocates nothing either. */
static void test_no_allocation(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	size_t before;

	simulation_connect(simulation);
	before = allocations;
	assert_true(before > 0);
	for (int i = 0; i < 100; i++) {
		simulation_ping(simulation, i % 2 ? a : b);
		simulation_settle(simulation);
		assert_int_equal(simulation_read(simulation, i % 2 ? b : a), 1);
	}
	assert_int_equal(allocations, before);
}

/* Section 6.2: a session whose counter has come to its end carries nothing more. */
static void test_counter_limits(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *packet;

	simulation_connect(simulation);
	simulation_pass(simulation, 6 * MOMENT_SECOND);
	simulation_peer(a)->sessions.current->counter = SESSION_REKEY_AFTER_MESSAGES - 1;
	simulation_ping(simulation, a);
	assert_int_equal(simulation_lose(simulation, a), 1);
	simulation_ping(simulation, a);
	packet_put(simulation->pool, simulation_take(a, MESSAGE_DATA));
	packet_put(simulation->pool, simulation_take(a, MESSAGE_INITIATION));

	simulation_pass(simulation, 6 * MOMENT_SECOND);
	simulation_peer(a)->sessions.current->counter = SESSION_REJECT_AFTER_MESSAGES - 1;
	simulation_ping(simulation, a);
	packet = simulation_take(a, MESSAGE_DATA);
	packet_put(simulation->pool, simulation_take(a, MESSAGE_INITIATION));
	simulation_hand_over(simulation, b, &a->address, packet);
	assert_int_equal(simulation_read(simulation, b), 1);
	assert_true(session_may_receive(simulation_peer(b)->sessions.current,
					SESSION_REJECT_AFTER_MESSAGES - 1,
					simulation->now.monotonic));
	assert_false(session_may_receive(simulation_peer(b)->sessions.current,
					 SESSION_REJECT_AFTER_MESSAGES, simulation->now.monotonic));
	simulation_ping(simulation, a);
	assert_int_equal(a->output.datagrams.count, 0); /* it waits */
	assert_int_equal(simulation_peer(a)->staged.count, 1);
}

/* Section 6.3: what was sealed under the session before still arrives; under the one before that,
 * no more. */
static void test_session_slots(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct work work = {a->device, &simulation->now, &a->output};
	struct packet *packets[3];

	simulation_connect(simulation);
	for (int i = 0; i < 3; i++) {
		simulation_ping(simulation, a);
		packets[i] = simulation_take(a, MESSAGE_DATA);
		simulation_pass(simulation, 6 * MOMENT_SECOND);
		send_initiation(&work, simulation_peer(a), false);
		simulation_settle(simulation);
	}
	for (int i = 0; i < 3; i++)
		simulation_hand_over(simulation, b, &a->address, packets[i]);
	assert_int_equal(simulation_read(simulation, b), 1);
}

/* A packet under the old session does not confirm the new one. */
static void test_only_its_own_packet_confirms(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct work work = {a->device, &simulation->now, &a->output};
	struct packet *packet;

	simulation_connect(simulation);
	simulation_ping(simulation, a);
	packet = simulation_take(a, MESSAGE_DATA);
	simulation_pass(simulation, 6 * MOMENT_SECOND);
	send_initiation(&work, simulation_peer(a), false);
	simulation_deliver(simulation, a, b);
	assert_non_null(simulation_peer(b)->sessions.next);
	simulation_hand_over(simulation, b, &a->address, packet);
	assert_non_null(simulation_peer(b)->sessions.next);
	simulation_settle(simulation);
	assert_null(simulation_peer(b)->sessions.next);
}

/* Both begin at once. Neither answer is for a handshake that still is; the next try succeeds. */
static void test_crossing_initiations(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_peer_change change = simulation_change(a);

	change.set_address = true;
	change.address = a->address;
	simulation_configure(simulation, b, &change);
	simulation_ping(simulation, a);
	simulation_ping(simulation, b);
	simulation_settle(simulation);
	for (int i = 0; i < 3; i++) {
		simulation_pass(simulation, 6 * MOMENT_SECOND);
		device_run_timers(a->device, &simulation->now, &a->output);
		simulation_settle(simulation);
		device_run_timers(b->device, &simulation->now, &b->output);
		simulation_settle(simulation);
	}
	assert_int_equal(simulation_read(simulation, a), 1);
	assert_int_equal(simulation_read(simulation, b), 1);
}

static void test_statistics(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	CLEANUP(wg_device_clear) struct wg_device of_a = {}, of_b = {};

	simulation_connect(simulation);
	device_read(a->device, &of_a);
	device_read(b->device, &of_b);
	assert_int_equal(of_a.peers[0].sent_bytes, 148 + 16 + 112 + 16);
	assert_int_equal(of_a.peers[0].received_bytes, 92);
	assert_int_equal(of_b.peers[0].sent_bytes, 92);
	assert_int_equal(of_b.peers[0].received_bytes, 148 + 16 + 112 + 16);
	assert_int_equal(of_a.peers[0].last_handshake, 1700000000);
	assert_int_equal(of_b.peers[0].last_handshake, 1700000000);
}

/* Under load: no work without a cookie, and then no more than the rate allows. */
static void test_under_load(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *packet, *again;

	device_set_under_load(b->device, &simulation->now);
	simulation_ping(simulation, a);
	assert_int_equal(simulation_deliver(simulation, a, b), 1);
	assert_int_equal(b->output.datagrams.count, 1);
	simulation_hand_over(simulation, a, &b->address, simulation_take(b, MESSAGE_COOKIE_REPLY));
	assert_int_equal(a->output.datagrams.count, 0); /* the timer will try again */

	simulation_run(simulation, a, 4 * MOMENT_SECOND, MESSAGE_INITIATION);
	simulation_pass(simulation, 2 * MOMENT_SECOND);
	device_run_timers(a->device, &simulation->now, &a->output);
	device_set_under_load(b->device, &simulation->now);
	packet = simulation_take(a, MESSAGE_INITIATION);
	again = simulation_copy(simulation, packet);
	simulation_hand_over(simulation, b, &a->address, packet);
	simulation_settle(simulation);
	assert_int_equal(simulation_read(simulation, b), 1);

	/* The cookie is for that address: from another, the same message is asked for a new one. */
	simulation_hand_over(simulation, b, &b->address, simulation_copy(simulation, again));
	packet_put(simulation->pool, simulation_take(b, MESSAGE_COOKIE_REPLY));
	/* With the right one it is worked on, in silence as it is a replay; and never without mac1.
	 */
	simulation_hand_over(simulation, b, &a->address, simulation_copy(simulation, again));
	packet_data(again)[again->length - 20] ^= 1;
	simulation_hand_over(simulation, b, &b->address, again);
	assert_int_equal(b->output.datagrams.count, 0);
}

/* Twenty a second after five at once, though the sender owns his address. */
static void test_rate_under_load(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct work work = {a->device, &simulation->now, &a->output};
	size_t responses = 0;

	device_set_under_load(b->device, &simulation->now);
	simulation_ping(simulation, a);
	simulation_deliver(simulation, a, b);
	simulation_deliver(simulation, b, a); /* the cookie */
	for (int i = 0; i < 40; i++) {
		simulation_pass(simulation, MOMENT_SECOND / 40);
		device_set_under_load(b->device, &simulation->now);
		simulation_peer(a)->handshake_sent = 0;
		send_initiation(&work, simulation_peer(a), false);
		simulation_deliver(simulation, a, b);
		responses += simulation_lose(simulation, b);
	}
	assert_in_range(responses, 22, 26);
}

static void test_load_passes(void **state)
{
	struct simulation *simulation = *state;

	device_set_under_load(simulation->b.device, &simulation->now);
	simulation_pass(simulation, MOMENT_SECOND);
	simulation_connect(simulation);
}

/* When every packet is in use nothing breaks, and later all goes on. */
static void test_empty_pool(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct packet_queue held = {};
	struct packet *packet;

	while ((packet = packet_get(simulation->pool)))
		packet_queue_push(&held, packet);
	packet_put(simulation->pool, packet_queue_pop(&held));
	simulation_ping(simulation, a); /* its packet was the last */
	assert_int_equal(a->output.datagrams.count, 0);
	packet_put_all(simulation->pool, &held);
	simulation_connect(simulation);
}

#define simulated(function)                                                                        \
	cmocka_unit_test_setup_teardown(function, simulation_setup, simulation_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		simulated(test_handshake_and_data),
		simulated(test_key_confirmation),
		simulated(test_confirmation_by_keepalive),
		simulated(test_preshared_key),
		simulated(test_wrong_keys),
		simulated(test_tampering),
		simulated(test_wrong_sizes),
		simulated(test_trailing_bytes),
		simulated(test_index_of_another_kind),
		simulated(test_replays),
		simulated(test_source_must_be_allowed),
		simulated(test_no_route),
		simulated(test_inner_length),
		simulated(test_padding),
		simulated(test_roaming),
		simulated(test_source_sticks),
		simulated(test_staged_packets),
		simulated(test_staged_packets_of_many_peers),
		simulated(test_large_batch),
		simulated(test_no_allocation),
		simulated(test_counter_limits),
		simulated(test_session_slots),
		simulated(test_only_its_own_packet_confirms),
		simulated(test_crossing_initiations),
		simulated(test_statistics),
		simulated(test_under_load),
		simulated(test_rate_under_load),
		simulated(test_load_passes),
		simulated(test_empty_pool),
	};

	if (!CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
