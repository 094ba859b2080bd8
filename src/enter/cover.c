/* A cover can only be taken away with CAP_SYS_ADMIN over the mount namespace, which the command has
 * not; in a user namespace of its own making the covers, and what is read-only, are locked
 * (mount_namespaces(7)).
 *
 * The BPF file systems are covered whole, so that nothing which is pinned there later comes to
 * light. Read-only would not do: who may open a pin may detach what it holds. */
#include "enter/cover.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/bpffs.h"
#include "kernel/cgroup.h"
#include "kernel/mount.h"

#define EMPTY_ATTRIBUTES                                                                           \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const char *const own_folders[] = {"/run/subu", "/run/wireguard", "/var/lib/subu"};

/* What is written to core_pattern, for one, the kernel runs as root outside. */
static const char *const settings[] = {"/proc/sys", "/proc/sysrq-trigger"};

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

/* /proc/self/cwd tells also that of a folder that was deleted; it knows no symbolic links and no "//",
 * which the path may have. */
int cover_leave(const char *path, struct error *error)
{
	char folder[PATH_MAX] = "", place[PATH_MAX];
	size_t length;

	if (!realpath(path, place))
		return error_errno(error, "cannot tell where %s is", path);
	length = strlen(place);
	if (readlink("/proc/self/cwd", folder, sizeof(folder) - 1) < 0)
		return error_errno(error, "cannot tell the current folder");
	if (strncmp(folder, place, length) != 0 || (folder[length] && folder[length] != '/'))
		return 0;
	if (chdir(folder) < 0 && chdir(path) < 0)
		return error_errno(error, "cannot return to %s", path);
	return 0;
}

int cover_folder(const char *path, struct error *error)
{
	static const char *const options[] = {"source", "subu", "mode", "0755", "size", "1m", NULL};
	CLEANUP(fd_close) int fd = -1;
	int code;

	if (!is_there(path))
		return 0;
	code = mount_create("tmpfs", options, EMPTY_ATTRIBUTES, &fd, error);
	if (code == 0)
		code = mount_attach(fd, path, error);
	return code < 0 ? code : cover_leave(path, error);
}

static int make_read_only(const char *path, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	int code;

	if (!is_there(path))
		return 0;
	code = mount_copy(path, &fd, error);
	if (code == 0)
		code = mount_attach(fd, path, error);
	if (code == 0)
		code = mount_add_attributes(path, MOUNT_ATTR_RDONLY, true, error);
	return code < 0 ? code : cover_leave(path, error);
}

/* What is listed may lie below another mount, out of everybody's reach. */
static bool is_on(const struct mount_info *mount, const char *type, unsigned int magic)
{
	struct statfs fs;

	return strcmp(mount->type, type) == 0 && statfs(mount->path, &fs) == 0 &&
	       (unsigned int)fs.f_type == magic;
}

int cover_cgroups(const struct mount_table *mounts, struct error *error)
{
	int code = 0;

	for (size_t i = 0; i < mounts->count && code == 0; i++)
		if (is_on(&mounts->items[i], CGROUP_TYPE, CGROUP2_SUPER_MAGIC))
			code = mount_add_attributes(mounts->items[i].path, MOUNT_ATTR_RDONLY, false,
						    error);
	return code;
}

static int cover_bpf(const struct mount_table *mounts, struct error *error)
{
	int code = 0;

	for (size_t i = 0; i < mounts->count && code == 0; i++)
		if (is_on(&mounts->items[i], BPFFS_TYPE, BPF_FS_MAGIC))
			code = cover_folder(mounts->items[i].path, error);
	return code;
}

int cover_engines(uid_t uid, struct error *error)
{
	char path[64];
	int code;

	snprintf(path, sizeof(path), COVER_RUN_USER, uid);
	code = cover_folder(path, error);
	if (code < 0)
		return code;
	snprintf(path, sizeof(path), COVER_TEMPORARY, uid);
	return cover_folder(path, error);
}

int cover_own_folders(const struct mount_table *mounts, struct error *error)
{
	int code = cover_bpf(mounts, error);

	for (size_t i = 0; i < ARRAY_SIZE(own_folders) && code == 0; i++)
		code = cover_folder(own_folders[i], error);
	return code;
}

int cover_own(const struct mount_table *mounts, struct error *error)
{
	int code = cover_own_folders(mounts, error);

	for (size_t i = 0; i < ARRAY_SIZE(settings) && code == 0; i++)
		code = make_read_only(settings[i], error);
	return code;
}
