/* What a command must not reach of the machine outside by its name, though the user it runs as may:
 * covered in a private mount namespace. */
#ifndef ENTER_COVER_H
#define ENTER_COVER_H

#include <sys/types.h>

#include "base/error.h"
#include "kernel/mount.h"

/* Where the engines of a user's own tunnels listen, when no environment says otherwise
 * (run/folder_choice.h); with the number of the user. */
#define COVER_RUN_USER	"/run/user/%u/subu"
#define COVER_TEMPORARY "/tmp/subu-%u"

/* Puts an empty read-only folder over the path; a path that is not there is left so. */
int cover_folder(const char *path, struct error *error);

/* To be called when something was mounted over the path. A current folder stays on what is below,
 * open to all that begins with "./" or "../": it becomes the one of that name above, or the path
 * itself. */
int cover_leave(const char *path, struct error *error);

/* Makes the control groups of version 2 read-only, wherever they are mounted: root without
 * capabilities still owns them, and a command must not leave its own. To be called before
 * sysfs_renew(), which covers mounts below /sys by copies: a current folder on one of those stays on
 * it. Version 1 has no part in this and stays as it is. */
int cover_cgroups(const struct mount_table *mounts, struct error *error);

/* Covers these: who speaks to an engine there has its keys, and it sends where he likes. */
int cover_engines(uid_t uid, struct error *error);

/* Covers what is subu's own (its state, the engines' sockets, the default database) and the BPF file
 * systems, and makes the kernel's settings below /proc/sys read-only, for a command that runs as
 * root: root without capabilities still owns root's files. A current folder below a cover becomes
 * the one of that name on it, or the cover itself. */
int cover_own(const struct mount_table *mounts, struct error *error);

/* The same but for the settings, for a command in a user namespace: whatever its number there, it is not
 * the root who may write them. A read-only cover in /proc would keep it from mounting a /proc in a
 * process namespace of its own. */
int cover_own_folders(const struct mount_table *mounts, struct error *error);

#endif
