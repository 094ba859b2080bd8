#include "run/profile_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* What an edit has to do with. */
struct texts {
	struct secret_text draft, base, profile;
};

static void texts_clear(struct texts *texts)
{
	secret_text_clear(&texts->draft);
	secret_text_clear(&texts->base);
	secret_text_clear(&texts->profile);
}

/* The base is there before the draft, so that no draft is without one. */
static int make_draft(const struct profile_edit *edit, struct error *error)
{
	CLEANUP(secret_text_clear) struct secret_text text = {};
	char file[PROFILE_FILE_SIZE];
	int code = private_file_read(&edit->folder, profile_file(edit->name, file), &text, error);

	if (code == 0)
		code = private_file_replace(&edit->folder, profile_base_file(edit->name, file),
					    &text, error);
	if (code == 0)
		code = private_file_add(&edit->folder, profile_draft_file(edit->name, file), &text,
					error);
	return code;
}

/* Editors that write a new file give it the mode they like. */
static void make_private(const struct profile_edit *edit)
{
	char file[PROFILE_FILE_SIZE];
	CLEANUP(fd_close)
	int fd = openat(edit->folder.fd, profile_draft_file(edit->name, file),
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0)
		fchmod(fd, 0600);
}

/* Before an editor is let at it, which follows whatever stands there. */
static int check_draft_file(const struct profile_edit *edit, const char *file, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;

	make_private(edit);
	return private_file_open(&edit->folder, file, &fd, error);
}

/* Under the folder's lock, which every change of the profile is under: what is opened here is not
 * replaced before it is locked. */
static int begin(struct profile_edit *edit, struct error *error)
{
	char file[PROFILE_FILE_SIZE];
	int code = private_file_open(&edit->folder, profile_file(edit->name, file), &edit->lock,
				     error);

	if (code == 0)
		code = profile_lock(edit->name, edit->lock, error);
	if (code < 0)
		return code;
	private_file_path(&edit->folder, profile_draft_file(edit->name, file), edit->draft);
	edit->resumed = faccessat(edit->folder.fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return edit->resumed ? check_draft_file(edit, file, error) : make_draft(edit, error);
}

int profile_edit_begin(const char *name, struct profile_edit *ret, struct error *error)
{
	CLEANUP(profile_edit_clear) struct profile_edit edit = {.folder.fd = -1, .lock = -1};
	char path[PATH_MAX];
	int code = profile_path(name, path, error);

	if (code < 0)
		return code;
	strcpy(edit.name, name);
	code = profile_open_folder(&edit.folder, error);
	if (code == 0)
		code = private_folder_lock(&edit.folder, error);
	if (code == 0)
		code = begin(&edit, error);
	if (code < 0)
		return code == -ENOENT ? profile_missing(name, error) : code;
	private_folder_unlock(&edit.folder);
	*ret = edit;
	edit.folder.fd = edit.lock = -1;
	return 0;
}

static int read_if_there(const struct profile_edit *edit, const char *file, struct secret_text *ret,
			 struct error *error)
{
	int code = private_file_read(&edit->folder, file, ret, error);

	return code == -ENOENT ? 0 : code;
}

static int read_texts(const struct profile_edit *edit, struct texts *texts, struct error *error)
{
	char file[PROFILE_FILE_SIZE];
	int code;

	make_private(edit);
	code = private_file_read(&edit->folder, profile_draft_file(edit->name, file), &texts->draft,
				 error);
	if (code == 0)
		code = read_if_there(edit, profile_base_file(edit->name, file), &texts->base,
				     error);
	if (code == 0)
		code = read_if_there(edit, profile_file(edit->name, file), &texts->profile, error);
	return code;
}

/* The user has been told: his next edit starts from what is there now. */
static int say_stale(const struct profile_edit *edit, const struct texts *texts,
		     struct error *error)
{
	char file[PROFILE_FILE_SIZE];
	int code;

	if (!texts->profile.bytes)
		return error_set(error, ESTALE,
				 "the profile %s was deleted while you edited it: your text is "
				 "kept at %s, and `subu profile import` takes it",
				 edit->name, edit->draft);
	code = private_file_replace(&edit->folder, profile_base_file(edit->name, file),
				    &texts->profile, error);
	if (code < 0)
		return code;
	return error_set(error, ESTALE,
			 "the profile %s was changed by somebody else while you edited it, and "
			 "stays so: your text is kept at %s, and the next `subu profile edit %s` "
			 "goes on with it and replaces the profile",
			 edit->name, edit->draft, edit->name);
}

static int check_draft(const struct profile_edit *edit, const struct texts *texts,
		       unsigned int *ret_ignored, struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	int code = profile_parse(edit->draft, &texts->draft, &tunnel, ret_ignored, error);

	if (code < 0)
		return error_wrap(error,
				  "the profile %s is as it was, and your text is kept for the next "
				  "`subu profile edit %s`",
				  edit->name, edit->name);
	return 0;
}

static bool same(const struct secret_text *one, const struct secret_text *other)
{
	return one->bytes && other->bytes && secret_text_equal(one, other);
}

static int finish(const struct profile_edit *edit, enum profile_edit_result *ret,
		  unsigned int *ret_ignored, struct error *error)
{
	CLEANUP(texts_clear) struct texts texts = {};
	unsigned int ignored = 0;
	char file[PROFILE_FILE_SIZE];
	bool unchanged;
	int code = read_texts(edit, &texts, error);

	if (code < 0)
		return code;
	unchanged = same(&texts.draft, &texts.base) || same(&texts.draft, &texts.profile);
	if (!unchanged) {
		code = check_draft(edit, &texts, &ignored, error);
		if (code == 0 && !same(&texts.base, &texts.profile))
			code = say_stale(edit, &texts, error);
		if (code == 0)
			code = private_file_replace(&edit->folder, profile_file(edit->name, file),
						    &texts.draft, error);
	}
	if (code == 0)
		code = profile_forget_edit(&edit->folder, edit->name, error);
	if (code < 0)
		return code;
	*ret = unchanged ? PROFILE_EDIT_UNCHANGED : PROFILE_EDIT_REPLACED;
	*ret_ignored = ignored;
	return 0;
}

int profile_edit_finish(struct profile_edit *edit, enum profile_edit_result *ret,
			unsigned int *ret_ignored, struct error *error)
{
	int code = private_folder_lock(&edit->folder, error);

	if (code == 0)
		code = finish(edit, ret, ret_ignored, error);
	private_folder_unlock(&edit->folder);
	return code;
}

int profile_edit_give_up(struct profile_edit *edit, bool *ret_kept, struct error *error)
{
	CLEANUP(texts_clear) struct texts texts = {};
	bool kept;
	int code = private_folder_lock(&edit->folder, error);

	if (code == 0)
		code = read_texts(edit, &texts, error);
	kept = code == 0 && !same(&texts.draft, &texts.base);
	if (code == 0 && !kept)
		code = profile_forget_edit(&edit->folder, edit->name, error);
	private_folder_unlock(&edit->folder);
	if (code == 0)
		*ret_kept = kept;
	return code;
}

void profile_edit_clear(struct profile_edit *edit)
{
	private_folder_close(&edit->folder);
	fd_close(&edit->lock);
}
