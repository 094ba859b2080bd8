#include "run/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "wireguard/conf.h"

char *private_file_path(const struct private_folder *folder, const char *name,
			char path[static PATH_MAX])
{
	size_t size = strlen(folder->path);

	memcpy(path, folder->path, size + 1);
	snprintf(path + size, PATH_MAX - size, "/%s", name);
	return path;
}

static int check(int fd, const char *path, struct error *error)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_errno(error, "cannot look at %s", path);
	if (!S_ISREG(status.st_mode))
		return error_set(error, EINVAL, "%s is not a regular file: move it away", path);
	if (status.st_uid != geteuid())
		return error_set(error, EPERM,
				 "%s belongs to user %u and must be your own: move it away", path,
				 status.st_uid);
	if (status.st_mode & (S_IRWXG | S_IRWXO))
		return error_set(error, EPERM, "others may read or write %s: chmod 600 it", path);
	return 0;
}

int private_file_open(const struct private_folder *folder, const char *name, int *ret,
		      struct error *error)
{
	/* Without O_NONBLOCK a FIFO would keep us waiting before it can be refused. */
	CLEANUP(fd_close)
	int fd =
		openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	char path[PATH_MAX];
	int code;

	private_file_path(folder, name, path);
	if (fd < 0 && errno == ELOOP)
		return error_set(error, ELOOP, "%s is a symbolic link, not a file: move it away",
				 path);
	if (fd < 0)
		return error_errno(error, "cannot open %s", path);
	code = check(fd, path, error);
	if (code == 0)
		*ret = fd_take(&fd);
	return code;
}

int private_file_read(const struct private_folder *folder, const char *name,
		      struct secret_text *ret, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	char path[PATH_MAX];
	int code = private_file_open(folder, name, &fd, error);

	if (code < 0)
		return code;
	private_file_path(folder, name, path);
	return secret_text_read(fd, path, CONF_SIZE_MAX, ret, error);
}

static int write_all(int fd, const struct secret_text *text)
{
	size_t done = 0;

	while (done < text->size) {
		ssize_t put = write(fd, text->bytes + done, text->size - done);

		if (put < 0 && errno != EINTR)
			return -1;
		if (put > 0)
			done += (size_t)put;
	}
	return fsync(fd);
}

/* The text under the name beside, whole and on the disk. */
static int write_new(const struct private_folder *folder, const char *path,
		     const struct secret_text *text, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;

	if (unlinkat(folder->fd, PRIVATE_FILE_NEW, 0) < 0 && errno != ENOENT)
		return error_errno(error, "cannot remove %s/%s, which a killed subu left",
				   folder->path, PRIVATE_FILE_NEW);
	fd = openat(folder->fd, PRIVATE_FILE_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, text) < 0) {
		error_errno(error, "cannot write %s", path);
		unlinkat(folder->fd, PRIVATE_FILE_NEW, 0);
		return -error->code;
	}
	return 0;
}

/* Gives what was written its name: a link, which never replaces, or a renaming, which does. */
static int write_file(const struct private_folder *folder, const char *name, bool replace,
		      const struct secret_text *text, struct error *error)
{
	char path[PATH_MAX];
	int code = write_new(folder, private_file_path(folder, name, path), text, error);

	if (code < 0)
		return code;
	if (replace)
		code = renameat(folder->fd, PRIVATE_FILE_NEW, folder->fd, name);
	else
		code = linkat(folder->fd, PRIVATE_FILE_NEW, folder->fd, name, 0);
	if (code < 0)
		code = error_errno(error, "cannot make %s", path);
	if (code < 0 || !replace)
		unlinkat(folder->fd, PRIVATE_FILE_NEW, 0);
	if (code == 0 && fsync(folder->fd) < 0)
		code = error_errno(error, "cannot write the folder %s", folder->path);
	return code;
}

int private_file_add(const struct private_folder *folder, const char *name,
		     const struct secret_text *text, struct error *error)
{
	return write_file(folder, name, false, text, error);
}

int private_file_replace(const struct private_folder *folder, const char *name,
			 const struct secret_text *text, struct error *error)
{
	return write_file(folder, name, true, text, error);
}

int private_file_remove(const struct private_folder *folder, const char *name, struct error *error)
{
	char path[PATH_MAX];

	if (unlinkat(folder->fd, name, 0) < 0)
		return error_errno(error, "cannot remove %s",
				   private_file_path(folder, name, path));
	if (fsync(folder->fd) < 0)
		return error_errno(error, "cannot write the folder %s", folder->path);
	return 0;
}

int private_folder_lock(const struct private_folder *folder, struct error *error)
{
	while (flock(folder->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(error, "cannot lock the folder %s", folder->path);
	return 0;
}

void private_folder_unlock(const struct private_folder *folder)
{
	flock(folder->fd, LOCK_UN);
}

void private_folder_close(struct private_folder *folder)
{
	fd_close(&folder->fd);
}
