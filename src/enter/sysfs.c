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

struct copies {
	int *fds; /* owned; one a path */
	size_t count;
};

static void copies_clear(struct copies *copies)
{
	for (size_t i = 0; i < copies->count; i++)
		fd_close(&copies->fds[i]);
	memory_free(&copies->fds);
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

static int copy_all(const struct mount_paths *paths, struct copies *copies, struct error *error)
{
	int code, fd;

	copies->fds = memory_resize(NULL, paths->count, sizeof(*copies->fds));
	for (size_t i = 0; i < paths->count; i++) {
		code = mount_copy(paths->items[i], &fd, error);
		if (code < 0)
			return code;
		copies->fds[copies->count++] = fd;
	}
	return 0;
}

/* What was mounted on the folder of a device that is not in this namespace has no place in it. */
static int attach_all(const struct mount_paths *paths, const struct copies *copies,
		      struct error *error)
{
	int code;

	for (size_t i = 0; i < copies->count; i++) {
		code = mount_attach(copies->fds[i], paths->items[i], error);
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

int sysfs_renew(struct error *error)
{
	CLEANUP(mount_paths_clear) struct mount_paths paths = {};
	CLEANUP(copies_clear) struct copies copies = {};
	char folder[PATH_MAX] = SYSFS_FOLDER;
	bool inside = is_sysfs(".");
	int code;

	if (!is_sysfs(SYSFS_FOLDER))
		return 0;
	if (inside && !getcwd(folder, sizeof(folder)) && errno != ENOENT)
		return error_errno(error, "cannot tell the current folder");
	code = mount_list_children(SYSFS_FOLDER, &paths, error);
	if (code < 0)
		return code;
	code = copy_all(&paths, &copies, error);
	if (code == 0)
		code = mount_fresh(error);
	if (code == 0)
		code = attach_all(&paths, &copies, error);
	if (code == 0 && inside)
		code = return_to_folder(folder, error);
	return code;
}
