/* Files for the user's eyes alone, in a folder that run/folders.h has checked.
 *
 * A file is written beside, under the one name PRIVATE_FILE_NEW, made durable, and only then given
 * its own name: under that there is never half of it, whenever the program is killed. What a killed
 * one left under the other name is removed by the next, so those who write do it one at a time:
 * they hold the folder's lock. */
#ifndef RUN_PRIVATE_FILE_H
#define RUN_PRIVATE_FILE_H

#include <limits.h>

#include "base/secret_text.h"

#define PRIVATE_FILE_NEW ".new"

struct private_folder {
	int fd; /* owned; -1: none */
	char path[PATH_MAX];
};

/* "FOLDER/NAME", for messages; cut where it is longer than that. Returns path. */
char *private_file_path(const struct private_folder *folder, const char *name,
			char path[static PATH_MAX]);

/* Opens a file for reading: -ENOENT when there is none, -ELOOP for a symbolic link, -EINVAL for what
 * is no file, -EPERM when it is another's or others may read or write it. The descriptor is the
 * caller's. */
int private_file_open(const struct private_folder *folder, const char *name, int *ret,
		      struct error *error);

/* private_file_open(), and all that is in it, CONF_SIZE_MAX at most (-EFBIG). */
int private_file_read(const struct private_folder *folder, const char *name,
		      struct secret_text *ret, struct error *error);

/* Write a file, mode 0600: add where there is none (-EEXIST), replace whatever was there. Under the
 * lock. */
int private_file_add(const struct private_folder *folder, const char *name,
		     const struct secret_text *text, struct error *error);
int private_file_replace(const struct private_folder *folder, const char *name,
			 const struct secret_text *text, struct error *error);

/* Removes a file, under the lock. -ENOENT when there is none. */
int private_file_remove(const struct private_folder *folder, const char *name, struct error *error);

/* Waits until nobody else holds the folder's lock, and takes it; it goes with the descriptor. */
int private_folder_lock(const struct private_folder *folder, struct error *error);
void private_folder_unlock(const struct private_folder *folder);

/* Closes. Usable with CLEANUP(). */
void private_folder_close(struct private_folder *folder);

#endif
