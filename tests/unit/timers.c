/* wireguard/timers: the rules of whitepaper section 6, one test a rule, on a clock that moves only
 * when told. */
#include "simulation.h"

#include "base/memory.h"
#include "wireguard/send.h"

#define SECONDS(count) ((count)*MOMENT_SECOND)
#define JITTER	       TIMERS_REKEY_JITTER_MOST

/* Section 6.2: after 120 s the initiator, when he sends, begins anew; the responder does not. */
static void test_rekey_by_initiator_only(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_connect(simulation);
	simulation_pass(simulation, SECONDS(120) - 1);
	simulation_ping(simulation, a);
	simulation_ping(simulation, b);
	packet_put(simulation->pool, simulation_take(a, MESSAGE_DATA));
	packet_put(simulation->pool, simulation_take(b, MESSAGE_DATA));
	assert_int_equal(a->output.datagrams.count + b->output.datagrams.count, 0);

	simulation_pass(simulation, 1);
	simulation_ping(simulation, a);
	simulation_ping(simulation, b);
	packet_put(simulation->pool, simulation_take(a, MESSAGE_DATA));
	packet_put(simulation->pool, simulation_take(a, MESSAGE_INITIATION));
	packet_put(simulation->pool, simulation_take(b, MESSAGE_DATA));
	assert_int_equal(a->output.datagrams.count + b->output.datagrams.count, 0);
}

/* Section 6.2: who only receives begins anew 15 s before the end, once, if he is the initiator. */
static void test_rekey_at_last_minute(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_connect(simulation);
	simulation_pass(simulation, SECONDS(165) - 1);
	simulation_ping(simulation, b);
	simulation_deliver(simulation, b, a);
	assert_int_equal(a->output.datagrams.count, 0);
	simulation_pass(simulation, 1);
	simulation_ping(simulation, b);
	simulation_deliver(simulation, b, a);
	packet_put(simulation->pool, simulation_take(a, MESSAGE_INITIATION));
	simulation_pass(simulation, SECONDS(6));
	simulation_ping(simulation, b);
	simulation_deliver(simulation, b, a);
	assert_int_equal(a->output.datagrams.count, 0);
	assert_int_equal(simulation_read(simulation, a), 3);
}

/* Each session has its last minute. */
static void test_rekey_at_last_minute_again(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_connect(simulation);
	for (int i = 0; i < 3; i++) {
		simulation_pass(simulation, SECONDS(165));
		simulation_ping(simulation, b);
		simulation_deliver(simulation, b, a);
		assert_int_equal(simulation_read(simulation, a), 1);
		assert_int_equal(packet_data(a->output.datagrams.first)[0], MESSAGE_INITIATION);
		simulation_settle(simulation);
	}
}

/* Section 6.2: a session of 180 s sends and receives nothing. */
static void test_reject_after_time(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet *early, *late;

	simulation_connect(simulation);
	simulation_pass(simulation, SECONDS(100));
	simulation_ping(simulation, a);
	early = simulation_take(a, MESSAGE_DATA);
	simulation_ping(simulation, a);
	late = simulation_take(a, MESSAGE_DATA);
	simulation_pass(simulation, SECONDS(80) - 1);
	simulation_hand_over(simulation, b, &a->address, early);
	assert_int_equal(simulation_read(simulation, b), 1);
	simulation_ping(simulation, b);
	packet_put(simulation->pool, simulation_take(b, MESSAGE_DATA));

	simulation_pass(simulation, 1);
	simulation_hand_over(simulation, b, &a->address, late);
	assert_int_equal(simulation_read(simulation, b), 0);
	simulation_ping(simulation, b); /* waits for a handshake, even the responder's */
	packet_put(simulation->pool, simulation_take(b, MESSAGE_INITIATION));
	assert_int_equal(b->output.datagrams.count, 0);
}

