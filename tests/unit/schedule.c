/* wireguard/schedule and wireguard/table against an array that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>

#include "wireguard/schedule.h"
#include "wireguard/table.h"

#define ITEMS	   200
#define OPERATIONS 50000

static void test_schedule(void **state)
{
	static struct schedule_item items[ITEMS];
	static bool present[ITEMS];
	struct schedule schedule = {};
	uint64_t least;
	bool any;
	int i;

	(void)state;
	srand(1);
	assert_null(schedule_first(&schedule));
	for (int operation = 0; operation < OPERATIONS; operation++) {
		i = rand() % ITEMS;
		if (!present[i]) {
			schedule_add(&schedule, &items[i]);
			present[i] = true;
		} else if (rand() % 4 == 0) {
			schedule_remove(&schedule, &items[i]);
			present[i] = false;
		} else {
			schedule_set(&schedule, &items[i],
				     rand() % 8 ? (uint64_t)rand() % 1000 : MOMENT_NEVER);
		}
		least = MOMENT_NEVER;
		any = false;
		for (i = 0; i < ITEMS; i++) {
			if (!present[i])
				continue;
			any = true;
			if (items[i].at < least)
				least = items[i].at;
		}
		if (any)
			assert_int_equal(schedule_first(&schedule)->at, least);
		else
			assert_null(schedule_first(&schedule));
	}
	schedule_clear(&schedule);
}

static void test_table(void **state)
{
	static struct table_node nodes[ITEMS];
	static bool present[ITEMS];
	struct table table = {};
	struct table_node *node;
	uint64_t hash;
	size_t found, expected;

	(void)state;
	srand(1);
	assert_null(table_find(&table, 0));
	for (int operation = 0; operation < OPERATIONS; operation++) {
		size_t i = (size_t)rand() % ITEMS;

		if (present[i])
			table_remove(&table, &nodes[i]);
		else
			table_insert(&table, &nodes[i], (uint64_t)rand() % 50);
		present[i] = !present[i];
		hash = (uint64_t)rand() % 50;
		found = expected = 0;
		for (i = 0; i < ITEMS; i++)
			expected += present[i] && nodes[i].hash == hash;
		for (node = table_find(&table, hash); node; node = table_find_next(node)) {
			assert_int_equal(node->hash, hash);
			found++;
		}
		assert_int_equal(found, expected);
	}
	table_clear(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
