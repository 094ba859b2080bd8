/* model/pool: which address comes next, and which pools are refused. The allocator is compared with
 * a naive one that tries every address of the network in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "model/pool.h"

static struct cidr cidr_of(const char *text)
{
	struct error error;
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr, &error), 0);
	return cidr;
}

static void test_next(void **state)
{
	static const struct {
		const char *pool, *taken, *next; /* NULL: used up */
	} cases[] = {
		{"10.0.0.0/24", "", "10.0.0.2/32"},
		{"10.0.0.0/24", "10.0.0.2", "10.0.0.3/32"},
		{"10.0.0.0/24", "10.0.0.3", "10.0.0.2/32"},
		{"10.0.0.0/24", "10.0.0.4, 10.0.0.2, 10.0.0.3", "10.0.0.5/32"},
		{"10.0.0.0/24", "10.0.0.2/24, 10.0.0.2", "10.0.0.3/32"},
		{"10.0.0.0/24", "10.0.0.0, 10.0.0.1, 10.0.0.255", "10.0.0.2/32"},
		{"10.0.0.0/24", "10.0.1.2, 2001:db8::2", "10.0.0.2/32"},
		{"10.0.0.0/30", "", "10.0.0.2/32"},
		{"10.0.0.0/30", "10.0.0.2", NULL},
		{"10.0.0.0/29", "10.0.0.6,10.0.0.5,10.0.0.4,10.0.0.3", "10.0.0.2/32"},
		{"10.0.0.0/29", "10.0.0.2,10.0.0.6,10.0.0.5,10.0.0.4,10.0.0.3", NULL},
		{"255.255.255.248/29", "255.255.255.250", "255.255.255.251/32"},
		{"0.0.0.0/0", "", "0.0.0.2/32"},
		{"0.0.0.0/0", "255.255.255.254", "0.0.0.2/32"},
		{"2001:db8::/64", "", "2001:db8::2/128"},
		{"2001:db8::/64", "2001:db8::2, 2001:db8::ffff:ffff:ffff:ffff", "2001:db8::3/128"},
		{"2001:db8::/126", "2001:db8::2", "2001:db8::3/128"},
		{"2001:db8::/126", "2001:db8::2, 2001:db8::3", NULL},
		{"fd00::/8", "fd00::2", "fd00::3/128"},
		{"::/0", "", "::2/128"},
		{"::/0", "::2, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::3/128"},
	};
	char text[CIDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(cidr_list_clear) struct cidr_list taken = {};
		struct cidr pool = cidr_of(cases[i].pool), next = {.length = 77};
		struct error error;

		assert_int_equal(cidr_list_parse(cases[i].taken, &taken, &error), 0);
		if (cases[i].next) {
			assert_int_equal(pool_next(&pool, &taken, &next, &error), 0);
			assert_string_equal(cidr_format(&next, text), cases[i].next);
		} else {
			assert_int_equal(pool_next(&pool, &taken, &next, &error), -ENOSPC);
			assert_int_equal(next.length, 77); /* untouched */
			assert_non_null(strstr(error.text, cases[i].pool));
		}
	}
}

