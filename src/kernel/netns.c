/* Named network namespaces.
 *
 * A name is a regular file in /run/netns with the namespace bind-mounted on it. The folder is a
 * shared mount of itself, so that a name made or taken away is so in every mount namespace that
 * shares it. iproute2 does all of this the same way, and either program can work on the other's
 * names.
 *
 * Making one has three steps that outlive the process: the folder's mount, the empty file, the
 * mount on the file. A process killed between any two leaves at most an empty file, which is not a
 * namespace for netns_open(), is taken over by netns_create() and removed by netns_delete(). All
 * that changes a name holds the folder's lock (flock, as iproute2 takes it for the folder's mount):
 * without it two could find the file empty and mount one namespace above the other.
 */
#include "kernel/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define NETNS_FOLDER   "/run/netns"
#define NETNS_PATH_MAX (sizeof(NETNS_FOLDER "/") + NAME_MAX)
#define NETNS_OWN      "/proc/thread-self/ns/net"

static int netns_path(const char *name, char path[static NETNS_PATH_MAX], struct error *error)
{
	if (!*name || strlen(name) > NAME_MAX || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return error_set(error, EINVAL,
				 "'%.100s' cannot be the name of a network namespace", name);
	snprintf(path, NETNS_PATH_MAX, NETNS_FOLDER "/%s", name);
	return 0;
}

/* Is it a file of the kernel's namespace file system, and of a network namespace? */
static bool is_netns(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC &&
	       ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

/* Opens the folder and waits for its lock, which goes with the descriptor. */
static int folder_lock(int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = open(NETNS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(error, "cannot open " NETNS_FOLDER);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(error, "cannot lock " NETNS_FOLDER);
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Only a mount can be made shared: EINVAL says that the folder is not one yet. */
static int folder_share(struct error *error)
{
	if (mount("", NETNS_FOLDER, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return error_errno(error, "cannot make " NETNS_FOLDER " a shared mount");
	if (mount(NETNS_FOLDER, NETNS_FOLDER, "none", MS_BIND | MS_REC, NULL) < 0)
		return error_errno(error, "cannot mount " NETNS_FOLDER " on itself");
	if (mount("", NETNS_FOLDER, "none", MS_SHARED | MS_REC, NULL) < 0)
		return error_errno(error, "cannot make " NETNS_FOLDER " a shared mount");
	return 0;
}

static int folder_make(int *ret_lock, struct error *error)
{
	CLEANUP(fd_close) int lock = -1;
	int code;

	if (mkdir(NETNS_FOLDER, 0755) < 0 && errno != EEXIST)
		return error_errno(error, "cannot make the folder " NETNS_FOLDER);
	code = folder_lock(&lock, error);
	if (code < 0)
		return code;
	code = folder_share(error);
	if (code < 0)
		return code;
	*ret_lock = fd_take(&lock);
	return 0;
}

/* Makes the file to mount on, or takes over an empty one. */
static int file_make(const char *path, struct error *error)
{
	CLEANUP(fd_close)
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat status;

	if (fd < 0)
		return error_errno(error, "cannot make the file %s", path);
	if (is_netns(fd))
		return error_set(error, EEXIST, "there is a network namespace at %s already", path);
	if (fstat(fd, &status) < 0)
		return error_errno(error, "cannot examine %s", path);
	if (!S_ISREG(status.st_mode) || status.st_size > 0)
		return error_set(
			error, EEXIST,
			"%s is in the way: it is neither a network namespace nor an empty file",
			path);
	return 0;
}

int netns_open_own(int *ret_fd, struct error *error)
{
	int fd = open(NETNS_OWN, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(error, "cannot open the own network namespace, " NETNS_OWN);
	*ret_fd = fd;
	return 0;
}

/* Makes a namespace and mounts it; the thread is back in its own at the end. Until it is mounted
 * only the thread holds it, so that it ends with a process that is killed. */
static int namespace_make(const char *path, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	CLEANUP(fd_close) int home = -1;
	int code = netns_open_own(&home, error);

	if (code < 0)
		return code;
	if (unshare(CLONE_NEWNET) < 0)
		return error_errno(error, "cannot make a network namespace");
	visit.home = fd_take(&home);
	if (mount(NETNS_OWN, path, "none", MS_BIND, NULL) < 0)
		return error_errno(error, "cannot mount the network namespace at %s", path);
	return 0;
}

int netns_create(const char *name, struct error *error)
{
	CLEANUP(fd_close) int lock = -1;
	char path[NETNS_PATH_MAX];
	int code;

	code = netns_path(name, path, error);
	if (code == 0)
		code = folder_make(&lock, error);
	if (code == 0)
		code = file_make(path, error);
	if (code < 0)
		return code;
	code = namespace_make(path, error);
	if (code < 0)
		unlink(path); /* an empty file that stays does no harm */
	return code;
}

int netns_delete(const char *name, struct error *error)
{
	CLEANUP(fd_close) int lock = -1;
	char path[NETNS_PATH_MAX];
	int code;

	code = netns_path(name, path, error);
	if (code == 0)
		code = folder_lock(&lock, error);
	if (code == -ENOENT)
		return 0;
	if (code < 0)
		return code;
	/* Another program may have stacked several; EINVAL: no mount is left. */
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return error_errno(error, "cannot unmount the network namespace at %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(error, "cannot remove %s", path);
	return 0;
}

bool netns_has_name(const char *name)
{
	char path[NETNS_PATH_MAX];
	struct error ignored;

	return netns_path(name, path, &ignored) == 0 && access(path, F_OK) == 0;
}

int netns_open(const char *name, int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	char path[NETNS_PATH_MAX];
	int code = netns_path(name, path, error);

	if (code < 0)
		return code;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_errno(error, "cannot open the network namespace %s", path);
	if (!is_netns(fd))
		return error_set(error, ENOENT, "%s is there but is no network namespace", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

int netns_visit_begin(struct netns_visit *visit, int netns_fd, struct error *error)
{
	CLEANUP(fd_close) int home = -1;
	int code = netns_open_own(&home, error);

	if (code < 0)
		return code;
	code = netns_enter(netns_fd, error);
	if (code < 0)
		return code;
	visit->home = fd_take(&home);
	return 0;
}

void netns_visit_end(struct netns_visit *visit)
{
	int saved = errno;

	if (visit->home < 0)
		return;
	if (setns(visit->home, CLONE_NEWNET) < 0) {
		fprintf(stderr, "subu: cannot return to the own network namespace: %s\n",
			strerror(errno));
		abort();
	}
	fd_close(&visit->home);
	errno = saved;
}

int netns_enter(int netns_fd, struct error *error)
{
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return error_errno(error, "cannot enter the network namespace");
	return 0;
}

int netns_cookie(int netns_fd, uint64_t *ret, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	CLEANUP(fd_close) int fd = -1;
	socklen_t size = sizeof(*ret);
	int code = netns_visit_begin(&visit, netns_fd, error);

	if (code < 0)
		return code;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &size) < 0)
		return error_errno(error, "cannot ask for the number of the network namespace");
	return 0;
}

/* Is it in the namespace? A process that is gone, or that the caller may not look at, is not. */
static bool process_is_in(pid_t pid, const struct stat *netns)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return stat(path, &status) == 0 && status.st_dev == netns->st_dev &&
	       status.st_ino == netns->st_ino;
}

int netns_processes(int netns_fd, pid_t **ret, size_t *ret_count, struct error *error)
{
	CLEANUP(folder_close) DIR *folder = opendir("/proc");
	CLEANUP(memory_free) pid_t *pids = NULL;
	const struct dirent *entry;
	struct stat netns;
	size_t count = 0;
	uint64_t pid;

	if (!folder)
		return error_errno(error, "cannot open /proc");
	if (fstat(netns_fd, &netns) < 0)
		return error_errno(error, "cannot examine the network namespace");
	while (errno = 0, (entry = readdir(folder))) {
		if (text_to_number(entry->d_name, 1, INT_MAX, &pid) < 0 || (pid_t)pid == getpid() ||
		    !process_is_in((pid_t)pid, &netns))
			continue;
		pids = memory_resize(pids, count + 1, sizeof(*pids));
		pids[count++] = (pid_t)pid;
	}
	if (errno)
		return error_errno(error, "cannot read /proc");
	*ret = MEMORY_TAKE(pids);
	*ret_count = count;
	return 0;
}
