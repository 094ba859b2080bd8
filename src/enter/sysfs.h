/* /sys as the calling process's network namespace has it. */
#ifndef ENTER_SYSFS_H
#define ENTER_SYSFS_H

#include "base/error.h"
#include "kernel/mount.h"

/* Covers /sys with a sysfs of the network namespace the process is in, so that /sys/class/net names
 * that namespace's devices. What is mounted below /sys, such as /sys/fs/cgroup, stays in its place;
 * a current folder in the old /sys becomes the one of that name in the new, or /sys itself. For a
 * process in a mount namespace of its own. A machine without a sysfs at /sys is left alone. */
int sysfs_renew(const struct mount_table *mounts, struct error *error);

#endif
