/* run/folder_choice: where a user's own files are, with facts made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/folder_choice.h"

struct choice_case {
	struct folder_facts facts;
	const char *path;
};

static void test_config(void **state)
{
	static const struct choice_case cases[] = {
		{{.config_home = "/c", .home = "/h", .account_home = "/a"}, "/c/subu"},
		{{.home = "/h", .account_home = "/a"}, "/h/.config/subu"},
		{{.account_home = "/a"}, "/a/.config/subu"},
		/* Paths that are not absolute are as good as none. */
		{{.config_home = "c", .home = "/h"}, "/h/.config/subu"},
		{{.config_home = "", .home = "/h"}, "/h/.config/subu"},
		{{.config_home = "./c", .home = "h", .account_home = "/a"}, "/a/.config/subu"},
		{{.home = "", .account_home = "/a"}, "/a/.config/subu"},
		/* Root's is where everybody's is. */
		{{.uid = 0, .home = "/root"}, "/root/.config/subu"},
	};
	char path[PATH_MAX];
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(folder_choose_config(&cases[i].facts, path, &error), 0);
		assert_string_equal(path, cases[i].path);
	}
}

static void test_no_config(void **state)
{
	const struct folder_facts facts = {.uid = 1234, .config_home = "c", .home = ""};
	char path[PATH_MAX] = "untouched";
	struct error error;

	(void)state;
	assert_int_equal(folder_choose_config(&facts, path, &error), -ENXIO);
	assert_non_null(strstr(error.text, "user id 1234 has no account"));
	assert_string_equal(path, "untouched");
}

static void test_runtime(void **state)
{
	static const struct choice_case cases[] = {
		{{.uid = 0, .runtime = "/r", .run_user = true}, "/run/subu/tunnels"},
		{{.uid = 1000, .runtime = "/r", .run_user = true}, "/r/subu"},
		{{.uid = 1000, .run_user = true}, "/run/user/1000/subu"},
		{{.uid = 1000, .runtime = "r", .run_user = true}, "/run/user/1000/subu"},
		{{.uid = 1000, .runtime = ""}, "/tmp/subu-1000"},
		{{.uid = 4294967294}, "/tmp/subu-4294967294"},
	};
	char path[PATH_MAX];
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(folder_choose_runtime(&cases[i].facts, path, &error), 0);
		assert_string_equal(path, cases[i].path);
	}
}

/* The longest that fits, and one more. */
static void test_long(void **state)
{
	char folder[PATH_MAX + 1], path[PATH_MAX];
	const struct folder_facts facts = {.uid = 1000, .config_home = folder, .runtime = folder};
	size_t most = PATH_MAX - 1 - strlen("/subu");
	struct error error;

	(void)state;
	memset(folder, '/', sizeof(folder));
	folder[most] = '\0';
	assert_int_equal(folder_choose_config(&facts, path, &error), 0);
	assert_int_equal(strlen(path), PATH_MAX - 1);
	folder[most] = '/';
	folder[most + 1] = '\0';
	assert_int_equal(folder_choose_config(&facts, path, &error), -ENAMETOOLONG);
	assert_int_equal(folder_choose_runtime(&facts, path, &error), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_no_config),
		cmocka_unit_test(test_runtime),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
