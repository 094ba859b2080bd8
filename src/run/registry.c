#include "run/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/output.h"
#include "base/text.h"
#include "run/folders.h"
#include "run/record.h"

#define RECORD_FILE "record.json"
#define REASON_FILE "reason"
#define LOCK_FILE   "lock" /* of the registry, and of each tunnel */

const char *registry_file(const struct registry *registry, const char *name, const char *file,
			  char path[static PATH_MAX])
{
	int size = snprintf(path, PATH_MAX, "%s/%s/%s", registry->folder, name, file);

	/* The folder was made, so that what is in it has a path the kernel takes, or none at all. */
	if (size >= PATH_MAX)
		*path = '\0';
	return path;
}

static const char *folder_of(const struct registry *registry, const char *name,
			     char path[static PATH_MAX])
{
	registry_file(registry, name, "", path);
	return path;
}

static int read_record(const struct registry *registry, const char *name, struct record *ret,
		       struct error *error)
{
	CLEANUP(output_release) json_t *value = NULL;
	char path[PATH_MAX];
	int code;

	value = json_load_file(registry_file(registry, name, RECORD_FILE, path), 0, NULL);
	if (!value)
		return error_set(error, ENOENT, "the tunnel %s has no record", name);
	code = record_unpack(value, ret, error);
	if (code == 0 && strcmp(ret->name, name) != 0) {
		record_clear(ret);
		return error_set(error, EPROTO, "the record of the tunnel %s is another's", name);
	}
	return code;
}

/* The kernel says who holds the lock. A holder that cannot be seen from the process namespace here
 * lives, too. */
static bool is_alive(const struct registry *registry, const char *name)
{
	struct error ignored;
	char path[PATH_MAX];
	pid_t holder;

	return process_lock_holder(registry_file(registry, name, LOCK_FILE, path), &holder,
				   &ignored) < 0 ||
	       holder;
}

int registry_hold(const struct registry *registry, const char *name, struct error *error)
{
	char path[PATH_MAX];
	int fd;

	/* The descriptor stays open for life, as a lock's must. */
	return process_lock(registry_file(registry, name, LOCK_FILE, path), &fd, error);
}

void registry_forget(const struct registry *registry, const char *name)
{
	char path[PATH_MAX];

	unlink(registry_file(registry, name, RECORD_FILE, path));
}

