/* wireguard/replay against a set that forgets nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "wireguard/replay.h"

#define COUNTERS (1 << 23)

static void test_against_naive(void **state)
{
	static bool seen[COUNTERS];
	struct replay replay = {};
	uint64_t greatest = 0, counter, spread;
	bool any = false, expected;

	(void)state;
	srand(1);
	for (int i = 0; i < 1000000; i++) {
		spread = rand() % 50 ? 200 : 2 * REPLAY_BITS;
		counter = greatest + (uint64_t)rand() % spread;
		counter = counter < spread * 9 / 10 ? counter % spread : counter - spread * 9 / 10;
		if (counter >= COUNTERS)
			break;
		expected = !seen[counter] && (!any || counter + REPLAY_WINDOW >= greatest);
		assert_int_equal(replay_accept(&replay, counter), expected);
		if (expected) {
			seen[counter] = any = true;
			if (counter > greatest)
				greatest = counter;
		}
	}
	assert_true(greatest > 100 * REPLAY_BITS);
}

static void test_edges(void **state)
{
	static struct replay replay;
	const uint64_t far = UINT64_MAX - 1;

	(void)state;
	assert_true(replay_accept(&replay, 0));
	assert_false(replay_accept(&replay, 0));
	assert_true(replay_accept(&replay, REPLAY_WINDOW));
	assert_false(replay_accept(&replay, 0));
	assert_true(replay_accept(&replay, 1));
	assert_true(replay_accept(&replay, REPLAY_WINDOW + 2));
	assert_false(replay_accept(&replay, 1));
	assert_true(replay_accept(&replay, 2));
	assert_false(replay_accept(&replay, 2));

	assert_true(replay_accept(&replay, far));
	assert_false(replay_accept(&replay, far));
	assert_false(replay_accept(&replay, REPLAY_WINDOW + 2));
	assert_true(replay_accept(&replay, far - REPLAY_WINDOW));
	assert_false(replay_accept(&replay, far - REPLAY_WINDOW - 1));

	/* All that the window holds, from the end: each once. */
	memset(&replay, 0, sizeof(replay));
	for (uint64_t counter = REPLAY_WINDOW + 1; counter-- > 0;)
		assert_true(replay_accept(&replay, counter));
	for (uint64_t counter = REPLAY_WINDOW + 1; counter-- > 0;)
		assert_false(replay_accept(&replay, counter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_naive),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
