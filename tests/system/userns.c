/* kernel/userns on the running kernel: an ordinary user's namespaces, and refusals provoked for
 * real. Each case is a child that gives up root first; limits are set in a user namespace of its own,
 * never in the machine's.
 *
 *	uid 1000 ── userns, uid 0: net, mnt, pid ── userns, uid 1000
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempt.h"
#include "base/memory.h"
#include "kernel/sysctl.h"
#include "kernel/userns.h"

#define ALL (CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID)

/* Below /proc/sys; children inherit it. */
static const char *limit_tried;

static ino_t namespace(const char *kind)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	must(stat(path, &status) == 0);
	return status.st_ino;
}

static void file_is(const char *path, const char *expected)
{
	CLEANUP(file_close) FILE *file = fopen(path, "re");
	char text[128] = "";
	size_t length;

	must(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	must(!strcmp(text, expected));
}

static void identity_is(unsigned int id, const char *map)
{
	must(getuid() == id && geteuid() == id && getgid() == id && getegid() == id);
	file_is("/proc/self/uid_map", map);
	file_is("/proc/self/gid_map", map);
	file_is("/proc/self/setgroups", "deny\n");
	must(setgroups(0, NULL) < 0 && errno == EPERM);
}

static int step_namespaces(struct error *error)
{
	ino_t user = namespace("user"), net = namespace("net"), mnt = namespace("mnt");
	pid_t child;
	int status;

	become_ordinary();
	if (userns_unshare(ALL, 0, 0, error) < 0)
		return -1;
	must(namespace("user") != user && namespace("net") != net && namespace("mnt") != mnt);
	identity_is(0, "         0       1000          1\n");
	/* With every right in them. */
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	must(mount("none", "/mnt", "tmpfs", 0, NULL) == 0);
	must(sysctl_write("net/ipv4/ping_group_range", "0 0", error) == 0);
	/* And nobody else is mapped. */
	must(setuid(ORDINARY) < 0 && errno == EINVAL);
	child = fork();
	if (child == 0)
		_exit(getpid() == 1 ? 0 : 1);
	must(waitpid(child, &status, 0) == child && status == 0);
	return 0;
}

static int step_back_inside(struct error *error)
{
	ino_t net;

	become_ordinary();
	if (userns_unshare(ALL, 0, 0, error) < 0)
		return -1;
	net = namespace("net");
	if (userns_unshare(0, ORDINARY, ORDINARY, error) < 0)
		return -1;
	must(namespace("net") == net);
	identity_is(ORDINARY, "      1000          0          1\n");
	/* The network namespace belongs to the user namespace outside. */
	must(unshare(CLONE_NEWNS) == 0);
	must(sysctl_write("net/ipv4/ip_forward", "1", error) < 0);
	*error = (struct error){0};
	return 0;
}

static void test_namespaces(void **state)
{
	(void)state;
	assert_succeeds(step_namespaces);
}

static void test_mapped_back_inside(void **state)
{
	(void)state;
	assert_succeeds(step_back_inside);
}

/* As an ordinary user inside a user namespace with a limit on what it makes. */
static int step_no_more(struct error *error)
{
	become_ordinary();
	must(userns_unshare(0, 0, 0, error) == 0);
	must(sysctl_write(limit_tried, "0", error) == 0);
	return userns_unshare(ALL, ORDINARY, ORDINARY, error);
}

/* One process has the only one there may be. */
static int step_one_net(struct error *error)
{
	become_ordinary();
	must(userns_unshare(0, 0, 0, error) == 0);
	must(sysctl_write("user/max_net_namespaces", "1", error) == 0);
	must(unshare(CLONE_NEWNET) == 0);
	return userns_unshare(CLONE_NEWNET, 0, 0, error);
}

/* The limit is that of the namespace around, and cannot be seen. */
static int step_limit_around(struct error *error)
{
	become_ordinary();
	must(userns_unshare(0, 0, 0, error) == 0);
	must(sysctl_write("user/max_net_namespaces", "0", error) == 0);
	must(userns_unshare(0, 0, 0, error) == 0);
	return userns_unshare(CLONE_NEWNET, 0, 0, error);
}

static void test_limits(void **state)
{
	static const struct {
		const char *name, *file;
	} kinds[] = {{"user", "user"}, {"network", "net"}, {"mount", "mnt"}, {"PID", "pid"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char limit[64], text[128], remedy[64];

		snprintf(limit, sizeof(limit), "user/max_%s_namespaces", kinds[i].file);
		snprintf(text, sizeof(text),
			 "cannot make a %s namespace: the limit user.max_%s_namespaces is 0",
			 kinds[i].name, kinds[i].file);
		snprintf(remedy, sizeof(remedy), "`sysctl user.max_%s_namespaces=1024`",
			 kinds[i].file);
		limit_tried = limit;
		assert_refused(step_no_more, ENOSPC, text, remedy);
	}
	assert_refused(step_one_net, ENOSPC,
		       "cannot make a network namespace: a limit user.max_net_namespaces is "
		       "reached, here (1)",
		       "raise it there");
	assert_refused(step_limit_around, ENOSPC,
		       "cannot make a network namespace: a limit user.max_net_namespaces is "
		       "reached, here (2147483647) or in a user namespace around this one",
		       "raise it there");
}

static int step_depth(struct error *error)
{
	int depth = 0;

	become_ordinary();
	while (userns_unshare(0, 0, 0, error) == 0)
		must(++depth < 64);
	must(depth > 16);
	return 0;
}

static void test_depth(void **state)
{
	(void)state;
	assert_refused(step_depth, ENOSPC,
		       "cannot make a user namespace: they are nested more than 32 deep",
		       "run subu outside of the container");
}

static int step_chroot(struct error *error)
{
	must(chroot("/usr") == 0 && chdir("/") == 0);
	become_ordinary();
	return userns_unshare(ALL, 0, 0, error);
}

/* Where the root is that of a mount, a chroot does not show. */
static int step_chroot_to_mount(struct error *error)
{
	must(unshare(CLONE_NEWNS) == 0);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	must(mount("/", "/mnt", NULL, MS_BIND | MS_REC, NULL) == 0);
	must(chroot("/mnt") == 0 && chdir("/") == 0);
	become_ordinary();
	return userns_unshare(ALL, 0, 0, error);
}

static void test_chroot(void **state)
{
	(void)state;
	assert_refused(step_chroot, EPERM,
		       "cannot make a user namespace: the kernel makes none in a chroot",
		       "run subu outside of it");
	assert_refused(step_chroot_to_mount, EPERM,
		       "cannot make a user namespace: Operation not permitted; it may be a chroot",
		       "run subu outside of them");
}

/* Refuses unshare(2) with the flags, or whatever they are. */
static void filter_unshare(int code, unsigned int flags)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	must(filter);
	must(seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned int)code), SCMP_SYS(unshare),
			      flags ? 1 : 0, SCMP_A0(SCMP_CMP_MASKED_EQ, flags, flags)) == 0);
	must(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

static int step_filter(struct error *error)
{
	become_ordinary();
	filter_unshare(EPERM, 0);
	return userns_unshare(ALL, 0, 0, error);
}

static int step_filter_denies_it_is_there(struct error *error)
{
	become_ordinary();
	filter_unshare(ENOSYS, 0);
	return userns_unshare(ALL, 0, 0, error);
}

static int step_filter_by_flag(struct error *error)
{
	become_ordinary();
	filter_unshare(EPERM, CLONE_NEWUSER);
	return userns_unshare(ALL, 0, 0, error);
}

static void test_seccomp(void **state)
{
	static const char text[] =
		"cannot make a user namespace: a seccomp filter on this process forbids unshare(2)";
	static const char remedy[] = "`docker run --security-opt seccomp=unconfined`";

	(void)state;
	assert_refused(step_filter, EPERM, text, remedy);
	assert_refused(step_filter_denies_it_is_there, ENOSYS, text, remedy);
	assert_refused(step_filter_by_flag, EPERM,
		       "cannot make a user namespace: a seccomp filter is on this process and may",
		       remedy);
}

/* Settings and a security module of other kernels, made up of files that lie where theirs would, for
 * this process alone. The refusal itself is a filter's. */
static void pretend(const char *folder, const char *file, const char *text, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	must(unshare(CLONE_NEWNS) == 0);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	must(mount("none", folder, "tmpfs", 0, NULL) == 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static int refused_with(int code, struct error *error)
{
	become_ordinary();
	filter_unshare(code, CLONE_NEWUSER);
	return userns_unshare(ALL, 0, 0, error);
}

static int step_setting_of_debian(struct error *error)
{
	pretend("/proc/sys/kernel", "unprivileged_userns_clone", "0\n", 0644);
	return refused_with(EPERM, error);
}

static int step_setting_is_on(struct error *error)
{
	pretend("/proc/sys/kernel", "unprivileged_userns_clone", "1\n", 0644);
	return refused_with(EPERM, error);
}

static int step_apparmor(struct error *error)
{
	pretend("/proc/sys/kernel", "apparmor_restrict_unprivileged_userns", "1\n", 0644);
	return refused_with(EACCES, error);
}

static int step_apparmor_unreadable(struct error *error)
{
	pretend("/proc/sys/kernel", "apparmor_restrict_unprivileged_userns", "1\n", 0600);
	return refused_with(EACCES, error);
}

static int step_apparmor_is_off(struct error *error)
{
	pretend("/proc/sys/kernel", "apparmor_restrict_unprivileged_userns", "0\n", 0644);
	return refused_with(EPERM, error);
}

static int step_selinux(struct error *error)
{
	must(unshare(CLONE_NEWNS) == 0);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	must(mount("none", "/sys/fs", "tmpfs", 0, NULL) == 0);
	must(mkdir("/sys/fs/selinux", 0755) == 0);
	pretend("/sys/fs/selinux", "enforce", "1", 0644);
	return refused_with(EACCES, error);
}

static int step_label(struct error *error)
{
	pretend("/proc/self/attr", "current", "rubbish (enforce)\n", 0644);
	must(mkdir("/proc/self/attr/apparmor", 0755) == 0);
	pretend("/proc/self/attr/apparmor", "current", "docker-default (enforce)\n", 0644);
	return refused_with(EACCES, error);
}

static void test_other_kernels(void **state)
{
	static const char filter[] = "cannot make a user namespace: a seccomp filter is on";
	static const char apparmor[] = "cannot make a user namespace: AppArmor gives no rights";

	(void)state;
	assert_refused(step_setting_of_debian, EPERM,
		       "cannot make a user namespace: user namespaces are forbidden to ordinary",
		       "`sysctl kernel.unprivileged_userns_clone=1`");
	assert_refused(step_setting_is_on, EPERM, filter, "seccomp=unconfined");
	assert_refused(step_apparmor, EACCES, apparmor, "/etc/apparmor.d/subu");
	assert_refused(step_apparmor_unreadable, EACCES, apparmor, "/etc/apparmor.d/subu");
	assert_refused(step_apparmor_is_off, EPERM, filter, "seccomp=unconfined");
	assert_refused(step_label, EACCES,
		       "cannot make a user namespace: AppArmor holds this process to the profile "
		       "'docker-default (enforce)'",
		       "`docker run --security-opt apparmor=unconfined`");
	assert_refused(step_selinux, EACCES, "cannot make a user namespace: SELinux forbids it",
		       "`ausearch -m avc`");
}

static int step_unmapped(struct error *error)
{
	become_ordinary();
	must(unshare(CLONE_NEWUSER) == 0);
	return userns_unshare(ALL, 0, 0, error);
}

static void test_unmapped(void **state)
{
	(void)state;
	assert_refused(step_unmapped, EPERM,
		       "cannot make a user namespace: the user or group of this process has no "
		       "number",
		       "map it there (uid_map, gid_map)");
}

static int step_undumpable(struct error *error)
{
	become_ordinary();
	must(prctl(PR_SET_DUMPABLE, 0) == 0);
	return userns_unshare(ALL, 0, 0, error);
}

static void test_undumpable(void **state)
{
	(void)state;
	assert_refused(step_undumpable, EACCES,
		       "cannot write /proc/self/setgroups of the new user namespace: the files of "
		       "this process in /proc are root's",
		       "`chmod a+r`");
}

static int step_root(struct error *error)
{
	return userns_unshare(ALL, 0, 0, error);
}

/* Root without one capability, which matters to the number 0 alone. */
static int step_root_without_setfcap(struct error *error)
{
	static const cap_value_t setfcap = CAP_SETFCAP;
	cap_t capabilities = cap_get_proc();

	must(capabilities);
	must(cap_set_flag(capabilities, CAP_EFFECTIVE, 1, &setfcap, CAP_CLEAR) == 0);
	must(cap_set_proc(capabilities) == 0);
	cap_free(capabilities);
	return userns_unshare(ALL, 0, 0, error);
}

static void test_root(void **state)
{
	(void)state;
	assert_succeeds(step_root);
	assert_refused(step_root_without_setfcap, EPERM,
		       "cannot write /proc/self/uid_map of the new user namespace: root may map "
		       "itself only with CAP_SETFCAP",
		       "--cap-add SETFCAP");
}

static int step_reason(struct error *error)
{
	become_ordinary();
	filter_unshare(EPERM, CLONE_NEWUSER);
	error_set(error, EACCES, "cannot mount the moon");
	must(userns_add_reason(error) == -EACCES);
	return 0;
}

static int step_no_reason(struct error *error)
{
	become_ordinary();
	filter_unshare(EPERM, CLONE_NEWUSER);
	error_set(error, ENOENT, "there is no moon");
	must(userns_add_reason(error) == -ENOENT);
	return 0;
}

static void test_reason_added(void **state)
{
	struct error error;

	(void)state;
	assert_refused(step_reason, EACCES,
		       "cannot mount the moon; a seccomp filter is on this process",
		       "`docker run --security-opt seccomp=unconfined`");
	error = attempt(step_no_reason);
	assert_int_equal(error.code, ENOENT);
	assert_string_equal(error.text, "there is no moon");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_namespaces),    cmocka_unit_test(test_mapped_back_inside),
		cmocka_unit_test(test_limits),	      cmocka_unit_test(test_depth),
		cmocka_unit_test(test_chroot),	      cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_other_kernels), cmocka_unit_test(test_unmapped),
		cmocka_unit_test(test_undumpable),    cmocka_unit_test(test_root),
		cmocka_unit_test(test_reason_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
