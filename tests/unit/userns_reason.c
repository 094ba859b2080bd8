/* kernel/userns_reason: each case in which there can be no user namespace has a sentence that names
 * the thing, the reason and the remedy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/userns_reason.h"

/* A failure and its sentence. Without a kind it is the user namespace. */
struct refusal {
	struct userns_facts facts;
	const char *text;	 /* how the sentence begins */
	const char *remedies[3]; /* what else is in it */
};

static void check(const struct refusal *cases, size_t count)
{
	struct error error;

	for (size_t i = 0; i < count; i++) {
		const struct refusal *refusal = &cases[i];
		struct userns_facts facts = refusal->facts;

		if (!facts.kind)
			facts.kind = CLONE_NEWUSER;
		memset(&error, 0, sizeof(error));
		assert_int_equal(userns_refuse(&facts, &error), -facts.code);
		assert_int_equal(error.code, facts.code);
		assert_false(error.usage);
		if (strncmp(error.text, refusal->text, strlen(refusal->text)) != 0)
			fail_msg("case %zu: %s", i, error.text);
		for (size_t j = 0; j < ARRAY_SIZE(refusal->remedies); j++)
			if (refusal->remedies[j] && !strstr(error.text, refusal->remedies[j]))
				fail_msg("case %zu has no '%s': %s", i, refusal->remedies[j],
					 error.text);
		assert_true(strlen(error.text) < sizeof(error.text) - 1);
		assert_int_not_equal(error.text[strlen(error.text) - 1], '.');
	}
}

