#include "run/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "enter/cover.h"
#include "run/folder_choice.h"

#define RUN_USER_SIZE 32 /* "/run/user/", ten digits and the NUL */

static bool has_run_user(uid_t uid)
{
	char path[RUN_USER_SIZE];
	struct stat status;

	snprintf(path, sizeof(path), "/run/user/%u", uid);
	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == uid;
}

/* The user database is asked last: it may lie on the network, and takes a while at best. */
int folders_config_path(char path[static PATH_MAX], struct error *error)
{
	struct folder_facts facts = {
		.uid = geteuid(),
		.config_home = getenv("XDG_CONFIG_HOME"),
		.home = getenv("HOME"),
	};
	int code = folder_choose_config(&facts, path, error);
	const struct passwd *account = code == -ENXIO ? getpwuid(geteuid()) : NULL;

	if (!account)
		return code;
	facts.account_home = account->pw_dir;
	return folder_choose_config(&facts, path, error);
}

int folders_runtime_path(char path[static PATH_MAX], struct error *error)
{
	const struct folder_facts facts = {
		.uid = geteuid(),
		.runtime = getenv("XDG_RUNTIME_DIR"),
		.run_user = has_run_user(geteuid()),
	};

	return folder_choose_runtime(&facts, path, error);
}

/* Makes one folder if it is missing. *owner is the owner of what is above it, and then its own. Root
 * stays out of other users' folders: what stands in them may change under its hands, and what root
 * made there would not be theirs. */
static int make_one(const char *path, uid_t *owner, struct error *error)
{
	struct stat status;

	if (stat(path, &status) < 0) {
		if (errno != ENOENT)
			return error_errno(error, "cannot look at %s", path);
		if (geteuid() == 0 && *owner != 0)
			return error_set(error, EPERM,
					 "root makes no folder %s in one of user %u: set HOME, or "
					 "the XDG variable that names it, to root's own",
					 path, *owner);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return error_errno(error, "cannot make the folder %s", path);
		status.st_uid = geteuid();
	}
	*owner = status.st_uid;
	return 0;
}

int folder_make(const char *path, struct error *error)
{
	CLEANUP(memory_free) char *part = memory_strdup(path);
	CLEANUP(fd_close) int fd = -1;
	uid_t owner = 0;
	int code = 0;

	for (char *slash = strchr(part + 1, '/'); slash && code == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		code = make_one(part, &owner, error);
		*slash = '/';
	}
	if (code == 0 && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		code = make_one(path, &owner, error);
	return code < 0 ? code : folder_open(path, &fd, error);
}

int folder_open(const char *path, int *ret, struct error *error)
{
	/* First without reading, which another user's folder may not allow: whose it is is the better
	 * thing to say. */
	CLEANUP(fd_close)
	int place = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	int fd;

	if (place < 0 && (errno == ENOTDIR || errno == ELOOP))
		return error_set(error, ENOTDIR,
				 "%s must be a folder, and no symbolic link to one: move it away",
				 path);
	if (place < 0 || fstat(place, &status) < 0)
		return error_errno(error, "cannot open the folder %s", path);
	if (status.st_uid != geteuid())
		return error_set(error, EPERM,
				 "the folder %s belongs to user %u and must be your own: HOME, "
				 "XDG_CONFIG_HOME and XDG_RUNTIME_DIR say where subu looks for it",
				 path, status.st_uid);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(error, EPERM,
				 "others may write to the folder %s: chmod go-w it, when you have "
				 "seen that all in it is yours",
				 path);
	fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(error, "cannot open the folder %s", path);
	*ret = fd;
	return 0;
}

int folders_config(char path[static PATH_MAX], struct error *error)
{
	int code = folders_config_path(path, error);

	return code < 0 ? code : folder_make(path, error);
}

int folders_runtime(char path[static PATH_MAX], struct error *error)
{
	int code = folders_runtime_path(path, error);

	return code < 0 ? code : folder_make(path, error);
}

struct list {
	char **items; /* owned */
	size_t count;
};

static void list_append(struct list *list, char *path)
{
	list->items = memory_resize(list->items, list->count + 2, sizeof(*list->items));
	list->items[list->count++] = path;
	list->items[list->count] = NULL;
}

static void append_of(struct list *list, uid_t uid)
{
	const struct passwd *account = getpwuid(uid);

	list_append(list, memory_format(COVER_RUN_USER, uid));
	list_append(list, memory_format(COVER_TEMPORARY, uid));
	if (account && *account->pw_dir == '/')
		list_append(list, memory_format("%s/.config/subu", account->pw_dir));
}

char **folders_of_keys(uid_t account)
{
	struct list list = {};
	char path[PATH_MAX];
	struct error ignored;

	if (folders_config(path, &ignored) == 0 || folders_config_path(path, &ignored) == 0)
		list_append(&list, memory_strdup(path));
	if (folders_runtime(path, &ignored) == 0 || folders_runtime_path(path, &ignored) == 0)
		list_append(&list, memory_strdup(path));
	append_of(&list, geteuid());
	if (account != geteuid())
		append_of(&list, account);
	if (has_run_user(geteuid())) {
		snprintf(path, sizeof(path), COVER_RUN_USER, geteuid());
		folder_make(path, &ignored);
	}
	return list.items;
}

void folders_free(char ***folders)
{
	for (char **path = *folders; path && *path; path++)
		free(*path);
	memory_free(folders);
}
