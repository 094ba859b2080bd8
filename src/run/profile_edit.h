/* One edit of a profile: the user's editor works on a draft, .NAME.edit.conf beside the profile, and
 * never on the profile itself.
 *
 * .NAME.base keeps the text that the draft was made from. By that an edit knows whether the user
 * changed anything, and whether somebody else has changed the profile meanwhile, also when days and
 * a reboot are between the draft and its end. A draft that cannot become the profile stays, and the
 * next edit goes on with it. Two edits of one profile at once are refused. */
#ifndef RUN_PROFILE_EDIT_H
#define RUN_PROFILE_EDIT_H

#include "run/profile.h"

struct profile_edit {
	struct private_folder folder; /* owned */
	int lock;		      /* owned: the profile, open and locked */
	char name[NAME_SIZE];
	char draft[PATH_MAX];
	bool resumed; /* the draft is one that an earlier edit kept */
};

enum profile_edit_result {
	PROFILE_EDIT_REPLACED,
	PROFILE_EDIT_UNCHANGED, /* the draft says what the profile says; it is gone */
};

/* Makes the draft, or takes up the one that is kept. -ENOENT; -EBUSY when the profile is being
 * edited. The caller clears *ret. */
int profile_edit_begin(const char *name, struct profile_edit *ret, struct error *error);

/* Checks the draft and puts it in the place of the profile. When it fails the profile is as it was
 * and the draft is kept: -EINVAL for what is wrong in the text, with its line; -ESTALE when somebody
 * else has changed the profile: the next edit may then replace that. *ret_ignored counts the lines
 * that are never run. */
int profile_edit_finish(struct profile_edit *edit, enum profile_edit_result *ret,
			unsigned int *ret_ignored, struct error *error);

/* Ends an edit whose editor failed: the draft stays only if it has been changed. */
int profile_edit_give_up(struct profile_edit *edit, bool *ret_kept, struct error *error);

/* Closes; the draft stays. Usable with CLEANUP(). */
void profile_edit_clear(struct profile_edit *edit);

#endif
