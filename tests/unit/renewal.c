/* run/renewal: which server is looked for elsewhere, and when. */
#include "run/renewal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

#define START 1000000 /* seconds */

/* A tunnel with a peer for each endpoint, whose keys are their places. */
static void make_tunnel(struct tunnel *tunnel, const char *const *endpoints, size_t count)
{
	*tunnel = (struct tunnel){};
	for (size_t i = 0; i < count; i++) {
		struct wg_peer *peer = wg_device_append_peer(&tunnel->device);
		struct error error;

		memset(&peer->public_key, (int)i + 1, sizeof(peer->public_key));
		if (*endpoints[i])
			assert_int_equal(endpoint_parse(endpoints[i], &peer->endpoint, &error), 0);
	}
}

/* One look, at a device that has sent more since the last. */
static const struct renewal *look(struct renewals *renewals, struct tunnel *tunnel, int64_t now)
{
	const struct wg_peer *peer;

	for (size_t i = 0; i < tunnel->device.peer_count; i++)
		tunnel->device.peers[i].sent_bytes += 148;
	return renewals_next(renewals, &tunnel->device, now, &peer);
}

static void test_only_names(void **state)
{
	static const char *const endpoints[] = {"192.0.2.1:1", "[2001:db8::1]:1", "",
						"vpn.example:51820"};
	CLEANUP(renewals_clear) struct renewals renewals = {};
	CLEANUP(tunnel_clear) struct tunnel tunnel;

	make_tunnel(&tunnel, endpoints, 4);
	renewals_init(&renewals, &tunnel, START);
	assert_int_equal(renewals.count, 1);
	assert_string_equal(renewals.items[0].endpoint.host, "vpn.example");
	assert_memory_equal(&renewals.items[0].public_key, &tunnel.device.peers[3].public_key,
			    sizeof(struct key));
}

static void test_no_peers(void **state)
{
	CLEANUP(renewals_clear) struct renewals renewals = {};
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};

	renewals_init(&renewals, &tunnel, START);
	assert_null(look(&renewals, &tunnel, START + 1000));
}

static void test_never_answered(void **state)
{
	static const char *const endpoints[] = {"vpn.example:51820"};
	CLEANUP(renewals_clear) struct renewals renewals = {};
	CLEANUP(tunnel_clear) struct tunnel tunnel;

	make_tunnel(&tunnel, endpoints, 1);
	renewals_init(&renewals, &tunnel, START);
	assert_null(look(&renewals, &tunnel, START + 5));
	assert_null(look(&renewals, &tunnel, START + RENEWAL_FIRST_SECONDS));
	assert_non_null(look(&renewals, &tunnel, START + RENEWAL_FIRST_SECONDS + 1));
	/* The next address gets as long. */
	assert_null(look(&renewals, &tunnel, START + RENEWAL_FIRST_SECONDS + 6));
	assert_non_null(look(&renewals, &tunnel, START + 2 * RENEWAL_FIRST_SECONDS + 2));
}

static void test_went_silent(void **state)
{
	static const char *const endpoints[] = {"vpn.example:51820"};
	CLEANUP(renewals_clear) struct renewals renewals = {};
	CLEANUP(tunnel_clear) struct tunnel tunnel;
	const int64_t handshake = START + 5000;

	make_tunnel(&tunnel, endpoints, 1);
	renewals_init(&renewals, &tunnel, START);
	tunnel.device.peers[0].last_handshake = handshake;
	assert_null(look(&renewals, &tunnel, handshake + RENEWAL_STALE_SECONDS));
	assert_non_null(look(&renewals, &tunnel, handshake + RENEWAL_STALE_SECONDS + 1));
	assert_null(look(&renewals, &tunnel, handshake + RENEWAL_STALE_SECONDS + 6));
	assert_non_null(look(&renewals, &tunnel,
			     handshake + RENEWAL_STALE_SECONDS + RENEWAL_FIRST_SECONDS + 2));
}

/* Nothing is sent, so nothing is missing. */
static void test_idle(void **state)
{
	static const char *const endpoints[] = {"vpn.example:51820"};
	CLEANUP(renewals_clear) struct renewals renewals = {};
	CLEANUP(tunnel_clear) struct tunnel tunnel;
	const struct wg_peer *peer;

	make_tunnel(&tunnel, endpoints, 1);
	renewals_init(&renewals, &tunnel, START);
	tunnel.device.peers[0].last_handshake = START;
	for (int64_t now = START; now < START + 10000; now += RENEWAL_INTERVAL)
		assert_null(renewals_next(&renewals, &tunnel.device, now, &peer));
	assert_non_null(look(&renewals, &tunnel, START + 10000));
}

/* Two are stale: each gets its turn, one a look, and one that is gone from the device none. */
static void test_several(void **state)
{
	static const char *const endpoints[] = {"a.example:1", "b.example:1"};
	CLEANUP(renewals_clear) struct renewals renewals = {};
	CLEANUP(tunnel_clear) struct tunnel tunnel;
	const int64_t now = START + 100;

	make_tunnel(&tunnel, endpoints, 2);
	renewals_init(&renewals, &tunnel, START);
	assert_ptr_equal(look(&renewals, &tunnel, now), &renewals.items[0]);
	assert_ptr_equal(look(&renewals, &tunnel, now), &renewals.items[1]);
	assert_null(look(&renewals, &tunnel, now));
	memset(&tunnel.device.peers[0].public_key, 9, sizeof(struct key));
	assert_ptr_equal(look(&renewals, &tunnel, now + 100), &renewals.items[1]);
	assert_null(look(&renewals, &tunnel, now + 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_names),     cmocka_unit_test(test_no_peers),
		cmocka_unit_test(test_never_answered), cmocka_unit_test(test_went_silent),
		cmocka_unit_test(test_idle),	       cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
