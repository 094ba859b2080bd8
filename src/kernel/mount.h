/* Mounts by descriptor, as Linux has them since 5.2 (fsopen(2), open_tree(2), move_mount(2)): a
 * mount is made or copied where nobody sees it and put in place when it is ready. */
#ifndef KERNEL_MOUNT_H
#define KERNEL_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Gives the calling process a mount namespace of its own. Nothing that is mounted in it reaches the
 * one it came from; what is mounted or unmounted there still happens here as well, so that a long
 * run keeps no disk busy and no network namespace alive whose name was taken away. */
int mount_unshare(struct error *error);

/* The second half of that alone, for who is in a new mount namespace already. */
int mount_keep_from_outside(struct error *error);

/* Makes a file system of the type and a detached mount of it. options are pairs of key and value
 * with NULL at their end; attributes are MOUNT_ATTR_… of mount_setattr(2). */
int mount_create(const char *type, const char *const *options, uint64_t attributes, int *ret_fd,
		 struct error *error);

/* A detached copy of what is at the path, file or folder, with all that is mounted below. Symbolic
 * links are followed. */
int mount_copy(const char *path, int *ret_fd, struct error *error);

/* Puts a detached mount over the path. A symbolic link at its end is not followed: it is covered
 * itself. */
int mount_attach(int fd, const char *path, struct error *error);

/* Adds attributes to the mount at the path; recursive: and to all below. Linux 5.12. */
int mount_add_attributes(const char *path, uint64_t attributes, bool recursive,
			 struct error *error);

/* Takes away the mount at the path; copies of it stay. */
int mount_detach(const char *path, struct error *error);

/* A line of /proc/self/mountinfo (proc(5)), as far as it matters here. */
struct mount_info {
	unsigned int parent; /* the number of the mount it is mounted on */
	char *path;	     /* in the line, as is the type */
	char *type;	     /* of the file system, such as "cgroup2" */
};

/* Reads one line, in place; the path's octal escapes are undone. -EINVAL when it is none. */
int mount_info_parse(char *line, struct mount_info *ret);

/* All of them, the oldest first; what their paths and types point to is the table's. */
struct mount_table {
	struct mount_info *items; /* owned */
	size_t count;
};

/* The caller clears the table. */
int mount_table_read(struct mount_table *ret, struct error *error);
void mount_table_clear(struct mount_table *table);

/* The number of the mount that the path is on, as parents have it. */
int mount_number(const char *path, unsigned int *ret, struct error *error);

#endif
