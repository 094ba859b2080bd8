/* wireguard/receive: an enemy between two devices turns bits, cuts, replays and floods. */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "wireguard/send.h"

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
	cookie_add_macs(&simulation_peer(a)->cookies, packet_data(packet), packet->length,
			simulation->now.monotonic);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		simulated(test_tampering),	 simulated(test_wrong_sizes),
		simulated(test_trailing_bytes),	 simulated(test_index_of_another_kind),
		simulated(test_replays),	 simulated(test_under_load),
		simulated(test_rate_under_load), simulated(test_load_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
