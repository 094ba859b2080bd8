/* A cover can only be taken away with CAP_SYS_ADMIN over the mount namespace, which the command has
 * not; in a user namespace of its own making the covers are locked (mount_namespaces(7)). */
#include "enter/cover.h"

#include <errno.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/memory.h"
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

int cover_folder(const char *path, struct error *error)
{
	static const char *const options[] = {"source", "subu", "mode", "0755", "size", "1m", NULL};
	CLEANUP(fd_close) int fd = -1;
	int code;

	if (!is_there(path))
		return 0;
	code = mount_create("tmpfs", options, EMPTY_ATTRIBUTES, &fd, error);
	return code < 0 ? code : mount_attach(fd, path, error);
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
	return code < 0 ? code : mount_add_attributes(path, MOUNT_ATTR_RDONLY, true, error);
}

int cover_own(struct error *error)
{
	int code = 0;

	for (size_t i = 0; i < ARRAY_SIZE(own_folders) && code == 0; i++)
		code = cover_folder(own_folders[i], error);
	for (size_t i = 0; i < ARRAY_SIZE(settings) && code == 0; i++)
		code = make_read_only(settings[i], error);
	return code;
}
