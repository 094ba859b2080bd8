/* enter/account: the rule by which a command gets its user, with facts made up; and whether there is
 * an account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "enter/account.h"

#define OWN ACCOUNT_GID_OWN

static void test_rule(void **state)
{
	static const struct {
		struct account_facts facts;
		struct account_choice choice;
	} cases[] = {
		/* What is wanted comes first, even for root by sudo. */
		{{.wanted = "alice"}, {"alice", 0, OWN}},
		{{.wanted = "alice", .sudo_uid = "1000", .sudo_gid = "1000"}, {"alice", 0, OWN}},
		{{.wanted = "alice", .sudo_uid = "rubbish"}, {"alice", 0, OWN}},
		/* Then who called sudo. */
		{{.sudo_uid = "1000", .sudo_gid = "100"}, {NULL, 1000, 100}},
		{{.sudo_uid = "1000"}, {NULL, 1000, OWN}},
		{{.sudo_uid = "0", .sudo_gid = "0"}, {NULL, 0, 0}},
		{{.sudo_uid = "4294967294"}, {NULL, 4294967294, OWN}},
		/* Then the caller; a caller who is not root cannot say that it was sudo. */
		{{.sudo_gid = "100"}, {NULL, 0, OWN}},
		{{.real_uid = 0}, {NULL, 0, OWN}},
		{{.real_uid = 1000, .effective_uid = 1000, .sudo_uid = "0", .sudo_gid = "0"},
		 {NULL, 1000, OWN}},
	};
	struct account_choice choice;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(account_choose(&cases[i].facts, &choice, &error), 0);
		assert_ptr_equal(choice.name, cases[i].choice.name);
		assert_int_equal(choice.gid, cases[i].choice.gid);
		if (!choice.name)
			assert_int_equal(choice.uid, cases[i].choice.uid);
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct account_facts facts;
		int code;
	} cases[] = {
		{{.sudo_uid = ""}, -EINVAL},
		{{.sudo_uid = "root"}, -EINVAL},
		{{.sudo_uid = "-1"}, -EINVAL},
		{{.sudo_uid = "+1"}, -EINVAL},
		{{.sudo_uid = " 1"}, -EINVAL},
		{{.sudo_uid = "1000 "}, -EINVAL},
		{{.sudo_uid = "0x10"}, -EINVAL},
		{{.sudo_uid = "4294967295"}, -EINVAL}, /* "no id" to setresuid() */
		{{.sudo_uid = "4294967296"}, -EINVAL}, /* would be root in 32 bits */
		{{.sudo_uid = "99999999999999999999999"}, -EINVAL},
		{{.sudo_uid = "1000", .sudo_gid = ""}, -EINVAL},
		{{.sudo_uid = "1000", .sudo_gid = "4294967295"}, -EINVAL},
		{{.real_uid = 1000, .effective_uid = 0}, -EPERM},
		{{.real_uid = 1000, .effective_uid = 0, .wanted = "root"}, -EPERM},
		{{.real_uid = 0, .effective_uid = 1000}, -EPERM},
		{{.real_gid = 1000, .effective_gid = 0}, -EPERM},
	};
	struct account_choice choice = {.uid = 77};
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(account_choose(&cases[i].facts, &choice, &error), cases[i].code);
		assert_int_equal(choice.uid, 77); /* untouched */
		assert_string_not_equal(error.text, "");
	}
}

static void test_no_such_account(void **state)
{
	struct account account = {.uid = 77};
	struct error error;

	(void)state;
	assert_int_equal(account_find("no-such-user", &account, &error), -ENOENT);
	assert_non_null(strstr(error.text, "'no-such-user'"));
	assert_int_equal(account_find("", &account, &error), -ENOENT);
	assert_int_equal(account.uid, 77);
}

static void test_exists(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(account_exists("root", &error), 0);
	assert_int_equal(account_exists("no-such-account", &error), -ENOENT);
	assert_string_equal(error.text, "there is no account 'no-such-account' on this machine");
	assert_int_equal(account_exists("", &error), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_such_account),
		cmocka_unit_test(test_exists),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
