/* A sysfs belongs to the network namespace it was mounted in and shows the devices of no other. The
 * new one is mounted above the old. What was mounted on the old would be hidden with it, so it is
 * copied first and put on the new: a detached copy keeps its own mounts, flags and propagation. */
#include "enter/sysfs.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/mount.h"

#define SYSFS_FOLDER "/sys"

struct copy {
	int fd;		  /* owned */
	const char *path; /* of a mount table */
};

struct copies {
	struct copy *items; /* owned */
	size_t count;
};

static void copies_clear(struct copies *copies)
{
	for (size_t i = 0; i < copies->count; i++)
		fd_close(&copies->items[i].fd);
	memory_free(&copies->items);
}

static bool is_sysfs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == SYSFS_MAGIC;
}

/* Read-only stays read-only: a container's /sys often is. */
static int mount_fresh(struct error *error)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	static const char *const options[] = {NULL};
	CLEANUP(fd_close) int fd = -1;
	struct statvfs old;
	int code;

	if (statvfs(SYSFS_FOLDER, &old) < 0)
		return error_errno(error, "cannot examine " SYSFS_FOLDER);
	if (old.f_flag & ST_RDONLY)
		attributes |= MOUNT_ATTR_RDONLY;
	code = mount_create("sysfs", options, attributes, &fd, error);
	if (code < 0)
		return code;
	return mount_attach(fd, SYSFS_FOLDER, error);
}

/* What is mounted on the mount of that number, not deeper: the rest comes along. */
static int copy_all(const struct mount_table *mounts, unsigned int number, struct copies *copies,
		    struct error *error)
{
	int code, fd;

	for (size_t i = 0; i < mounts->count; i++) {
		if (mounts->items[i].parent != number)
			continue;
		code = mount_copy(mounts->items[i].path, &fd, error);
		if (code < 0)
			return code;
		copies->items =
			memory_resize(copies->items, copies->count + 1, sizeof(*copies->items));
		copies->items[copies->count++] = (struct copy){fd, mounts->items[i].path};
	}
	return 0;
}

/* What was mounted on the folder of a device that is not in this namespace has no place in it. */
static int attach_all(const struct copies *copies, struct error *error)
{
	int code;

	for (size_t i = 0; i < copies->count; i++) {
		code = mount_attach(copies->items[i].fd, copies->items[i].path, error);
		if (code < 0 && code != -ENOENT)
			return code;
	}
	return 0;
}

/* Only sysfs is walked by name here, which nobody can rename: the way back leads where it did. */
static int return_to_folder(const char *folder, struct error *error)
{
	if (chdir(folder) < 0 && chdir(SYSFS_FOLDER) < 0)
		return error_errno(error, "cannot return to " SYSFS_FOLDER);
	return 0;
}

int sysfs_renew(const struct mount_table *mounts, struct error *error)
{
	CLEANUP(copies_clear) struct copies copies = {};
	char folder[PATH_MAX] = SYSFS_FOLDER;
	bool inside = is_sysfs(".");
	unsigned int number;
	int code;

	if (!is_sysfs(SYSFS_FOLDER))
		return 0;
	if (inside && !getcwd(folder, sizeof(folder)) && errno != ENOENT)
		return error_errno(error, "cannot tell the current folder");
	code = mount_number(SYSFS_FOLDER, &number, error);
	if (code == 0)
		code = copy_all(mounts, number, &copies, error);
	if (code == 0)
		code = mount_fresh(error);
	if (code == 0)
		code = attach_all(&copies, error);
	if (code == 0 && inside)
		code = return_to_folder(folder, error);
	return code;
}
