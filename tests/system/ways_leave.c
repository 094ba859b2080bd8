/* Leaving the place that a barrier stands around: the control group, the network namespace, the
 * process that was watched. Each says every attempt, and the socket is tried whatever it got. */
#include "ways.h"

#include <fcntl.h>
#include <glob.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

#define NESTED_MOUNT "/mnt"

static int write_file(const char *path, const char *text)
{
	CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : answer(write(fd, text, strlen(text)));
}

static int write_map(const char *path, unsigned int id)
{
	CLEANUP(memory_free) char *text = memory_format("0 %u 1", id);

	return write_file(path, text);
}

static int lift_loopback(void)
{
	CLEANUP(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	return answer(ioctl(fd, SIOCSIFFLAGS, &request));
}

/* Who may not be mapped, as root without CAP_SETFCAP, has all rights in there all the same. */
static int unshare_user(int more_flags)
{
	unsigned int user = geteuid(), group = getegid();
	int code = answer(unshare(CLONE_NEWUSER | more_flags));

	if (code < 0)
		return code;
	write_file("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", user);
	write_map("/proc/self/gid_map", group);
	return 0;
}

int nest(void)
{
	int code = unshare_user(CLONE_NEWNET);

	return code < 0 ? code : lift_loopback();
}

static int join(const struct setting *setting, const char *group)
{
	CLEANUP(memory_free) char *path = memory_format("%s/cgroup.procs", group);
	int code = write_file(path, "0");

	say(setting, NULL, path, code);
	return code;
}

/* Takes the next group off the list, which a colon divides. */
static char *next_group(char **list)
{
	char *group = strsep(list, ":");

	return group && *group ? group : NULL;
}

int leave_by_procs(const struct setting *setting)
{
	CLEANUP(memory_free) char *groups = memory_strdup(setting_value(setting, "groups"));
	char *rest = groups, *group;
	int code = -ENOENT;

	while (code < 0 && (group = next_group(&rest)))
		code = join(setting, group);
	return code;
}

/* The rest of the way is the child's, and its parent waits. */
static int become_child(pid_t child)
{
	int status = 0;

	if (child == 0)
		return 0;
	waitpid(child, &status, 0);
	exit(status);
}

static int clone_into(const struct setting *setting, const char *group)
{
	CLEANUP(fd_close) int fd = open(group, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)fd,
	};
	pid_t child = fd < 0 ? -1 : (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	int code = answer(child);

	if (child != 0)
		say(setting, NULL, group, code);
	return code < 0 ? code : become_child(child);
}

int leave_by_clone(const struct setting *setting)
{
	CLEANUP(memory_free) char *groups = memory_strdup(setting_value(setting, "groups"));
	char *rest = groups, *group;
	int code = -ENOENT;

	while (code < 0 && (group = next_group(&rest)))
		code = clone_into(setting, group);
	return code;
}

/* A mount of the groups of our own, which begins at the group we are in: nothing above it can be
 * named. Then a group below, where the barriers still hold. */
int leave_by_mount(const struct setting *setting)
{
	int code = answer(mount("ways", NESTED_MOUNT, "cgroup2", 0, NULL));

	say(setting, NULL, "mount", code);
	if (code < 0) {
		code = unshare_user(CLONE_NEWNS | CLONE_NEWCGROUP);
		say(setting, NULL, "unshare", code);
		code = answer(mount("ways", NESTED_MOUNT, "cgroup2", 0, NULL));
		say(setting, NULL, "mount nested", code);
	}
	join(setting, NESTED_MOUNT "/..");
	say(setting, NULL, "mkdir", answer(mkdir(NESTED_MOUNT "/ways", 0755)));
	return join(setting, NESTED_MOUNT "/ways");
}

/* A group below our own. */
int leave_by_group_below(const struct setting *setting)
{
	CLEANUP(memory_free)
	char *group = memory_format("%s/ways", setting_value(setting, "group"));

	say(setting, NULL, "mkdir", answer(mkdir(group, 0755)));
	return join(setting, group);
}

/* An orphan in a session of its own; whoever waits for us sees its end by the pipe. */
int leave_by_daemon(const struct setting *setting)
{
	int ends[2];
	char byte;

	if (pipe(ends) < 0)
		return -errno;
	if (fork() > 0) {
		close(ends[1]);
		while (read(ends[0], &byte, 1) > 0)
			;
		_exit(0);
	}
	setsid();
	if (fork() > 0)
		_exit(0);
	return 0;
}

int leave_by_nested(const struct setting *setting)
{
	return nest();
}

int leave_by_nested_and_back(const struct setting *setting)
{
	CLEANUP(fd_close) int old = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	say(setting, NULL, "nest", nest());
	return answer(setns(old, CLONE_NEWNET));
}

static int enter(const struct setting *setting, const char *path)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int code = fd < 0 ? -errno : answer(setns(fd, CLONE_NEWNET));

	say(setting, NULL, path, code);
	return code;
}

/* Into whatever other network namespace there is. */
int leave_by_setns(const struct setting *setting)
{
	CLEANUP(memory_free) char *parent = memory_format("/proc/%d/ns/net", getppid());
	glob_t found = {};
	int code;

	glob("/run/netns/*", 0, NULL, &found);
	glob("/proc/[0-9]*/task/*/ns/net", GLOB_APPEND, NULL, &found);
	code = enter(setting, parent);
	for (size_t i = 0; i < found.gl_pathc && code < 0; i++)
		code = enter(setting, found.gl_pathv[i]);
	globfree(&found);
	return code;
}

/* Without its pin a link ends, and what it held to the group with it. */
int leave_by_pins(const struct setting *setting)
{
	glob_t found = {};
	int code = -ENOENT;

	glob("/sys/fs/bpf/subu/*", 0, NULL, &found);
	glob("/sys/fs/bpf/subu/*/*", GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		code = answer(unlink(found.gl_pathv[i]));
		say(setting, NULL, found.gl_pathv[i], code);
	}
	globfree(&found);
	return code;
}