/* Section 6.4: every 5 s and up to a third, for 90 s; then what waits is dropped. */
static void test_retries(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	uint64_t last, wait;

	simulation_ping(simulation, a);
	packet_put(simulation->pool, simulation_take(a, MESSAGE_INITIATION));
	last = simulation->now.monotonic;
	for (int i = 0; i < 3; i++) {
		while (!a->output.datagrams.first) {
			assert_true(device_deadline(a->device) >= simulation->now.monotonic);
			simulation_pass(simulation,
					device_deadline(a->device) - simulation->now.monotonic);
			device_run_timers(a->device, &simulation->now, &a->output);
		}
		packet_put(simulation->pool, simulation_take(a, MESSAGE_INITIATION));
		wait = simulation->now.monotonic - last;
		assert_in_range(wait, SECONDS(5), SECONDS(5) + JITTER);
		last = simulation->now.monotonic;
	}
	assert_int_equal(simulation_peer(a)->staged.count, 1);
	assert_in_range(simulation_run(simulation, a, SECONDS(100), MESSAGE_INITIATION), 13, 15);
	assert_int_equal(simulation_peer(a)->staged.count, 0);
	assert_int_equal(simulation_run(simulation, a, SECONDS(400), MESSAGE_INITIATION), 0);
}

/* Section 6.4: no two handshake messages of ours within 5 s, whatever is sent; and a packet that is
 * sent later begins the 90 s anew. */
static void test_no_more_than_every_five_seconds(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;

	simulation_ping(simulation, a);
	assert_int_equal(simulation_lose(simulation, a), 1);
	simulation_pass(simulation, SECONDS(5) - 1);
	simulation_ping(simulation, a);
	assert_int_equal(simulation_lose(simulation, a), 0);
	simulation_pass(simulation, 1);
	simulation_ping(simulation, a);
	assert_int_equal(simulation_lose(simulation, a), 1);

	simulation_run(simulation, a, SECONDS(60), MESSAGE_INITIATION);
	simulation_ping(simulation, a);
	simulation_lose(simulation, a);
	assert_true(simulation_run(simulation, a, SECONDS(85), MESSAGE_INITIATION) >= 15);
	assert_int_equal(simulation_peer(a)->staged.count, 4);
}

/* Section 6.5: received data is answered after 10 s, if by nothing else then by a keepalive. */
static void test_passive_keepalive(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_connect(simulation);
	assert_int_equal(simulation_run(simulation, b, SECONDS(10) - 1, MESSAGE_DATA), 0);
	simulation_pass(simulation, 1);
	device_run_timers(b->device, &simulation->now, &b->output);
	assert_int_equal(b->output.datagrams.first->length, 32);
	simulation_settle(simulation);
	assert_int_equal(simulation_read(simulation, a), 0);
	/* Nobody answers a keepalive. */
	assert_int_equal(simulation_run(simulation, a, SECONDS(100), MESSAGE_DATA), 0);
	assert_int_equal(simulation_run(simulation, b, SECONDS(100), MESSAGE_DATA), 0);
}

static void test_no_keepalive_after_an_answer(void **state)
{
	struct simulation *simulation = *state;
	struct machine *b = &simulation->b;

	simulation_connect(simulation);
	simulation_pass(simulation, SECONDS(5));
	simulation_ping(simulation, b);
	simulation_settle(simulation);
	assert_int_equal(simulation_run(simulation, b, SECONDS(14), MESSAGE_DATA), 0);
}

/* More data while the timer runs: one keepalive after 10 s, and another after 10 more. */
static void test_another_keepalive(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_connect(simulation);
	simulation_pass(simulation, SECONDS(5));
	simulation_ping(simulation, a);
	simulation_settle(simulation);
	assert_int_equal(simulation_run(simulation, b, SECONDS(5), MESSAGE_DATA), 1);
	assert_int_equal(simulation_run(simulation, b, SECONDS(10) - 1, MESSAGE_DATA), 0);
	assert_int_equal(simulation_run(simulation, b, SECONDS(100), MESSAGE_DATA), 1);
}

/* Section 6.5: data sent and nothing heard for 15 s: a new handshake. */
static void test_new_handshake_without_answer(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;

	simulation_connect(simulation);
	assert_int_equal(simulation_run(simulation, a, SECONDS(15) - 1, MESSAGE_INITIATION), 0);
	assert_int_equal(simulation_run(simulation, a, JITTER + 1, MESSAGE_INITIATION), 1);
}

