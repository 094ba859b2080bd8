/* model/name: what may be a name, and the references that a user types; model/subu: the names of
 * devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "model/name.h"
#include "model/subu.h"

#define LONGEST "abcdefghijklmnopqrstuvwxyz012345"

static void test_names(void **state)
{
	static const char *const good[] = {
		"a", "alice", "work-2", "A.b_C", "_x", "0", "subu_0", "a.b.c", LONGEST, "a-",
	};
	static const char *const bad[] = {
		"",
		".",
		"..",
		".a",
		"-a",
		"a..b",
		"a/b",
		"a:b",
		"a b",
		"a\n",
		"a\x1b[m",
		"a\x7f",
		"\xc3\xa9t\xc3\xa9",
		"a\xff",
		"a*",
		"a$b",
		"a'b",
		"a\\b",
		LONGEST "6",
		"a%n",
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(name_check("owner", good[i], &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(name_check("sub-user", bad[i], &error) < 0);
		assert_non_null(strstr(error.text, "sub-user"));
		assert_true(error.usage);
	}
}

static void test_sub_user(void **state)
{
	struct name_reference reference;
	struct error error;

	(void)state;
	assert_int_equal(name_parse_subu("subu_0", &reference, &error), 0);
	assert_true(reference.by_id);
	assert_int_equal(reference.id, 0);
	assert_int_equal(name_parse_subu("subu_4294967295", &reference, &error), 0);
	assert_int_equal(reference.id, UINT32_MAX);
	assert_int_equal(name_parse_subu("alice:work", &reference, &error), 0);
	assert_false(reference.by_id);
	assert_string_equal(reference.owner, "alice");
	assert_string_equal(reference.name, "work");
	assert_int_equal(name_parse_subu("subu_1:subu_2", &reference, &error), 0);
	assert_string_equal(reference.owner, "subu_1");
	assert_int_equal(name_parse_subu(LONGEST ":" LONGEST, &reference, &error), 0);
	assert_string_equal(reference.name, LONGEST);
}

static void test_sub_user_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"subu_",
		"subu_01",
		"subu_00",
		"subu_-1",
		"subu_+1",
		"subu_ 1",
		"subu_1 ",
		"subu_1x",
		"subu_0x1",
		"SUBU_1",
		"subu_4294967296",
		"alice",
		"1",
		":",
		"alice:",
		":work",
		"alice:work:more",
		"../x:y",
		"a:../x",
		"a:b/c",
		"a\n:b",
		"a:b\n",
		"subu_18446744073709551616",
		LONGEST "6:work",
		"alice:" LONGEST "6",
		"WG_1",
	};
	struct name_reference reference = {.id = 77};
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(name_parse_subu(bad[i], &reference, &error) < 0);
		assert_true(error.usage);
		assert_int_equal(reference.id, 77); /* untouched */
	}
}

static void test_tunnel(void **state)
{
	static const char *const bad[] = {
		"", "WG_", "WG_01", "WG_-1", "WG_1 ", "WG1", "wg_1", "WG_4294967296", "subu_1", "1",
	};
	struct error error;
	uint32_t id = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(name_parse_tunnel(bad[i], &id, &error) < 0);
		assert_int_equal(id, 77);
	}
	assert_int_equal(name_parse_tunnel("WG_0", &id, &error), 0);
	assert_int_equal(id, 0);
	assert_int_equal(name_parse_tunnel("WG_4294967295", &id, &error), 0);
	assert_int_equal(id, UINT32_MAX);
}

static void test_device(void **state)
{
	static const char *const bad[] = {
		"",	   "subu_",   "subu_00",   "subu_01",	 "subu_-1",	    "subu_+1",
		"subu_1 ", " subu_1", "subu_1a",   "Subu_1",	 "subu_4294967295", "lo",
		"WG_1",	   "subu",    "ns-subu_1", "subu_0.100",
	};
	static const uint32_t ids[] = {0, 1, 10, 4294967294};
	char name[IFNAMSIZ];
	uint32_t id = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(tunnel_of_device(bad[i], &id));
		assert_int_equal(id, 77);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_true(tunnel_of_device(tunnel_device(ids[i], name), &id));
		assert_int_equal(id, ids[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_sub_user),
		cmocka_unit_test(test_sub_user_refused),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
