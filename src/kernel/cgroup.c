#include "kernel/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/mount.h"

/* How deep the kernel lets groups nest is a setting; deeper ones than this are nobody's. */
#define DEPTH_MAX 64

#define CREATE_TRIES 100
#define NLINK_EMPTY  2 /* of a folder with no folder in it */

int cgroup_path(const char *name, char **ret, struct error *error)
{
	CLEANUP(mount_table_clear) struct mount_table mounts = {};
	int code = mount_table_read(&mounts, error);

	if (code < 0)
		return code;
	for (size_t i = 0; i < mounts.count; i++) {
		if (strcmp(mounts.items[i].type, CGROUP_TYPE) != 0)
			continue;
		*ret = memory_format("%s/%s", mounts.items[i].path, name);
		return 0;
	}
	error_set(error, EOPNOTSUPP,
		  "no control groups of version 2: mount them (`mount -t cgroup2 cgroup2 "
		  "/sys/fs/cgroup`)");
	return -EOPNOTSUPP;
}

/* Makes the folder at the path, and those above it from `name` on. Returns 0 or -1. */
static int make_folders(char *path, char *name)
{
	int made = 0;

	for (char *slash = name; made == 0 && (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		made = mkdir(path, 0755) < 0 && errno != EEXIST ? -1 : 0;
		*slash = '/';
	}
	if (made == 0)
		made = mkdir(path, 0755) < 0 && errno != EEXIST ? -1 : 0;
	return made;
}

/* The group above may be taken away, being empty, before there is one in it. */
int cgroup_create(const char *name, struct error *error)
{
	CLEANUP(memory_free) char *path = NULL;
	int code = cgroup_path(name, &path, error);

	if (code < 0)
		return code;
	for (int i = 0; i < CREATE_TRIES; i++) {
		if (make_folders(path, path + strlen(path) - strlen(name)) == 0)
			return 0;
		if (errno != ENOENT)
			break;
	}
	return error_errno(error, "cannot make the control group %s", path);
}

/* The files in a group's folder are the kernel's, and go with it. */
static int remove_folder(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)place;
	return kind == FTW_DP && rmdir(path) < 0 && errno != ENOENT ? -1 : 0;
}

int cgroup_delete(const char *name, struct error *error)
{
	CLEANUP(memory_free) char *path = NULL;
	int code = cgroup_path(name, &path, error);

	if (code == -EOPNOTSUPP)
		return 0;
	if (code < 0)
		return code;
	/* It fails too when one vanishes that another takes away at the same time. */
	while (nftw(path, remove_folder, DEPTH_MAX, FTW_DEPTH | FTW_PHYS) < 0) {
		if (errno != ENOENT)
			return error_errno(error, "cannot remove the control group %s", path);
		if (access(path, F_OK) < 0)
			break;
	}
	if (strchr(name, '/')) {
		*strrchr(path, '/') = '\0';
		rmdir(path); /* others may be in it */
	}
	return 0;
}

bool cgroup_left(const char *name)
{
	CLEANUP(memory_free) char *path = NULL;
	struct error ignored;
	struct stat status;

	if (!strchr(name, '/') || cgroup_path(name, &path, &ignored) < 0)
		return false;
	*strrchr(path, '/') = '\0';
	return stat(path, &status) == 0 && status.st_nlink == NLINK_EMPTY;
}

int cgroup_open(const char *name, int *ret_fd, struct error *error)
{
	CLEANUP(memory_free) char *path = NULL;
	int fd, code = cgroup_path(name, &path, error);

	if (code < 0)
		return code;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(error, "cannot open the control group %s", path);
	*ret_fd = fd;
	return 0;
}

int cgroup_join(int fd, struct error *error)
{
	CLEANUP(fd_close) int file = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	/* 0 is the caller. */
	if (file < 0 || write(file, "0", 1) < 0)
		return error_errno(error, "cannot join the control group");
	return 0;
}

int cgroup_id(int fd, uint64_t *ret, struct error *error)
{
	struct stat status;

	/* On 64-bit machines the number of the inode is that of the group (kernfs_ino()). */
	_Static_assert(sizeof(status.st_ino) == sizeof(*ret), "inode numbers of 64 bits");
	if (fstat(fd, &status) < 0)
		return error_errno(error, "cannot examine the control group");
	*ret = status.st_ino;
	return 0;
}

struct processes {
	pid_t *items; /* owned */
	size_t count;
};

/* A group that went meanwhile (ENODEV) has none, and those of one whose threads are divided
 * (EOPNOTSUPP) are listed further up. */
static bool has_no_list(int code)
{
	return code == ENOENT || code == ENODEV || code == EOPNOTSUPP;
}

static int read_processes(int fd, struct processes *processes, struct error *error)
{
	CLEANUP(fd_close) int file_fd = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	CLEANUP(file_close) FILE *file = file_fd < 0 ? NULL : fdopen(file_fd, "r");
	int pid;

	if (!file)
		return has_no_list(errno)
			       ? 0
			       : error_errno(error,
					     "cannot open the control group's list of processes");
	fd_take(&file_fd);
	while (fscanf(file, "%d", &pid) == 1) {
		if (pid == 0) /* of a process namespace that is not seen from here */
			continue;
		processes->items = memory_resize(processes->items, processes->count + 1,
						 sizeof(*processes->items));
		processes->items[processes->count++] = pid;
	}
	if (ferror(file) && !has_no_list(errno))
		return error_errno(error, "cannot read the control group's list of processes");
	return 0;
}

/* Those of the group and of all below it. One that goes meanwhile has none. */
static int walk_processes(int fd, unsigned int depth, struct processes *processes,
			  struct error *error);

/* One that went meanwhile has none. */
static int walk_below(int fd, const char *name, unsigned int depth, struct processes *processes,
		      struct error *error)
{
	CLEANUP(fd_close) int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (below < 0)
		return errno == ENOENT
			       ? 0
			       : error_errno(error, "cannot open the control group %s", name);
	return walk_processes(below, depth + 1, processes, error);
}

static int walk_processes(int fd, unsigned int depth, struct processes *processes,
			  struct error *error)
{
	CLEANUP(fd_close) int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(folder_close) DIR *folder = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	int code;

	if (!folder)
		return error_errno(error, "cannot look into the control group");
	fd_take(&again);
	code = read_processes(fd, processes, error);
	while (code == 0 && depth < DEPTH_MAX && (errno = 0, entry = readdir(folder)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			code = walk_below(fd, entry->d_name, depth, processes, error);
	if (code == 0 && depth < DEPTH_MAX && errno)
		return error_errno(error, "cannot read the control group");
	return code;
}

static void processes_free(struct processes *processes)
{
	memory_free(&processes->items);
}

int cgroup_processes(int fd, pid_t **ret, size_t *ret_count, struct error *error)
{
	CLEANUP(processes_free) struct processes processes = {};
	int code = walk_processes(fd, 0, &processes, error);

	if (code < 0)
		return code;
	*ret = MEMORY_TAKE(processes.items);
	*ret_count = processes.count;
	return 0;
}
