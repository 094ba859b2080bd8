/* reconcile/wgdiff: thousands of random pairs of what is desired of a device and what it has. The
 * change, applied to a naive device, gives what is desired; it says nothing of what stays, and
 * after it there is nothing to change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/memory.h"
#include "random_state.h"
#include "reconcile/wgdiff.h"
#include "wg_model.h"

#define PAIRS 20000

struct pair {
	struct wg_device desired, actual;
	struct wg_change change;
	bool changes;
};

static void pair_begin(struct pair *pair, uint32_t seed)
{
	struct random random = {seed};

	random_desired_device(&random, &pair->desired);
	random_running_device(&random, &pair->actual);
	pair->changes = wgdiff(&pair->desired, &pair->actual, &pair->change);
}

static void pair_end(struct pair *pair)
{
	wg_device_clear(&pair->desired);
	wg_device_clear(&pair->actual);
	wg_change_clear(&pair->change);
}

static void test_reaches(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < PAIRS; seed++) {
		CLEANUP(pair_end) struct pair pair;
		struct wg_change rest;

		pair_begin(&pair, seed);
		assert_int_equal(pair.changes, !wg_model_reached(&pair.desired, &pair.actual));
		wg_model_apply(&pair.actual, &pair.change);
		if (!wg_model_reached(&pair.desired, &pair.actual))
			fail_msg("seed %u", seed);
		assert_false(wgdiff(&pair.desired, &pair.actual, &rest));
		wg_change_clear(&rest);
	}
}

/* What is said of a peer is news. */
static void check_news(const struct pair *pair, const struct wg_peer_change *said)
{
	const struct wg_peer *wanted = wg_device_find_peer(&pair->desired, &said->public_key);
	const struct wg_peer *was = wg_device_find_peer(&pair->actual, &said->public_key);
	const struct wg_peer nothing = {};

	assert_false(key_is_zero(&said->public_key));
	assert_int_equal(said->remove, !wanted);
	assert_false(said->remove && !was);
	if (said->remove)
		return;
	assert_true(!was || said->set_preshared_key || said->set_address || said->set_keepalive ||
		    said->replace_allowed_ips);
	was = was ? was : &nothing;
	if (said->set_preshared_key)
		assert_false(key_equal(&said->preshared_key, &was->preshared_key));
	if (said->set_address)
		assert_false(socket_address_equal(&said->address, &was->address));
	if (said->set_keepalive)
		assert_int_not_equal(said->keepalive, was->keepalive);
	if (said->replace_allowed_ips)
		assert_false(cidr_list_equal(&said->allowed_ips, &was->allowed_ips));
	else
		assert_int_equal(said->allowed_ips.count, 0);
}

static void test_says_only_news(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < PAIRS; seed++) {
		CLEANUP(pair_end) struct pair pair;
		const struct wg_change *change = &pair.change;

		pair_begin(&pair, seed);
		assert_false(change->replace_peers);
		if (change->set_private_key)
			assert_false(key_equal(&change->private_key, &pair.actual.private_key));
		if (change->set_listen_port)
			assert_int_not_equal(change->listen_port, pair.actual.listen_port);
		if (change->set_fwmark)
			assert_int_not_equal(change->fwmark, pair.actual.fwmark);
		for (size_t i = 0; i < change->peer_count; i++)
			check_news(&pair, &change->peers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reaches),
		cmocka_unit_test(test_says_only_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
