/* kernel/userns on Debian's kernels, as root, in a machine of its own: its setting, the machine's
 * limits, and AppArmor, which is in these kernels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../system/attempt.h"
#include "base/memory.h"
#include "kernel/sysctl.h"
#include "kernel/userns.h"

#define SECURITYFS "/sys/kernel/security"

/* The profile's name; children inherit it. */
static const char *profile;

static void set(const char *setting, const char *value)
{
	struct error error;

	if (sysctl_write(setting, value, &error) < 0)
		fail_msg("%s", error.text);
}

static int step_network(struct error *error)
{
	become_ordinary();
	return userns_unshare(CLONE_NEWNET, 0, 0, error);
}

/* A child of the user has the only one that it may have. */
static int step_another(struct error *error)
{
	int ends[2], code;
	char byte = 0;
	pid_t child;

	become_ordinary();
	must(pipe2(ends, O_CLOEXEC) == 0);
	child = fork();
	if (child == 0) {
		must(userns_unshare(CLONE_NEWNET, 0, 0, error) == 0);
		must(write(ends[1], &byte, 1) == 1);
		pause();
	}
	must(read(ends[0], &byte, 1) == 1);
	code = userns_unshare(CLONE_NEWNET, 0, 0, error);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return code;
}

static void test_setting_of_debian(void **state)
{
	(void)state;
	assert_succeeds(step_network);
	set("kernel/unprivileged_userns_clone", "0");
	assert_refused(step_network, EPERM,
		       "cannot make a user namespace: user namespaces are forbidden to ordinary "
		       "users here (kernel.unprivileged_userns_clone is 0)",
		       "as root, `sysctl kernel.unprivileged_userns_clone=1`");
	set("kernel/unprivileged_userns_clone", "1");
	assert_succeeds(step_network);
}

static void test_limits_of_the_machine(void **state)
{
	char before[32];
	struct error error;

	(void)state;
	assert_int_equal(sysctl_read("user/max_net_namespaces", before, sizeof(before), &error), 0);
	set("user/max_net_namespaces", "1");
	assert_refused(step_another, ENOSPC,
		       "cannot make a network namespace: this user has as many as the limit "
		       "user.max_net_namespaces allows, 1",
		       "as root, `sysctl user.max_net_namespaces=2`");
	set("user/max_net_namespaces", "0");
	assert_refused(step_network, ENOSPC,
		       "cannot make a network namespace: the limit user.max_net_namespaces is 0",
		       "as root, `sysctl user.max_net_namespaces=1024`");
	set("user/max_net_namespaces", before);
	assert_succeeds(step_another);
}

static void profile_load(const char *name, const char *rules)
{
	char path[] = "/tmp/profile.XXXXXX", command[128];
	FILE *file;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	fprintf(file, "abi <abi/3.0>,\nprofile %s {\n  /** mrwlkix,\n%s}\n", name, rules);
	assert_int_equal(fclose(file), 0);
	snprintf(command, sizeof(command), "apparmor_parser --replace --skip-cache %s", path);
	assert_int_equal(system(command), 0);
	unlink(path);
}

static void profile_enter(void)
{
	char words[64];
	int fd;

	become_ordinary();
	snprintf(words, sizeof(words), "changeprofile %s", profile);
	fd = open("/proc/self/attr/apparmor/current", O_WRONLY | O_CLOEXEC);
	must(fd >= 0 && write(fd, words, strlen(words)) == (ssize_t)strlen(words));
	close(fd);
}

static int step_network_in_profile(struct error *error)
{
	profile_enter();
	return userns_unshare(CLONE_NEWNET, 0, 0, error);
}

/* unshare(2) asks for no capability then: it passes, as under Ubuntu's restriction. */
static int step_user_in_profile(struct error *error)
{
	profile_enter();
	return userns_unshare(0, 0, 0, error);
}

/* Ubuntu's restriction puts the maker of a user namespace into a profile of this name, without
 * capabilities. */
static void test_apparmor(void **state)
{
	(void)state;
	if (mount("none", SECURITYFS, "securityfs", 0, NULL) < 0)
		assert_int_equal(errno, EBUSY);
	profile_load("unprivileged_userns", "");
	profile_load("elsewhere", "");
	profile_load("free", "  capability,\n");
	profile = "unprivileged_userns";
	assert_refused(
		step_user_in_profile, EACCES,
		"cannot write /proc/self/setgroups of the new user namespace: AppArmor gives "
		"no rights in user namespaces",
		"`apparmor_parser -r /etc/apparmor.d/subu`");
	profile = "elsewhere";
	assert_refused(
		step_user_in_profile, EACCES,
		"cannot write /proc/self/setgroups of the new user namespace: AppArmor holds "
		"this process to the profile 'elsewhere (enforce)'",
		"apparmor=unconfined");
	assert_refused(
		step_network_in_profile, EPERM,
		"cannot make a network namespace: AppArmor holds this process to the profile "
		"'elsewhere (enforce)'",
		"apparmor=unconfined");
	profile = "free";
	assert_succeeds(step_network_in_profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First, for the kernel is slow to end the namespaces that count. */
		cmocka_unit_test(test_limits_of_the_machine),
		cmocka_unit_test(test_setting_of_debian),
		cmocka_unit_test(test_apparmor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
