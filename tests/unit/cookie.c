/* wireguard/cookie and wireguard/ratelimiter: who asks, who is asked, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/cookie.h"
#include "wireguard/moment.h"
#include "wireguard/ratelimiter.h"

#define SIZE sizeof(struct message_initiation)

struct fixture {
	struct cookie_checker checker; /* of the one who is asked */
	struct cookie_jar jar;	       /* of the one who asks */
	union socket_address from;
	uint8_t message[SIZE];
};

static union socket_address address_of(const char *text)
{
	union socket_address address = {};
	struct error error;

	assert_int_equal(socket_address_parse(text, &address, &error), 0);
	return address;
}

static int setup(void **state)
{
	struct fixture *fixture = memory_zalloc(sizeof(*fixture));
	struct key public_key = {{1, 2, 3}};

	cookie_keys_derive(&fixture->checker.keys, &public_key);
	cookie_keys_derive(&fixture->jar.keys, &public_key);
	fixture->from = address_of("192.0.2.1:51820");
	for (size_t i = 0; i < SIZE; i++)
		fixture->message[i] = (uint8_t)i;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void add(struct fixture *fixture, uint64_t seconds)
{
	cookie_add_macs(&fixture->jar, fixture->message, SIZE, seconds * MOMENT_SECOND);
}

static enum cookie_verdict check(struct fixture *fixture, uint64_t seconds)
{
	return cookie_check(&fixture->checker, fixture->message, SIZE, &fixture->from,
			    seconds * MOMENT_SECOND);
}

static struct message_cookie_reply reply_to(struct fixture *fixture, uint64_t seconds)
{
	struct message_cookie_reply reply;

	assert_true(cookie_reply_create(&fixture->checker, fixture->message, SIZE, &fixture->from,
					seconds * MOMENT_SECOND, &reply));
	return reply;
}

static bool consume(struct fixture *fixture, const struct message_cookie_reply *reply,
		    uint64_t seconds)
{
	return cookie_reply_consume(&fixture->jar, reply, seconds * MOMENT_SECOND);
}

static void test_mac1(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(check(fixture, 1), COOKIE_BAD_MAC);
	add(fixture, 1);
	assert_int_equal(check(fixture, 1), COOKIE_NONE);
	for (size_t bit = 0; bit < (SIZE - MESSAGE_MAC_SIZE) * 8; bit++) {
		fixture->message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(check(fixture, 1), COOKIE_BAD_MAC);
		fixture->message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_cookie(void **state)
{
	static const char *const others[] = {"192.0.2.2:51820", "192.0.2.1:51821",
					     "[2001:db8::1]:51820"};
	struct fixture *fixture = *state;
	struct message_cookie_reply reply;

	add(fixture, 1);
	reply = reply_to(fixture, 1);
	assert_memory_equal(reply.receiver, fixture->message + 4, 4);
	assert_true(consume(fixture, &reply, 1));
	assert_false(consume(fixture, &reply, 1)); /* one reply to a message */
	assert_int_equal(check(fixture, 1), COOKIE_NONE);
	add(fixture, 2);
	assert_int_equal(check(fixture, 2), COOKIE_GOOD);
	for (size_t bit = (SIZE - MESSAGE_MAC_SIZE) * 8; bit < SIZE * 8; bit++) {
		fixture->message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(check(fixture, 2), COOKIE_NONE);
		fixture->message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		fixture->from = address_of(others[i]);
		assert_int_equal(check(fixture, 2), COOKIE_NONE);
	}
}

static void test_cookie_over_ipv6(void **state)
{
	struct fixture *fixture = *state;
	struct message_cookie_reply reply;

	fixture->from = address_of("[2001:db8::1]:51820");
	add(fixture, 1);
	reply = reply_to(fixture, 1);
	assert_true(consume(fixture, &reply, 1));
	add(fixture, 2);
	assert_int_equal(check(fixture, 2), COOKIE_GOOD);
	fixture->from = address_of("[2001:db8::2]:51820");
	assert_int_equal(check(fixture, 2), COOKIE_NONE);
}

/* Section 5.4.7: two minutes, less five seconds for the one who holds it. */
static void test_lifetime(void **state)
{
	struct fixture *fixture = *state;
	struct message_cookie_reply reply;

	add(fixture, 1);
	reply = reply_to(fixture, 1);
	assert_true(consume(fixture, &reply, 1));
	add(fixture, 115);
	assert_int_equal(check(fixture, 120), COOKIE_GOOD);
	assert_int_equal(check(fixture, 121), COOKIE_NONE); /* the secret has changed */

	add(fixture, 122);
	reply = reply_to(fixture, 122);
	assert_true(consume(fixture, &reply, 122));
	add(fixture, 236);
	assert_int_equal(check(fixture, 236), COOKIE_GOOD);
	add(fixture, 237); /* the holder drops it */
	assert_int_equal(check(fixture, 237), COOKIE_NONE);
}

static void test_reply_is_bound(void **state)
{
	struct fixture *fixture = *state;
	struct message_cookie_reply reply, wrong;

	add(fixture, 1);
	reply = reply_to(fixture, 1);
	for (size_t bit = offsetof(struct message_cookie_reply, nonce) * 8; bit < sizeof(reply) * 8;
	     bit++) {
		wrong = reply;
		((uint8_t *)&wrong)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(consume(fixture, &wrong, 1));
	}
	fixture->message[20] ^= 1; /* another message is sent: this is no reply to it */
	add(fixture, 2);
	assert_false(consume(fixture, &reply, 2));
}

static bool allow(struct ratelimiter *limiter, const char *from, uint64_t milliseconds)
{
	union socket_address address = address_of(from);

	return ratelimiter_allow(limiter, &address, milliseconds * 1000000);
}

static void test_rate(void **state)
{
	CLEANUP(memory_free) struct ratelimiter *limiter = memory_zalloc(sizeof(*limiter));
	int allowed = 0;

	(void)state;
	ratelimiter_init(limiter);
	for (int i = 0; i < RATELIMITER_BURST; i++)
		assert_true(allow(limiter, "192.0.2.1:1", 1000));
	assert_false(allow(limiter, "192.0.2.1:1", 1000));
	assert_false(allow(limiter, "192.0.2.1:2", 1000)); /* the port is no matter */
	assert_true(allow(limiter, "192.0.2.2:1", 1000));
	assert_false(allow(limiter, "192.0.2.1:1", 1049));
	assert_true(allow(limiter, "192.0.2.1:1", 1100));
	for (uint64_t time = 2000; time < 12000; time++)
		allowed += allow(limiter, "192.0.2.1:1", time);
	assert_in_range(allowed, 10 * RATELIMITER_PER_SECOND,
			10 * RATELIMITER_PER_SECOND + RATELIMITER_BURST);

	for (int i = 0; i < RATELIMITER_BURST; i++)
		assert_true(allow(limiter, "[2001:db8::1]:1", 1000));
	assert_false(allow(limiter, "[2001:db8::ffff:1:1:1]:1", 1000)); /* same /64 */
	assert_true(allow(limiter, "[2001:db8:0:1::1]:1", 1000));
}

/* A flood of addresses finds an end, and does not lock others out for long. */
static void test_rate_table_is_bounded(void **state)
{
	CLEANUP(memory_free) struct ratelimiter *limiter = memory_zalloc(sizeof(*limiter));
	union socket_address address = {.v4.sin_family = AF_INET};
	const uint32_t sources = 4 * RATELIMITER_SETS * RATELIMITER_WAYS;
	uint32_t allowed = 0;

	(void)state;
	ratelimiter_init(limiter);
	for (uint32_t i = 0; i < sources; i++) {
		address.v4.sin_addr.s_addr = htobe32(i);
		allowed += ratelimiter_allow(limiter, &address, MOMENT_SECOND);
	}
	assert_in_range(allowed, sources / 8, RATELIMITER_SETS * RATELIMITER_WAYS);
	address.v4.sin_addr.s_addr = htobe32(sources);
	assert_true(ratelimiter_allow(limiter, &address, 2 * MOMENT_SECOND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mac1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cookie, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cookie_over_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lifetime, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reply_is_bound, setup, teardown),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
