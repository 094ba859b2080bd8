/* wireguard/session between two devices: how long one serves, and which serves when (whitepaper
 * sections 6.2 and 6.3). */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "wireguard/send.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		simulated(test_counter_limits),
		simulated(test_session_slots),
		simulated(test_only_its_own_packet_confirms),
		simulated(test_crossing_initiations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
