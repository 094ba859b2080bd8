#include "run/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/memory.h"
#include "run/folders.h"
#include "wireguard/conf.h"

#define FOLDER_BELOW "/profiles"
#define FILE_ENDING  ".conf"

char *profile_file(const char *name, char file[static PROFILE_FILE_SIZE])
{
	snprintf(file, PROFILE_FILE_SIZE, "%s" FILE_ENDING, name);
	return file;
}

/* No profile's name begins with a dot, so neither is a profile's. */
char *profile_draft_file(const char *name, char file[static PROFILE_FILE_SIZE])
{
	snprintf(file, PROFILE_FILE_SIZE, ".%s.edit" FILE_ENDING, name);
	return file;
}

char *profile_base_file(const char *name, char file[static PROFILE_FILE_SIZE])
{
	snprintf(file, PROFILE_FILE_SIZE, ".%s.base", name);
	return file;
}

int profile_check_name(const char *name, struct error *error)
{
	return name_check("profile", name, error);
}

static int parse(const char *label, const struct secret_text *text, struct tunnel *ret,
		 unsigned int *ret_ignored, struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	unsigned int ignored = 0;
	int code = conf_parse(label, text->bytes, text->size, &tunnel, &ignored, error);

	if (code == 0)
		code = conf_check(label, &tunnel, error);
	if (code < 0)
		return code;
	*ret = tunnel;
	tunnel = (struct tunnel){};
	*ret_ignored = ignored;
	return 0;
}

int profile_parse(const char *label, const struct secret_text *text, struct tunnel *ret,
		  unsigned int *ret_ignored, struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	struct key public_key;
	int code = parse(label, text, &tunnel, ret_ignored, error);

	if (code == 0 && tunnel_check_peers(&tunnel, &public_key, error) < 0)
		code = error_wrap(error, "%.200s", label);
	if (code < 0)
		return code;
	*ret = tunnel;
	tunnel = (struct tunnel){};
	return 0;
}

int profile_missing(const char *name, struct error *error)
{
	return error_set(error, ENOENT,
			 "there is no profile %s: `subu profile list` names those there are", name);
}

int profile_exists(const char *name, struct error *error)
{
	return error_set(error, EEXIST,
			 "there is a profile %s already: give another name, or "
			 "`subu profile delete %s` first",
			 name, name);
}

static int append_below(char path[static PATH_MAX], struct error *error)
{
	if (strlen(path) + strlen(FOLDER_BELOW) >= PATH_MAX)
		return error_set(error, ENAMETOOLONG,
				 "the path of the folder %.100s... is too long: %d characters are "
				 "the most",
				 path, PATH_MAX - 1);
	strcat(path, FOLDER_BELOW);
	return 0;
}

/* Both folders must be the user's own: who may write to the outer one can exchange the other. */
int profile_open_folder(struct private_folder *ret, struct error *error)
{
	CLEANUP(private_folder_close) struct private_folder folder = {.fd = -1};
	CLEANUP(fd_close) int outer = -1;
	int code = folders_config_path(folder.path, error);

	if (code == 0)
		code = folder_open(folder.path, &outer, error);
	if (code == 0)
		code = append_below(folder.path, error);
	if (code == 0)
		code = folder_open(folder.path, &folder.fd, error);
	if (code < 0)
		return code;
	*ret = folder;
	folder.fd = -1;
	return 0;
}

static int make_folder(struct private_folder *ret, struct error *error)
{
	char path[PATH_MAX];
	int code = folders_config(path, error);

	if (code == 0)
		code = append_below(path, error);
	if (code == 0)
		code = folder_make(path, error);
	return code < 0 ? code : profile_open_folder(ret, error);
}