static void test_setting_of_debian(void **state)
{
	static const char text[] =
		"cannot make a user namespace: user namespaces are forbidden to ordinary users "
		"here (kernel.unprivileged_userns_clone is 0)";
	const struct refusal cases[] = {
		{.facts = {.code = EPERM, .clone_forbidden = true},
		 .text = text,
		 .remedies = {"as root, `sysctl kernel.unprivileged_userns_clone=1`",
			      "run subu as root"}},
		/* It comes before what the kernel asks later. */
		{.facts = {.code = EPERM,
			   .clone_forbidden = true,
			   .restricted = true,
			   .chrooted = true},
		 .text = text},
		{.facts = {.code = EPERM, .clone_forbidden = true, .filtered = true}, .text = text},
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

static void test_apparmor(void **state)
{
	static const char reason[] =
		"cannot make a user namespace: AppArmor gives no rights in user namespaces to "
		"programs that have no profile (kernel.apparmor_restrict_unprivileged_userns)";
	static const char maps[] =
		"cannot write /proc/self/uid_map of the new user namespace: AppArmor gives no rights";
	static const char held[] =
		"cannot make a user namespace: AppArmor holds this process to the profile "
		"'docker-default (enforce)'";
	const struct refusal cases[] = {
		{.facts = {.code = EACCES, .restricted = true, .label = "unconfined"},
		 .text = reason,
		 .remedies = {"`apparmor_parser -r /etc/apparmor.d/subu`",
			      "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
			      "run subu as root"}},
		{.facts = {.code = EPERM, .restricted = true}, .text = reason},
		{.facts = {.code = EPERM, .restricted = true, .selinux = true}, .text = reason},
		{.facts = {.code = EPERM,
			   .step = USERNS_UID_MAP,
			   .restricted = true,
			   .label = "unprivileged_userns (enforce)"},
		 .text = maps,
		 .remedies = {"`apparmor_parser -r /etc/apparmor.d/subu`"}},
		{.facts = {.code = EACCES,
			   .step = USERNS_UID_MAP,
			   .restricted = true,
			   .label = "crun//&unprivileged_userns (mixed)"},
		 .text = maps},
		/* A setting that is off again does not free who is in the profile already. */
		{.facts = {.code = EPERM,
			   .step = USERNS_UID_MAP,
			   .label = "unprivileged_userns (enforce)"},
		 .text = maps},
		{.facts = {.code = EACCES, .step = USERNS_SETGROUPS, .restricted = true},
		 .text = "cannot write /proc/self/setgroups of the new user namespace: AppArmor"},
		{.facts = {.code = EPERM, .step = USERNS_GID_MAP, .restricted = true},
		 .text = "cannot write /proc/self/gid_map of the new user namespace: AppArmor"},
		{.facts = {.code = EACCES, .label = "docker-default (enforce)"},
		 .text = held,
		 .remedies = {"`docker run --security-opt apparmor=unconfined`",
			      "run subu outside of the container"}},
		{.facts = {.code = EACCES, .restricted = true, .label = "docker-default (enforce)"},
		 .text = held},
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

/* Where AppArmor lets the program have its user namespaces, it is not to blame. */
static void test_apparmor_is_not_to_blame(void **state)
{
	static const struct userns_facts innocent[] = {
		{.code = EPERM, .label = "unconfined"},
		{.code = EPERM, .restricted = true, .label = "subu (unconfined)"},
		{.code = EPERM},
	};
	char text[USERNS_REASON_MAX] = "same";
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(innocent); i++) {
		assert_false(userns_lost_rights(&innocent[i], text));
		assert_string_equal(text, "same");
		assert_int_equal(userns_refuse(&innocent[i], &error), -EPERM);
		assert_null(strstr(error.text, "AppArmor"));
	}
}

static void test_seccomp(void **state)
{
	static const char text[] =
		"cannot make a user namespace: a seccomp filter on this process forbids unshare(2)";
	const struct refusal cases[] = {
		{.facts = {.code = EPERM, .filtered = true, .unshare_filtered = true},
		 .text = text,
		 .remedies = {"`docker run --security-opt seccomp=unconfined`",
			      "run subu outside of the container"}},
		{.facts = {.code = ENOSYS, .filtered = true, .unshare_filtered = true},
		 .text = text},
		/* Before all else, for the kernel never came to that. */
		{.facts = {.code = EPERM,
			   .filtered = true,
			   .unshare_filtered = true,
			   .clone_forbidden = true,
			   .restricted = true,
			   .chrooted = true,
			   .unmapped = true},
		 .text = text},
		{.facts = {.code = EPERM, .filtered = true},
		 .text = "cannot make a user namespace: a seccomp filter is on this process and may forbid",
		 .remedies = {"`docker run --security-opt seccomp=unconfined`"}},
		{.facts = {.code = EPERM, .filtered = true, .chrooted = true},
		 .text = "cannot make a user namespace: the kernel makes none in a chroot"},
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

static void test_place_and_modules(void **state)
{
	const struct refusal cases[] = {
		{.facts = {.code = EPERM, .chrooted = true},
		 .text = "cannot make a user namespace: the kernel makes none in a chroot",
		 .remedies = {"run subu outside of it"}},
		{.facts = {.code = EPERM, .unmapped = true, .inside = true},
		 .text = "cannot make a user namespace: the user or group of this process has no number",
		 .remedies = {"uid_map", "run subu outside of the container"}},
		{.facts = {.code = EACCES, .selinux = true},
		 .text = "cannot make a user namespace: SELinux forbids it",
		 .remedies = {"user_namespace { create }", "`ausearch -m avc`",
			      "run subu as root"}},
		{.facts = {.code = EPERM, .selinux = true},
		 .text = "cannot make a user namespace: Operation not permitted; it may be a chroot, or a "
			 "security module",
		 .remedies = {"run subu outside of them, or as root"}},
		{.facts = {.code = EACCES},
		 .text = "cannot make a user namespace: Permission denied; it may be"},
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

static void test_kernel_without(void **state)
{
	const struct refusal cases[] = {
		{.facts = {.code = EINVAL, .kind_missing = true},
		 .text = "cannot make a user namespace: this kernel is built without them (CONFIG_USER_NS)",
		 .remedies = {"boot one that has them"}},
		{.facts = {.code = EINVAL, .kind = CLONE_NEWNET, .kind_missing = true},
		 .text = "cannot make a network namespace: this kernel is built without them (CONFIG_NET_NS)"},
		{.facts = {.code = EINVAL, .kind = CLONE_NEWPID, .kind_missing = true},
		 .text = "cannot make a PID namespace: this kernel is built without them (CONFIG_PID_NS)"},
		{.facts = {.code = EINVAL},
		 .text = "cannot make a user namespace: Invalid argument"},
		{.facts = {.code = ENOMEM, .kind = CLONE_NEWNET},
		 .text = "cannot make a network namespace: Cannot allocate memory"},
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

static void test_limit_of_each_kind(void **state)
{
	static const struct {
		int flag;
		const char *text, *remedy;
	} kinds[] = {
		{CLONE_NEWUSER,
		 "cannot make a user namespace: the limit user.max_user_namespaces is 0",
		 "as root, `sysctl user.max_user_namespaces=1024`"},
		{CLONE_NEWNET,
		 "cannot make a network namespace: the limit user.max_net_namespaces is 0",
		 "as root, `sysctl user.max_net_namespaces=1024`"},
		{CLONE_NEWNS,
		 "cannot make a mount namespace: the limit user.max_mnt_namespaces is 0",
		 "as root, `sysctl user.max_mnt_namespaces=1024`"},
		{CLONE_NEWPID,
		 "cannot make a PID namespace: the limit user.max_pid_namespaces is 0",
		 "as root, `sysctl user.max_pid_namespaces=1024`"},
		{CLONE_NEWUTS,
		 "cannot make a UTS namespace: the limit user.max_uts_namespaces is 0",
		 "as root, `sysctl user.max_uts_namespaces=1024`"},
		{CLONE_NEWIPC,
		 "cannot make an IPC namespace: the limit user.max_ipc_namespaces is 0",
		 "as root, `sysctl user.max_ipc_namespaces=1024`"},
		{CLONE_NEWCGROUP,
		 "cannot make a cgroup namespace: the limit user.max_cgroup_namespaces is 0",
		 "as root, `sysctl user.max_cgroup_namespaces=1024`"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct refusal outside = {.facts = {.kind = kinds[i].flag, .code = ENOSPC},
						.text = kinds[i].text,
						.remedies = {kinds[i].remedy}};
		struct refusal inside = outside;

		inside.facts.inside = true;
		check(&outside, 1);
		check(&inside, 1);
	}
}

static void test_limit_reached(void **state)
{
	const struct refusal cases[] = {
		{.facts = {.code = ENOSPC, .limit = 96551},
		 .text = "cannot make a user namespace: this user has as many as the limit "
			 "user.max_user_namespaces allows, 96551",
		 .remedies = {"end programs", "as root, `sysctl user.max_user_namespaces=193102`"}},
		{.facts = {.code = ENOSPC, .kind = CLONE_NEWNET, .limit = 8},
		 .text = "cannot make a network namespace: this user has as many as the limit "
			 "user.max_net_namespaces allows, 8",
		 .remedies = {"as root, `sysctl user.max_net_namespaces=16`"}},
		/* Not EPERM: what forbids user namespaces is not what is exhausted. */
		{.facts = {.code = ENOSPC,
			   .limit = 96551,
			   .clone_forbidden = true,
			   .restricted = true,
			   .filtered = true,
			   .chrooted = true},
		 .text = "cannot make a user namespace: this user has as many as"},
		{.facts = {.code = ENOSPC, .inside = true, .limit = 2147483647},
		 .text = "cannot make a user namespace: they are nested more than 32 deep, or a limit "
			 "user.max_user_namespaces is reached",
		 .remedies = {"a user namespace around this one",
			      "run subu outside of the container"}},
		{.facts = {.code = EUSERS, .inside = true, .limit = 2147483647},
		 .text = "cannot make a user namespace: they are nested more than 32 deep"},
		{.facts = {.code = ENOSPC, .kind = CLONE_NEWPID, .limit = 9, .inside = true},
		 .text = "cannot make a PID namespace: they are nested more than 32 deep, or a limit"},
		{.facts = {.code = ENOSPC, .kind = CLONE_NEWNET, .inside = true, .limit = 7},
		 .text = "cannot make a network namespace: a limit user.max_net_namespaces is reached, "
			 "here (7) or in a user namespace around this one",
		 .remedies = {"raise it there"}},
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

static void test_maps(void **state)
{
	const struct refusal cases[] = {
		{.facts = {.code = EACCES, .step = USERNS_SETGROUPS, .undumpable = true},
		 .text = "cannot write /proc/self/setgroups of the new user namespace: the files of this "
			 "process in /proc are root's",
		 .remedies = {"`chmod a+r`"}},
		{.facts = {.code = ENOENT, .step = USERNS_SETGROUPS},
		 .text = "cannot write /proc/self/setgroups of the new user namespace: No such file"},
		{.facts = {.code = EPERM, .step = USERNS_UID_MAP},
		 .text = "cannot write /proc/self/uid_map of the new user namespace: Operation not permitted"},
		{.facts = {.code = EPERM, .step = USERNS_UID_MAP, .root = true, .filtered = true},
		 .text = "cannot write /proc/self/uid_map of the new user namespace: root may map itself "
			 "only with CAP_SETFCAP",
		 .remedies = {"--cap-add SETFCAP", "run subu as another user"}},
		{.facts = {.code = EACCES, .step = USERNS_UID_MAP, .root = true},
		 .text = "cannot write /proc/self/uid_map of the new user namespace: Permission denied"},
		{.facts = {.code = EPERM, .step = USERNS_GID_MAP, .root = true},
		 .text = "cannot write /proc/self/gid_map of the new user namespace: Operation not"},
		{.facts = {.code = EPERM, .step = USERNS_UID_MAP, .root = true, .restricted = true},
		 .text = "cannot write /proc/self/uid_map of the new user namespace: AppArmor"},
		{.facts = {.code = EINVAL, .step = USERNS_GID_MAP, .restricted = true},
		 .text = "cannot write /proc/self/gid_map of the new user namespace: Invalid argument"},
		{.facts = {.code = EPERM, .step = USERNS_UID_MAP, .filtered = true},
		 .text = "cannot write /proc/self/uid_map of the new user namespace: a seccomp filter is"},
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

/* The longest sentences are whole: a label as long as there can be, the longest names. */
static void test_nothing_is_cut_off(void **state)
{
	struct userns_facts facts = {.code = EPERM};
	char text[USERNS_REASON_MAX];

	(void)state;
	memset(facts.label, 'x', sizeof(facts.label) - 1);
	assert_true(userns_lost_rights(&facts, text));
	assert_true(strlen(text) < sizeof(text) - 1);
	facts.label[0] = '\0';
	facts.restricted = true;
	assert_true(userns_lost_rights(&facts, text));
	assert_true(strlen(text) < sizeof(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setting_of_debian),
		cmocka_unit_test(test_apparmor),
		cmocka_unit_test(test_apparmor_is_not_to_blame),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_place_and_modules),
		cmocka_unit_test(test_kernel_without),
		cmocka_unit_test(test_limit_of_each_kind),
		cmocka_unit_test(test_limit_reached),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_nothing_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
