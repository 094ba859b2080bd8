/* Control groups of version 2 (cgroups(7)), named by their path below the root of the hierarchy, such
 * as "subu/subu_0". */
#ifndef KERNEL_CGROUP_H
#define KERNEL_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define CGROUP_TYPE "cgroup2" /* of the file system, in mountinfo */

/* Where the group's folder is or would be; the caller's to free. -EOPNOTSUPP when the hierarchy is
 * not mounted; on machines with version 1 beside it, it is, as a rule, at /sys/fs/cgroup/unified. */
int cgroup_path(const char *name, char **ret, struct error *error);

/* Makes the group and those above it. There already: 0. -EOPNOTSUPP as cgroup_path(). */
int cgroup_create(const char *name, struct error *error);

/* Takes the group away with those below it, and the one above when that is empty then. Not there: 0.
 * -EBUSY while there are processes in it. */
int cgroup_delete(const char *name, struct error *error);

/* Is the group above it there with none in it, which a killed cgroup_delete() left? */
bool cgroup_left(const char *name);

/* Opens the group's folder. -ENOENT when there is no such group, -EOPNOTSUPP when the hierarchy is
 * not mounted. */
int cgroup_open(const char *name, int *ret_fd, struct error *error);

/* Moves the calling process into the group, for good unless it may write to others. */
int cgroup_join(int fd, struct error *error);

/* The number by which the kernel names it, in bpf_link_info for one. */
int cgroup_id(int fd, uint64_t *ret, struct error *error);

/* The processes in the group and those below it; the array is the caller's to free. */
int cgroup_processes(int fd, pid_t **ret, size_t *ret_count, struct error *error);

#endif