static void test_check(void **state)
{
	static const struct {
		const char *pool, *taken, *complaint; /* NULL: none */
	} cases[] = {
		{"10.0.0.0/24", "", NULL},
		{"10.0.0.0/24", "10.0.0.2,10.0.0.254", NULL},
		{"10.0.0.0/30", "10.0.0.2", NULL},
		{"0.0.0.0/0", "10.0.0.2", NULL},
		{"::/0", "2001:db8::2", NULL},
		{"fd00::/8", "", NULL},
		{"2001:db8::/126", "2001:db8::3", NULL},
		{"10.0.0.1/24", "", "10.0.0.0/24"},
		{"10.0.0.1/0", "", "0.0.0.0/0"},
		{"2001:db8::1/64", "", "2001:db8::/64"},
		{"10.0.0.0/31", "", "too small"},
		{"10.0.0.0/32", "", "too small"},
		{"2001:db8::/127", "", "too small"},
		{"2001:db8::/128", "", "too small"},
		{"10.0.0.0/24", "10.0.0.2,10.0.1.2,10.0.2.2", "10.0.1.2"},
		{"10.0.0.0/24", "10.0.0.1", "10.0.0.1,"},
		{"10.0.0.0/24", "10.0.0.255", "10.0.0.255"},
		{"10.0.0.0/24", "2001:db8::2", "2001:db8::2"},
		{"2001:db8::/64", "10.0.0.2", "10.0.0.2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(cidr_list_clear) struct cidr_list taken = {};
		struct cidr pool = cidr_of(cases[i].pool);
		struct error error;

		assert_int_equal(cidr_list_parse(cases[i].taken, &taken, &error), 0);
		if (cases[i].complaint) {
			assert_true(pool_check(&pool, &taken, &error) < 0);
			assert_non_null(strstr(error.text, cases[i].complaint));
		} else {
			assert_int_equal(pool_check(&pool, &taken, &error), 0);
		}
	}
}

/* Tries .2, .3 … as far as the network goes. Only the last byte moves: for /24 and /120 and less.
 */
static bool naive_next(const struct cidr *pool, const struct cidr_list *taken, struct cidr *ret)
{
	unsigned int last = ip_bits(pool->ip.family) / 8 - 1;
	unsigned int size = 1u << (ip_bits(pool->ip.family) - pool->length);
	unsigned int end = pool->ip.family == AF_INET ? size - 1 : size;

	for (unsigned int offset = 2; offset < end; offset++) {
		*ret = *pool;
		ret->ip.bytes[last] = (uint8_t)(pool->ip.bytes[last] + offset);
		ret->length = (uint8_t)ip_bits(pool->ip.family);
		if (!cidr_list_holds(taken, ret))
			return true;
	}
	return false;
}

/* Takes and gives back at random, more often the first, so that the pool runs full. */
static void random_sequence(const struct cidr *pool)
{
	CLEANUP(cidr_list_clear) struct cidr_list taken = {};
	struct cidr next, expected;
	struct error error;

	for (int step = 0; step < 600; step++) {
		if (taken.count && rand() % 5 < 2) {
			taken.count--;
			taken.items[(size_t)rand() % (taken.count + 1)] = taken.items[taken.count];
			continue;
		}
		if (!naive_next(pool, &taken, &expected)) {
			assert_int_equal(pool_next(pool, &taken, &next, &error), -ENOSPC);
			continue;
		}
		assert_int_equal(pool_next(pool, &taken, &next, &error), 0);
		assert_true(cidr_equal(&next, &expected));
		cidr_list_append(&taken, &next);
	}
}

static void test_against_naive(void **state)
{
	static const char *const pools[] = {
		"192.0.2.0/24", "10.1.2.128/25", "10.0.0.240/28",      "10.0.0.8/29",
		"10.0.0.4/30",	"fd00::/120",	 "2001:db8::ff00/122", "2001:db8::4/126",
	};

	(void)state;
	srand(1);
	for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
		struct cidr pool = cidr_of(pools[i]);

		for (int round = 0; round < 20; round++)
			random_sequence(&pool);
	}
}

/* A /16 handed out to its last address: the search may not walk the pool. */
static void test_large(void **state)
{
	CLEANUP(cidr_list_clear) struct cidr_list taken = {};
	struct cidr pool = cidr_of("10.7.0.0/16"), next;
	clock_t start = clock();
	struct error error;

	(void)state;
	for (unsigned int offset = 65534; offset >= 2; offset--) {
		next = pool;
		next.ip.bytes[2] = (uint8_t)(offset >> 8);
		next.ip.bytes[3] = (uint8_t)offset;
		next.length = 32;
		cidr_list_append(&taken, &next);
	}
	assert_int_equal(pool_check(&pool, &taken, &error), 0);
	assert_int_equal(pool_next(&pool, &taken, &next, &error), -ENOSPC);
	assert_non_null(strstr(error.text, "65533"));
	taken.count--; /* gives 10.7.0.2 back */
	assert_int_equal(pool_next(&pool, &taken, &next, &error), 0);
	assert_int_equal(next.ip.bytes[3], 2);
	assert_true(clock() - start < CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_against_naive),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