/* The 15 s begin with the first packet, and more packets do not put them off. */
static void test_new_handshake_in_the_midst_of_data(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	unsigned int initiations = 0;

	simulation_connect(simulation);
	for (int i = 0; i < 16; i++) {
		simulation_ping(simulation, a);
		simulation_lose(simulation, a);
		initiations += simulation_run(simulation, a, SECONDS(1), MESSAGE_INITIATION);
	}
	assert_int_equal(initiations, 1);
}

static void test_no_new_handshake_after_an_answer(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_connect(simulation);
	simulation_run(simulation, b, SECONDS(9), MESSAGE_DATA);
	simulation_pass(simulation, SECONDS(1));
	device_run_timers(b->device, &simulation->now, &b->output); /* the keepalive */
	simulation_settle(simulation);
	assert_int_equal(simulation_run(simulation, a, SECONDS(100), MESSAGE_INITIATION), 0);
}

static void set_keepalive(struct simulation *simulation, struct machine *machine,
			  struct machine *peer, uint16_t seconds)
{
	struct wg_peer_change change = simulation_change(peer);

	change.set_keepalive = true;
	change.keepalive = seconds;
	simulation_configure(simulation, machine, &change);
}

/* Section 6.5: every so many seconds since anything was sent or received. */
static void test_persistent_keepalive(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_connect(simulation);
	simulation_ping(simulation, b);
	simulation_settle(simulation);
	simulation_read(simulation, a);
	set_keepalive(simulation, a, b, 25);
	assert_int_equal(simulation_deliver(simulation, a, b), 1); /* at once, when turned on */
	assert_int_equal(simulation_run(simulation, a, SECONDS(25) - 1, MESSAGE_DATA), 0);
	assert_int_equal(simulation_run(simulation, a, 1, MESSAGE_DATA), 1);
	assert_int_equal(simulation_run(simulation, a, SECONDS(50), MESSAGE_DATA), 2);
	simulation_pass(simulation, SECONDS(20));
	simulation_ping(simulation, b);
	simulation_deliver(simulation, b, a);
	simulation_read(simulation, a);
	assert_int_equal(simulation_run(simulation, a, SECONDS(10) - 1, MESSAGE_DATA), 0);
	simulation_run(simulation, a, 1, MESSAGE_DATA); /* the passive one */
	assert_int_equal(simulation_run(simulation, a, SECONDS(25) - 1, MESSAGE_DATA), 0);
	assert_int_equal(simulation_run(simulation, a, 1, MESSAGE_DATA), 1);
	set_keepalive(simulation, a, b, 0);
	assert_int_equal(simulation_run(simulation, a, SECONDS(100), MESSAGE_DATA), 0);
}

/* A peer that is silent for hours is still asked every so often. */
static void test_persistent_keepalive_does_not_give_up(void **state)
{
	static const uint16_t intervals[] = {1, 3, 4, 25, 200};
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
		set_keepalive(simulation, a, b, intervals[i]);
		simulation_run(simulation, a, SECONDS(7200), MESSAGE_INITIATION);
		assert_true(simulation_run(simulation, a, SECONDS(400), MESSAGE_INITIATION) > 1);
		set_keepalive(simulation, a, b, 0);
	}
}

/* Nor one that could not be asked because all packets were in use. */
static void test_persistent_keepalive_survives_an_empty_pool(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct packet_queue held = {};
	struct packet *packet;

	simulation_connect(simulation);
	set_keepalive(simulation, a, &simulation->b, 25);
	simulation_lose(simulation, a);
	while ((packet = packet_get(simulation->pool)))
		packet_queue_push(&held, packet);
	simulation_run(simulation, a, SECONDS(1000), MESSAGE_DATA);
	packet_put_all(simulation->pool, &held);
	assert_true(simulation_run(simulation, a, SECONDS(26), MESSAGE_INITIATION) > 0);
}

/* A peer whose address is not known is asked nothing. */
static void test_persistent_keepalive_without_address(void **state)
{
	struct simulation *simulation = *state;
	struct machine *b = &simulation->b;

	set_keepalive(simulation, b, &simulation->a, 25);
	assert_int_equal(b->output.datagrams.count, 0);
	assert_int_equal(simulation_run(simulation, b, SECONDS(100), MESSAGE_INITIATION), 0);
}

