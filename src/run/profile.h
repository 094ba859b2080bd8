/* Profiles: the user's own WireGuard configurations, in wg-quick's format, byte for byte as they
 * were given.
 *
 * They are files, NAME.conf, 0600, in profiles/ below the folder for configuration
 * (run/folders.h). A profile that is not there is -ENOENT. A name is 1 to 32 characters as
 * name_check() has them. */
#ifndef RUN_PROFILE_H
#define RUN_PROFILE_H

#include <limits.h>

#include "base/secret_text.h"
#include "model/name.h"
#include "model/tunnel.h"
#include "run/private_file.h"

/* Names of the files that belong to a profile. */
#define PROFILE_FILE_SIZE (NAME_SIZE + sizeof("..edit.conf"))
char *profile_file(const char *name, char file[static PROFILE_FILE_SIZE]); /* NAME.conf */
char *profile_draft_file(const char *name,
			 char file[static PROFILE_FILE_SIZE]); /* .NAME.edit.conf */
char *profile_base_file(const char *name, char file[static PROFILE_FILE_SIZE]); /* .NAME.base */

/* Is that fit to be the name of a profile? A mistake in the user's words. */
int profile_check_name(const char *name, struct error *error);

/* Reads and checks a text that is to be a profile: conf_parse(), conf_check() and
 * tunnel_check_peers(). `label` is what errors call it. The caller clears *ret with tunnel_clear(). */
int profile_parse(const char *label, const struct secret_text *text, struct tunnel *ret,
		  unsigned int *ret_ignored, struct error *error);

/* Where a profile that is there is kept. */
int profile_path(const char *name, char path[static PATH_MAX], struct error *error);

/* The text of a profile, whatever is in it, for the caller to clear. */
int profile_read(const char *name, struct secret_text *ret, struct error *error);

/* Reads one that is kept, whose peers were checked then; the text is wiped. */
int profile_load(const char *name, struct tunnel *ret, unsigned int *ret_ignored,
		 struct error *error);

/* The names of all profiles, in order, for the caller to free; none when there is no folder. */
int profile_list(char (**ret)[NAME_SIZE], size_t *ret_count, struct error *error);

/* Keeps a text that has been checked. -EEXIST when there is a profile of that name. */
int profile_add(const char *name, const struct secret_text *text, struct error *error);

/* Removes a profile, whatever is in it, and a text of it that is kept for another edit. -EBUSY while
 * it is edited. */
int profile_delete(const char *name, struct error *error);

/* Opens the folder of the profiles, for run/profile_edit.c; the caller closes it. */
int profile_open_folder(struct private_folder *ret, struct error *error);

/* "there is no profile NAME …", -ENOENT; "there is a profile NAME already …", -EEXIST. */
int profile_missing(const char *name, struct error *error);
int profile_exists(const char *name, struct error *error);

/* Removes what belongs to an edit: the text that is edited, and the one that it was made from. Under
 * the folder's lock. */
int profile_forget_edit(const struct private_folder *folder, const char *name, struct error *error);

/* Locks an open profile for an edit or a removal, until it is closed. -EBUSY when it is edited. */
int profile_lock(const char *name, int fd, struct error *error);

#endif
