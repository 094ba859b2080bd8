#include "kernel/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/userns_facts.h"

static int refuse(enum userns_step step, int others, uid_t outside, struct error *error)
{
	struct userns_facts facts;

	userns_facts_gather(&facts, step, errno, others);
	facts.root = outside == 0;
	return userns_refuse(&facts, error);
}

/* One write: the kernel takes a map whole, and once. */
static int file_write(const char *path, const char *text)
{
	CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

int userns_unshare(int others, uid_t uid, gid_t gid, struct error *error)
{
	/* Before, for inside they have no numbers until they are mapped. */
	const uid_t outside = geteuid();
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1\n", uid, outside);
	snprintf(groups, sizeof(groups), "%u %u 1\n", gid, getegid());
	if (unshare(CLONE_NEWUSER | others) < 0)
		return refuse(USERNS_UNSHARE, others, outside, error);
	/* Without rights outside, a group may be mapped only where none can be given up: a group may
	 * be what a file is closed to. */
	if (file_write("/proc/self/setgroups", "deny") < 0)
		return refuse(USERNS_SETGROUPS, others, outside, error);
	if (file_write("/proc/self/uid_map", users) < 0)
		return refuse(USERNS_UID_MAP, others, outside, error);
	if (file_write("/proc/self/gid_map", groups) < 0)
		return refuse(USERNS_GID_MAP, others, outside, error);
	return 0;
}

int userns_unshare_inside(int kinds, struct error *error)
{
	if (unshare(kinds) == 0)
		return 0;
	if (errno == ENOSPC)
		return refuse(USERNS_UNSHARE, kinds, geteuid(), error);
	error_errno(error, "cannot make further namespaces");
	return userns_add_reason(error);
}

int userns_add_reason(struct error *error)
{
	char reason[USERNS_REASON_MAX];
	struct userns_facts facts;
	struct error failed = *error;

	if (error->code != EPERM && error->code != EACCES)
		return -error->code;
	/* What is asked of the facts is the same for every step after unshare(2). */
	userns_facts_gather(&facts, USERNS_GID_MAP, error->code, 0);
	if (userns_lost_rights(&facts, reason))
		error_set(error, failed.code, "%.380s; %s", failed.text, reason);
	return -error->code;
}

gid_t userns_last_group(void)
{
	CLEANUP(file_close) FILE *file = fopen("/proc/self/gid_map", "re");
	unsigned int inside, outside, count;

	while (file && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3)
		if (inside == 0)
			return count > INT_MAX ? INT_MAX : count - 1;
	return 0;
}
