/* The files that decide who is asked for a name, covered one by one in a private mount namespace.
 *
 * Files of our making lie on a small tmpfs. A copy of a mount can only be taken where it is
 * mounted, so the tmpfs stands over STAGING for a moment; then it has no name any more, and the
 * covers are all that is left of it, read-only. They go with the last process in the mount
 * namespace.
 *
 * A symbolic link is covered itself, not what it leads to. So a link that leads nowhere works, and
 * a service that replaces the file behind the link (NetworkManager, resolvconf) does not touch the
 * cover.
 *
 * Limit: when the machine replaces a covered file itself, by rename(2) or unlink(2), the kernel
 * takes the cover away, in every mount namespace (Linux 3.18 and later). A command that is running
 * then reads the machine's new resolv.conf. What it asks still leaves by the tunnel alone; only a
 * command started afterwards asks the right server.
 */
#include "enter/resolver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "enter/cover.h"
#include "enter/nsswitch.h"
#include "kernel/mount.h"

#define NETNS_ETC "/etc/netns" /* ip-netns(8) */

#define STAGING "/proc" /* a folder that every system has and that nothing here looks into */
#define COVER	(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

#define RESOLV_CONF   "resolv.conf"
#define NSSWITCH_CONF "nsswitch.conf"

static const char *const tmpfs_options[] = {"source", "subu", "mode", "0755", "size", "1m", NULL};

/* nscd answers for any program that asks the C library, whatever nsswitch.conf says;
 * systemd-resolved answers for nss-resolve and whoever speaks its varlink. */
static const char *const sockets[] = {"/run/nscd", "/var/run/nscd", "/run/systemd/resolve"};

static int cover_sockets(struct error *error)
{
	int code = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sockets) && code == 0; i++)
		code = cover_folder(sockets[i], error);
	return code;
}

/* Covers /etc/<name> with what is at the source. */
static int cover_etc(const char *name, const char *source, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	char path[PATH_MAX];
	int code = mount_copy(source, &fd, error);

	if (code < 0)
		return code;
	snprintf(path, sizeof(path), "/etc/%s", name);
	code = mount_attach(fd, path, error);
	if (code == -ENOENT)
		return error_set(error, ENOENT,
				 "this machine has no %s for the namespace's own to cover; an "
				 "empty file will do",
				 path);
	return code;
}

/* Covers files of /etc by those of the same name in /etc/netns/NETNS, but for those that are made.
 */
static int cover_by_folder(const char *path, bool with_resolv_conf, struct error *error)
{
	CLEANUP(folder_close) DIR *folder = opendir(path);
	const struct dirent *entry;
	char source[PATH_MAX];
	int code;

	if (!folder && errno == ENOENT)
		return 0;
	if (!folder)
		return error_errno(error, "cannot open %s", path);
	while (errno = 0, (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    strcmp(entry->d_name, NSSWITCH_CONF) == 0 ||
		    (strcmp(entry->d_name, RESOLV_CONF) == 0 && !with_resolv_conf))
			continue;
		snprintf(source, sizeof(source), "%s/%s", path, entry->d_name);
		code = cover_etc(entry->d_name, source, error);
		if (code < 0)
			return code;
	}
	return errno ? error_errno(error, "cannot read %s", path) : 0;
}

/* A file of our making; no text: it is not made. */
struct made {
	const char *name;
	const char *text;
};

static int write_file(int folder, const struct made *file, struct error *error)
{
	CLEANUP(fd_close)
	int fd = openat(folder, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t size = strlen(file->text);

	/* The umask is the command's, and stays. */
	if (fd < 0 || fchmod(fd, 0644) < 0 || write(fd, file->text, size) != (ssize_t)size)
		return error_errno(error, "cannot write the namespace's %s", file->name);
	return 0;
}

static int cover_by_made(const struct made *files, size_t count, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	int code = mount_create("tmpfs", tmpfs_options, COVER, &fd, error);

	for (size_t i = 0; i < count && code == 0; i++)
		if (files[i].text)
			code = write_file(fd, &files[i], error);
	if (code == 0)
		code = mount_attach(fd, STAGING, error);
	if (code == 0)
		code = mount_add_attributes(STAGING, MOUNT_ATTR_RDONLY, false, error);
	for (size_t i = 0; i < count && code == 0; i++) {
		char source[PATH_MAX];

		if (!files[i].text)
			continue;
		snprintf(source, sizeof(source), STAGING "/%s", files[i].name);
		code = cover_etc(files[i].name, source, error);
	}
	return code < 0 ? code : mount_detach(STAGING, error);
}

/* Reads a text file; NULL when there is none. */
static int read_text(const char *path, char **ret, struct error *error)
{
	CLEANUP(file_close) FILE *file = fopen(path, "re");
	CLEANUP(memory_free) char *text = NULL;
	size_t size = 0;

	if (!file && errno == ENOENT) {
		*ret = NULL;
		return 0;
	}
	if (!file)
		return error_errno(error, "cannot open %s", path);
	if (getdelim(&text, &size, '\0', file) < 0 && ferror(file))
		return error_errno(error, "cannot read %s", path);
	*ret = text ? MEMORY_TAKE(text) : memory_zalloc(1);
	return 0;
}

/* From the namespace's nsswitch.conf, or else the machine's; NULL when there is neither. */
static int make_nsswitch(const char *folder, char **ret, struct error *error)
{
	CLEANUP(memory_free) char *text = NULL;
	char path[PATH_MAX];
	int code = 0;

	snprintf(path, sizeof(path), "%s/" NSSWITCH_CONF, folder ? folder : "");
	if (folder)
		code = read_text(path, &text, error);
	if (code == 0 && !text)
		code = read_text("/etc/" NSSWITCH_CONF, &text, error);
	if (code < 0)
		return code;
	*ret = text ? nsswitch_rewrite(text) : NULL;
	return 0;
}

/* The text of resolv.conf; NULL when the namespace has a file of its own. */
static char *make_resolv_conf(const char *folder, const struct dns *dns)
{
	char own[PATH_MAX];

	snprintf(own, sizeof(own), "%s/" RESOLV_CONF, folder ? folder : "");
	if (folder && dns->server_count == 0 &&
	    faccessat(AT_FDCWD, own, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return NULL;
	return dns_resolv_conf(dns);
}

int resolver_install(const char *netns, const struct dns *dns, struct error *error)
{
	CLEANUP(memory_free)
	char *folder = netns ? memory_format(NETNS_ETC "/%s", netns) : NULL;
	CLEANUP(memory_free) char *resolv_conf = make_resolv_conf(folder, dns);
	CLEANUP(memory_free) char *nsswitch = NULL;
	int code = cover_sockets(error);

	if (code == 0)
		code = make_nsswitch(folder, &nsswitch, error);
	if (code == 0 && folder)
		code = cover_by_folder(folder, !resolv_conf, error);
	if (code < 0)
		return code;
	return cover_by_made((struct made[]){{RESOLV_CONF, resolv_conf}, {NSSWITCH_CONF, nsswitch}},
			     2, error);
}