int profile_path(const char *name, char path[static PATH_MAX], struct error *error)
{
	CLEANUP(private_folder_close) struct private_folder folder = {.fd = -1};
	char file[PROFILE_FILE_SIZE];
	int code = profile_check_name(name, error);

	if (code == 0)
		code = profile_open_folder(&folder, error);
	if (code == 0 &&
	    faccessat(folder.fd, profile_file(name, file), F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		code = error_errno(error, "cannot look at the profile %s", name);
	if (code == -ENOENT)
		return profile_missing(name, error);
	if (code == 0)
		private_file_path(&folder, file, path);
	return code;
}

int profile_read(const char *name, struct secret_text *ret, struct error *error)
{
	CLEANUP(private_folder_close) struct private_folder folder = {.fd = -1};
	char file[PROFILE_FILE_SIZE];
	int code = profile_check_name(name, error);

	if (code == 0)
		code = profile_open_folder(&folder, error);
	if (code == 0)
		code = private_file_read(&folder, profile_file(name, file), ret, error);
	return code == -ENOENT ? profile_missing(name, error) : code;
}

int profile_load(const char *name, struct tunnel *ret, unsigned int *ret_ignored,
		 struct error *error)
{
	CLEANUP(secret_text_clear) struct secret_text text = {};
	char path[PATH_MAX];
	int code = profile_path(name, path, error);

	if (code == 0)
		code = profile_read(name, &text, error);
	return code < 0 ? code : parse(path, &text, ret, ret_ignored, error);
}

/* Takes the name out of the name of a file; whatever else editors and people leave there is none. */
static bool take_name(const char *file, char name[static NAME_SIZE])
{
	size_t size = strlen(file), ending = strlen(FILE_ENDING);
	struct error ignored;

	if (size <= ending || size - ending >= NAME_SIZE ||
	    strcmp(file + size - ending, FILE_ENDING) != 0)
		return false;
	memcpy(name, file, size - ending);
	name[size - ending] = '\0';
	return profile_check_name(name, &ignored) == 0;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(left, right);
}

int profile_list(char (**ret)[NAME_SIZE], size_t *ret_count, struct error *error)
{
	CLEANUP(private_folder_close) struct private_folder folder = {.fd = -1};
	CLEANUP(memory_free) char(*names)[NAME_SIZE] = memory_resize(NULL, 0, NAME_SIZE);
	CLEANUP(folder_close) DIR *listing = NULL;
	const struct dirent *entry;
	size_t count = 0;
	int code = profile_open_folder(&folder, error);

	if (code < 0 && code != -ENOENT)
		return code;
	if (code == 0) {
		listing = fdopendir(folder.fd);
		if (!listing)
			return error_errno(error, "cannot read the folder %s", folder.path);
		folder.fd = -1; /* the listing's now */
	}
	errno = 0;
	while (listing && (entry = readdir(listing))) {
		names = memory_resize(names, count + 1, NAME_SIZE);
		count += take_name(entry->d_name, names[count]);
	}
	if (errno)
		return error_errno(error, "cannot read the folder %s", folder.path);
	qsort(names, count, NAME_SIZE, compare_names);
	*ret = MEMORY_TAKE(names);
	*ret_count = count;
	return 0;
}

int profile_add(const char *name, const struct secret_text *text, struct error *error)
{
	CLEANUP(private_folder_close) struct private_folder folder = {.fd = -1};
	char file[PROFILE_FILE_SIZE];
	int code = profile_check_name(name, error);

	if (code == 0)
		code = make_folder(&folder, error);
	if (code == 0)
		code = private_folder_lock(&folder, error);
	if (code == 0)
		code = private_file_add(&folder, profile_file(name, file), text, error);
	return code == -EEXIST ? profile_exists(name, error) : code;
}

int profile_lock(const char *name, int fd, struct error *error)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return error_set(error, EBUSY,
				 "the profile %s is being edited by another subu: try again when "
				 "that is done",
				 name);
	return error_errno(error, "cannot lock the profile %s", name);
}

/* What cannot be opened is not edited either, and may go. */
static int check_idle(const struct private_folder *folder, const char *name, const char *file,
		      struct error *error)
{
	CLEANUP(fd_close)
	int fd = openat(folder->fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd < 0 ? 0 : profile_lock(name, fd, error);
}

static int remove_if_there(const struct private_folder *folder, const char *file,
			   struct error *error)
{
	int code = private_file_remove(folder, file, error);

	return code == -ENOENT ? 0 : code;
}

int profile_forget_edit(const struct private_folder *folder, const char *name, struct error *error)
{
	char file[PROFILE_FILE_SIZE];
	int code = remove_if_there(folder, profile_draft_file(name, file), error);

	return code < 0 ? code : remove_if_there(folder, profile_base_file(name, file), error);
}

/* The profile goes last: killed before that, the same verb finds it and what is left of it. */
int profile_delete(const char *name, struct error *error)
{
	CLEANUP(private_folder_close) struct private_folder folder = {.fd = -1};
	char file[PROFILE_FILE_SIZE], path[PATH_MAX];
	int code = profile_path(name, path, error);

	if (code == 0)
		code = profile_open_folder(&folder, error);
	if (code == 0)
		code = private_folder_lock(&folder, error);
	if (code == 0)
		code = check_idle(&folder, name, profile_file(name, file), error);
	if (code == 0)
		code = profile_forget_edit(&folder, name, error);
	if (code == 0)
		code = private_file_remove(&folder, profile_file(name, file), error);
	return code == -ENOENT ? profile_missing(name, error) : code;
}
