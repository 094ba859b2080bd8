/* wireguard/send and wireguard/receive: two devices talk. */
#include "simulation.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		simulated(test_handshake_and_data),
		simulated(test_key_confirmation),
		simulated(test_confirmation_by_keepalive),
		simulated(test_preshared_key),
		simulated(test_wrong_keys),
		simulated(test_source_must_be_allowed),
		simulated(test_no_route),
		simulated(test_inner_length),
		simulated(test_padding),
		simulated(test_roaming),
		simulated(test_source_sticks),
		simulated(test_statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