int registry_remove(const struct registry *registry, const char *name, struct error *error)
{
	char path[PATH_MAX], file[PATH_MAX];
	CLEANUP(folder_close) DIR *folder = opendir(folder_of(registry, name, path));
	const struct dirent *entry;

	if (!folder && errno == ENOENT)
		return 0;
	while (folder && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlink(registry_file(registry, name, entry->d_name, file));
	if (rmdir(path) < 0 && errno != ENOENT)
		return error_errno(error, "cannot remove %s", path);
	return 0;
}

void registry_write_reason(const struct registry *registry, const char *name, const char *reason)
{
	char path[PATH_MAX];
	CLEANUP(fd_close)
	int fd = open(registry_file(registry, name, REASON_FILE, path),
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* It is for people, and lost with the disk full. */
	if (fd >= 0 && write(fd, reason, strlen(reason)) < 0)
		errno = 0;
}

void registry_read_reason(const struct registry *registry, const char *name, char *reason,
			  size_t size)
{
	char path[PATH_MAX];
	CLEANUP(fd_close)
	int fd = open(registry_file(registry, name, REASON_FILE, path),
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = fd < 0 ? -1 : read(fd, reason, size - 1);

	reason[got > 0 ? got : 0] = '\0';
	text_make_printable(reason);
}

/* Removes the tunnel unless its supervisor lives. Whoever adds one has the registry's lock until the
 * supervisor has its own. */
static int remove_if_left(const struct registry *registry, const char *name,
			  const struct registry_listener *listener, struct error *error)
{
	char reason[sizeof(error->text)];

	if (is_alive(registry, name))
		return 0;
	registry_read_reason(registry, name, reason, sizeof(reason));
	if (*reason && listener->ended)
		listener->ended(listener->data, name, reason);
	return registry_remove(registry, name, error);
}

/* Anything else is not of subu's making, a link to a folder above all: what that leads to is not to be
 * removed. */
static bool is_tunnel(DIR *folder, const char *name)
{
	struct stat status;

	return name[0] != '.' && strlen(name) < RECORD_NAME_MAX &&
	       fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(status.st_mode);
}

/* Calls for each folder of a tunnel. */
static int for_each(const struct registry *registry,
		    int (*call)(const struct registry *registry, const char *name, void *data,
				struct error *error),
		    void *data, struct error *error)
{
	CLEANUP(folder_close) DIR *folder = opendir(registry->folder);
	const struct dirent *entry;
	int code = 0;

	if (!folder)
		return error_errno(error, "cannot open %s", registry->folder);
	while (code == 0 && (errno = 0, entry = readdir(folder)))
		if (is_tunnel(folder, entry->d_name))
			code = call(registry, entry->d_name, data, error);
	if (code == 0 && errno)
		return error_errno(error, "cannot read %s", registry->folder);
	return code;
}

static int clean_one(const struct registry *registry, const char *name, void *data,
		     struct error *error)
{
	return remove_if_left(registry, name, data, error);
}

static int take_lock(int fd, const char *folder, const struct registry_listener *listener)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK && listener->waiting)
		listener->waiting(listener->data, folder);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

int registry_lock(struct registry *registry, const struct registry_listener *listener,
		  struct error *error)
{
	CLEANUP(memory_free) char *path = memory_format("%s/" LOCK_FILE, registry->folder);
	CLEANUP(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == EROFS)
		return error_set(error, EROFS,
				 "%s is covered, as in every command of `subu run`: it makes no "
				 "tunnels of its own",
				 registry->folder);
	if (fd < 0)
		return error_errno(error, "cannot open the lock file %s", path);
	if (take_lock(fd, registry->folder, listener) < 0)
		return error_errno(error, "cannot lock %s", path);
	registry->lock = fd_take(&fd);
	return 0;
}

int registry_open(const struct registry_listener *listener, struct registry *ret,
		  struct error *error)
{
	CLEANUP(registry_close) struct registry registry = REGISTRY_NONE;
	struct registry_listener copy = *listener;
	int code = folders_runtime(registry.folder, error);

	if (code == 0)
		code = registry_lock(&registry, listener, error);
	if (code == 0)
		code = for_each(&registry, clean_one, &copy, error);
	if (code < 0)
		return code;
	*ret = registry;
	registry.lock = -1;
	return 0;
}

void registry_close(struct registry *registry)
{
	fd_close(&registry->lock);
}

struct list {
	struct record *records;
	size_t count;
};

/* One that cannot be read has just gone. */
static int list_one(const struct registry *registry, const char *name, void *data,
		    struct error *error)
{
	struct list *list = data;
	struct record record;
	struct error ignored;

	if (read_record(registry, name, &record, &ignored) < 0)
		return 0;
	list->records = memory_resize(list->records, list->count + 1, sizeof(*list->records));
	list->records[list->count++] = record;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct record *left = a, *right = b;

	return strcmp(left->name, right->name);
}

int registry_list(const struct registry *registry, struct record **ret, size_t *ret_count,
		  struct error *error)
{
	struct list list = {};
	int code = for_each(registry, list_one, &list, error);

	if (code < 0) {
		registry_list_clear(list.records, list.count);
		return code;
	}
	if (list.count)
		qsort(list.records, list.count, sizeof(*list.records), by_name);
	*ret = list.records;
	*ret_count = list.count;
	return 0;
}

void registry_list_clear(struct record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		record_clear(&records[i]);
	free(records);
}

int registry_find(const struct registry *registry, const char *name, struct record *ret,
		  struct error *error)
{
	if (!*name || *name == '.' || strchr(name, '/') || strlen(name) >= RECORD_NAME_MAX ||
	    read_record(registry, name, ret, error) < 0)
		return error_set(error, ENOENT, "no tunnel %.64s is up: see `subu status`", name);
	return 0;
}

int registry_add(const struct registry *registry, const char *name, struct error *error)
{
	char path[PATH_MAX];

	if (mkdir(folder_of(registry, name, path), 0700) < 0) {
		if (errno == EEXIST)
			return error_set(error, ENOTUNIQ,
					 "the tunnel %s is up already: see `subu status %s`", name,
					 name);
		return error_errno(error, "cannot make the folder %s", path);
	}
	if (mkfifo(registry_file(registry, name, "leash", path), 0600) < 0)
		return error_errno(error, "cannot make %s", path);
	return 0;
}

int registry_write(const struct registry *registry, const struct record *record,
		   struct error *error)
{
	CLEANUP(output_release) json_t *value = record_pack(record);
	char path[PATH_MAX], next[PATH_MAX];

	registry_file(registry, record->name, RECORD_FILE, path);
	registry_file(registry, record->name, RECORD_FILE ".new", next);
	if (!value || json_dump_file(value, next, JSON_COMPACT) < 0 || rename(next, path) < 0)
		return error_errno(error, "cannot write %s", path);
	return 0;
}
