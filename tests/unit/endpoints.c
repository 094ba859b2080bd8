/* reconcile/endpoints: which peers are given an address. The hosts are addresses, and one is no
 * name that could be asked for, so no test needs a network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "reconcile/endpoints.h"

#define NOW	   1000000
#define CONFIGURED "192.0.2.1:51820"
#define ROAMED	   "198.51.100.9:7"

/* One link with one peer, as it should be and as it is. */
struct fixture {
	struct subu_state desired, actual;
	struct link_state *link, *there;
	struct wg_peer *peer, *running;
};

static int begin(void **state)
{
	struct fixture *fixture = memory_zalloc(sizeof(*fixture));
	struct error error;

	fixture->link = subu_state_append_link(&fixture->desired, 3);
	fixture->there = subu_state_append_link(&fixture->actual, 3);
	fixture->peer = wg_device_append_peer(&fixture->link->wg);
	fixture->running = wg_device_append_peer(&fixture->there->wg);
	fixture->peer->public_key.bytes[0] = fixture->running->public_key.bytes[0] = 1;
	fixture->link->up = fixture->there->running = true;
	fixture->running->last_handshake = NOW - 10;
	*state = fixture;
	return endpoint_parse(CONFIGURED, &fixture->peer->endpoint, &error) ||
	       socket_address_parse(ROAMED, &fixture->running->address, &error);
}

static int end(void **state)
{
	struct fixture *fixture = *state;

	subu_state_clear(&fixture->desired);
	subu_state_clear(&fixture->actual);
	free(fixture);
	return 0;
}

static const struct endpoint_listener nobody;

/* Does the peer get the address that it was configured with? */
static bool is_set(struct fixture *fixture, enum endpoint_policy policy)
{
	char text[SOCKET_TEXT_MAX];
	struct error error;

	fixture->peer->address = (union socket_address){};
	assert_int_equal(endpoints_resolve(&fixture->desired, &fixture->actual, NOW, policy,
					   &nobody, &error),
			 0);
	if (fixture->peer->address.any.sa_family == AF_UNSPEC)
		return false;
	assert_string_equal(socket_address_format(&fixture->peer->address, text), CONFIGURED);
	return true;
}

static void test_roaming_is_kept(void **state)
{
	struct fixture *fixture = *state;

	assert_false(is_set(fixture, ENDPOINT_KEEP));
	assert_false(is_set(fixture, ENDPOINT_RENEW));
	assert_true(is_set(fixture, ENDPOINT_SET));
}

/* Renewed, and otherwise left alone: verbs that are about something else ask for no name. */
static void test_stale(void **state)
{
	struct fixture *fixture = *state;

	fixture->running->last_handshake = NOW - ENDPOINT_STALE_SECONDS;
	assert_false(is_set(fixture, ENDPOINT_RENEW));
	fixture->running->last_handshake--;
	assert_true(is_set(fixture, ENDPOINT_RENEW));
	assert_false(is_set(fixture, ENDPOINT_KEEP));
	fixture->link->up = false; /* nobody expects handshakes of it */
	assert_false(is_set(fixture, ENDPOINT_RENEW));
	fixture->link->up = true;
	fixture->running->last_handshake = 0;
	assert_true(is_set(fixture, ENDPOINT_RENEW));
	fixture->link->up = false;
	fixture->running->address = (union socket_address){};
	assert_true(is_set(fixture, ENDPOINT_RENEW));
	assert_false(is_set(fixture, ENDPOINT_KEEP));
}

static void test_new_peers(void **state)
{
	struct fixture *fixture = *state;

	fixture->link->up = false;
	fixture->running->public_key.bytes[0] = 2;
	assert_true(is_set(fixture, ENDPOINT_KEEP));
	fixture->running->public_key.bytes[0] = 1;
	fixture->there->running = false;
	assert_true(is_set(fixture, ENDPOINT_KEEP));
	fixture->there->running = true;
	fixture->link->backend = BACKEND_ENGINE; /* another device will be made */
	assert_true(is_set(fixture, ENDPOINT_KEEP));
	fixture->link->backend = fixture->there->backend;
	fixture->there->tunnel = 4;
	assert_true(is_set(fixture, ENDPOINT_KEEP));
}

static void test_nothing_to_resolve(void **state)
{
	struct fixture *fixture = *state;

	fixture->peer->public_key.bytes[0] = 0;
	assert_false(is_set(fixture, ENDPOINT_SET));
	fixture->peer->public_key.bytes[0] = 1;
	fixture->peer->endpoint = (struct endpoint){};
	assert_false(is_set(fixture, ENDPOINT_SET));
}

static void test_every_peer(void **state)
{
	struct fixture *fixture = *state;
	struct wg_peer *second = wg_device_append_peer(&fixture->link->wg);

	fixture->peer = &fixture->link->wg.peers[0];
	second->public_key.bytes[0] = 2;
	second->endpoint = fixture->peer->endpoint;
	assert_true(is_set(fixture, ENDPOINT_SET));
	assert_true(socket_address_equal(&second->address, &fixture->peer->address));
}

static void tell(void *data, const char *sentence)
{
	strcpy(data, sentence);
}

static void test_unresolved(void **state)
{
	struct fixture *fixture = *state;
	struct wg_peer *second = wg_device_append_peer(&fixture->link->wg);
	char told[sizeof(((struct error *)NULL)->text)];
	const struct endpoint_listener listener = {.unresolved = tell, .data = told};
	struct error error;

	fixture->peer = &fixture->link->wg.peers[0];
	second->public_key.bytes[0] = 2;
	second->endpoint = fixture->peer->endpoint;
	strcpy(fixture->peer->endpoint.host, "no..name");
	assert_true(endpoints_resolve(&fixture->desired, &fixture->actual, NOW, ENDPOINT_SET,
				      &nobody, &error) < 0);
	assert_non_null(strstr(error.text, "WG_3"));
	assert_non_null(strstr(error.text, "no..name"));
	assert_int_equal(endpoints_resolve(&fixture->desired, &fixture->actual, NOW, ENDPOINT_SET,
					   &listener, &error),
			 0);
	assert_non_null(strstr(told, "no..name"));
	assert_int_equal(fixture->peer->address.any.sa_family, AF_UNSPEC);
	assert_int_equal(second->address.any.sa_family, AF_INET);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_roaming_is_kept),    TEST(test_stale),      TEST(test_new_peers),
		TEST(test_nothing_to_resolve), TEST(test_every_peer), TEST(test_unresolved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
