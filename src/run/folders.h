/* Where a user's own files are: named, made and checked.
 *
 * A folder that is used is a real one, the caller's own, and nobody else may write to it: what
 * stands in it is then nobody else's work, wherever it is. Errors name the folder and say what to
 * do. */
#ifndef RUN_FOLDERS_H
#define RUN_FOLDERS_H

#include <limits.h>
#include <sys/types.h>

#include "base/error.h"

/* Name the folder for configuration and that for what does not outlive a login, by the rule of
 * run/folder_choice.h. Nothing is made or looked at: for verbs that only read. */
int folders_config_path(char path[static PATH_MAX], struct error *error);
int folders_runtime_path(char path[static PATH_MAX], struct error *error);

/* The same, made if need be (0700) and checked. Missing parents are made too; root makes none in a
 * folder of somebody else's. */
int folders_config(char path[static PATH_MAX], struct error *error);
int folders_runtime(char path[static PATH_MAX], struct error *error);

/* All folders where keys of the caller's or of the account may lie, profiles or the sockets of engines,
 * by whatever environment they were chosen: for a command of theirs not to see. Those of the caller
 * that are missing are made where that leaves nothing behind for others to see, so that what comes
 * there later is not seen either. NULL at the end; for folders_free(). */
char **folders_of_keys(uid_t account);

/* Usable with CLEANUP(). */
void folders_free(char ***folders);

/* Makes a folder and its missing parents and checks it, as folders_config() does for its own. */
int folder_make(const char *path, struct error *error);

/* Opens a folder that is there and checks it; the descriptor is the caller's. -ENOENT when there is
 * none; -ENOTDIR for a symbolic link or another thing; -EPERM when it is another's or others may
 * write to it. */
int folder_open(const char *path, int *ret, struct error *error);

#endif
