#include "egress/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/bpffs.h"

#define FOLDER_TRIES 100
#define NLINK_EMPTY  2 /* of a folder with no folder in it */

static const char *folder_path(const char *subu, char buffer[static PATH_MAX])
{
	snprintf(buffer, PATH_MAX, PIN_FOLDER "/%s", subu);
	return buffer;
}

bool pin_folder_left(const char *subu)
{
	char path[PATH_MAX];
	struct stat status;

	return access(folder_path(subu, path), F_OK) == 0 ||
	       (stat(PIN_FOLDER, &status) == 0 && status.st_nlink == NLINK_EMPTY);
}

/* Who uses another database may take the empty folder away before it gets its first entry. */
int pin_folder_create(const char *subu, struct error *error)
{
	char path[PATH_MAX];
	int made, code = bpffs_mount(error);

	folder_path(subu, path);
	for (int i = 0; code == 0 && i < FOLDER_TRIES; i++) {
		if (mkdir(PIN_FOLDER, 0700) < 0 && errno != EEXIST)
			return error_errno(error, "cannot make " PIN_FOLDER);
		made = mkdir(path, 0700);
		if (made == 0 || errno == EEXIST)
			return 0;
		if (errno != ENOENT)
			break;
	}
	return code < 0 ? code : error_errno(error, "cannot make %s", path);
}

int pin_folder_delete(const char *subu, struct error *error)
{
	char path[PATH_MAX];
	CLEANUP(folder_close) DIR *folder = opendir(folder_path(subu, path));
	const struct dirent *entry;

	if (!folder && errno != ENOENT)
		return error_errno(error, "cannot look into %s", path);
	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(folder), entry->d_name, 0) < 0)
			return error_errno(error, "cannot remove %s/%s", path, entry->d_name);
	if (rmdir(path) < 0 && errno != ENOENT)
		return error_errno(error, "cannot remove %s", path);
	rmdir(PIN_FOLDER); /* others may be in it */
	return 0;
}

static const char *pin_path(const char *subu, const char *name, char buffer[static PATH_MAX])
{
	snprintf(buffer, PATH_MAX, PIN_FOLDER "/%s/%s", subu, name);
	return buffer;
}

int pin_open(const char *subu, const char *name, int *ret_fd, struct error *error)
{
	char path[PATH_MAX];
	int fd = bpf_obj_get(pin_path(subu, name, path));

	if (fd < 0 && errno != ENOENT)
		return error_errno(error, "cannot open %s", path);
	*ret_fd = fd;
	return 0;
}

int pin_delete(const char *subu, const char *name, struct error *error)
{
	char path[PATH_MAX];

	if (unlink(pin_path(subu, name, path)) < 0 && errno != ENOENT)
		return error_errno(error, "cannot remove %s", path);
	return 0;
}

int pin_add(int fd, const char *subu, const char *name, struct error *error)
{
	char path[PATH_MAX];

	if (bpf_obj_pin(fd, pin_path(subu, name, path)) < 0)
		return error_errno(error, "cannot pin %s", path);
	return 0;
}

/* No dot in a name there: the kernel keeps those for itself. */
int pin_replace(int fd, const char *subu, const char *name, struct error *error)
{
	CLEANUP(memory_free) char *fresh = memory_format("%s_new", name);
	char from[PATH_MAX], to[PATH_MAX];
	int code = pin_delete(subu, fresh, error);

	if (code == 0)
		code = pin_add(fd, subu, fresh, error);
	if (code < 0)
		return code;
	if (rename(pin_path(subu, fresh, from), pin_path(subu, name, to)) < 0)
		return error_errno(error, "cannot rename %s", from);
	return 0;
}