/* Whatever is found on this machine after 540 s, no key is among it (section 6.3). */
static void test_keys_are_zeroed(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	simulation_connect(simulation);
	simulation_run(simulation, b, SECONDS(540) - 1, MESSAGE_DATA);
	assert_non_null(simulation_peer(b)->sessions.current);
	simulation_run(simulation, b, 1, MESSAGE_DATA);
	for (size_t i = 0; i < ARRAY_SIZE(simulation_peer(b)->sessions.slots); i++) {
		assert_null(simulation_peer(b)->sessions.slots[i].sending.context);
		assert_null(simulation_peer(b)->sessions.slots[i].receiving.context);
	}
	assert_int_equal(b->device->indices.count, 0);

	/* The same for a handshake that nobody answered. */
	simulation_ping(simulation, a);
	simulation_lose(simulation, a);
	simulation_run(simulation, a, SECONDS(90 + 6), MESSAGE_INITIATION);
	assert_non_null(simulation_peer(a)->handshake.ephemeral.handle);
	simulation_run(simulation, a, SECONDS(540), MESSAGE_INITIATION);
	assert_null(simulation_peer(a)->handshake.ephemeral.handle);
	assert_int_equal(a->device->indices.count, 0);
	assert_int_equal(device_deadline(a->device), MOMENT_NEVER);
}

/* Left alone, two machines fall silent, and their timers too. */
static void test_silence(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	unsigned int rounds = 0;
	uint64_t deadline;

	simulation_connect(simulation);
	while ((deadline = device_deadline(a->device)) != MOMENT_NEVER ||
	       device_deadline(b->device) != MOMENT_NEVER) {
		if (device_deadline(b->device) < deadline)
			deadline = device_deadline(b->device);
		simulation_pass(simulation, deadline > simulation->now.monotonic
						    ? deadline - simulation->now.monotonic
						    : 0);
		device_run_timers(a->device, &simulation->now, &a->output);
		device_run_timers(b->device, &simulation->now, &b->output);
		simulation_settle(simulation);
		assert_true(rounds++ < 20);
	}
	assert_null(simulation_peer(a)->sessions.current);
}

/* A conversation of an hour: a handshake every two minutes, and no packet is lost. */
static void test_long_conversation(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	unsigned int handshakes = 0;
	struct timespec last = {};

	for (int i = 0; i < 3600; i++) {
		simulation_ping(simulation, i % 2 ? a : b);
		if (i == 0) /* b does not know yet where a is */
			continue;
		simulation_settle(simulation);
		assert_int_equal(simulation_read(simulation, i % 2 ? b : a), 1);
		handshakes += simulation_peer(a)->last_handshake.tv_sec != last.tv_sec;
		last = simulation_peer(a)->last_handshake;
		simulation_pass(simulation, MOMENT_SECOND);
		device_run_timers(a->device, &simulation->now, &a->output);
		device_run_timers(b->device, &simulation->now, &b->output);
	}
	assert_in_range(handshakes, 28, 31);
	assert_true(simulation_peer(a)->sessions.current->counter < 100); /* from 0 each time */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		simulated(test_rekey_by_initiator_only),
		simulated(test_rekey_at_last_minute),
		simulated(test_rekey_at_last_minute_again),
		simulated(test_reject_after_time),
		simulated(test_retries),
		simulated(test_no_more_than_every_five_seconds),
		simulated(test_passive_keepalive),
		simulated(test_no_keepalive_after_an_answer),
		simulated(test_another_keepalive),
		simulated(test_new_handshake_without_answer),
		simulated(test_new_handshake_in_the_midst_of_data),
		simulated(test_no_new_handshake_after_an_answer),
		simulated(test_persistent_keepalive),
		simulated(test_persistent_keepalive_does_not_give_up),
		simulated(test_persistent_keepalive_survives_an_empty_pool),
		simulated(test_persistent_keepalive_without_address),
		simulated(test_keys_are_zeroed),
		simulated(test_silence),
		simulated(test_long_conversation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
