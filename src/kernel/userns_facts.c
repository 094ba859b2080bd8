#include "kernel/userns_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "kernel/sysctl.h"

/* The inode of the machine's first user namespace in nsfs: PROC_USER_INIT_INO of
 * include/linux/proc_ns.h, since Linux 3.8. */
#define FIRST_USERNS_INODE 0xeffffffdU

/* Tries each kind alone; the place of the one that fails in userns_kinds, or that of the last, which
 * is none. */
static int first_refused(int flags)
{
	int place = 0;

	while (userns_kinds[place].flag &&
	       (!(flags & userns_kinds[place].flag) || unshare(userns_kinds[place].flag) == 0))
		place++;
	return place;
}

/* A user namespace where all can be made one by one, or the child cannot. */
static int kind_refused(int others)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(first_refused(CLONE_NEWUSER | others));
	if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	    userns_kinds[WEXITSTATUS(status)].flag)
		return userns_kinds[WEXITSTATUS(status)].flag;
	return CLONE_NEWUSER;
}

/* A number below /proc/sys, or otherwise when the kernel has no such setting. */
static int setting(const char *path, int otherwise)
{
	char value[32];
	struct error error;
	uint64_t number;

	if (sysctl_read(path, value, sizeof(value), &error) < 0 ||
	    text_to_number(value, 0, INT_MAX, &number) < 0)
		return otherwise;
	return (int)number;
}

/* Some of Ubuntu's kernels let only root read it; then it counts as 1, its default. */
static bool is_restricted(void)
{
	static const char path[] = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

	return (access(path, F_OK) == 0 && access(path, R_OK) < 0) ||
	       setting(path + strlen("/proc/sys/"), 0) > 0;
}

/* The first line of a small file, without its newline; "" when it cannot be read. */
static void line_read(const char *path, char *line, size_t size)
{
	CLEANUP(file_close) FILE *file = fopen(path, "re");

	if (!file || !fgets(line, (int)size, file))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
}

static bool is_filtered(void)
{
	CLEANUP(file_close) FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strcmp(line, "Seccomp:\t2\n"))
			return true;
	return false;
}

/* Is the number in none of the ranges (user_namespaces(7))? */
static bool is_unmapped(const char *path, unsigned int id)
{
	CLEANUP(file_close) FILE *file = fopen(path, "re");
	unsigned int inside, outside, count;

	while (file && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3)
		if (id >= inside && id - inside < count)
			return false;
	return file;
}

static bool is_inside(void)
{
	struct stat status;

	return stat("/proc/self/ns/user", &status) == 0 && status.st_ino != FIRST_USERNS_INODE;
}

static bool is_chrooted(void)
{
	struct statx status;

	return statx(AT_FDCWD, "/", 0, 0, &status) == 0 &&
	       status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT &&
	       !(status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

void userns_facts_gather(struct userns_facts *facts, enum userns_step step, int code, int others)
{
	int flag = step == USERNS_UNSHARE ? kind_refused(others) : CLONE_NEWUSER;
	const struct userns_kind *kind = userns_kind_of(flag);
	char path[64], line[32];

	*facts = (struct userns_facts){
		.step = step,
		.code = code,
		.kind = flag,
		.clone_forbidden = setting("kernel/unprivileged_userns_clone", 1) == 0,
		.restricted = is_restricted(),
		.filtered = is_filtered(),
		.unshare_filtered = unshare(0) < 0,
		.inside = is_inside(),
		.chrooted = is_chrooted(),
		.unmapped = is_unmapped("/proc/self/uid_map", geteuid()) ||
			    is_unmapped("/proc/self/gid_map", getegid()),
		.undumpable = prctl(PR_GET_DUMPABLE) != 1,
	};
	snprintf(path, sizeof(path), "user/%s", kind->limit);
	facts->limit = setting(path, INT_MAX);
	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind->file);
	facts->kind_missing = access("/proc/self/ns", F_OK) == 0 && access(path, F_OK) < 0;
	line_read("/sys/fs/selinux/enforce", line, sizeof(line));
	facts->selinux = !strcmp(line, "1");
	line_read("/proc/self/attr/apparmor/current", facts->label, sizeof(facts->label));
}
