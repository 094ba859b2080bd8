/* User namespaces (user_namespaces(7)): how an ordinary user makes the other namespaces. */
#ifndef KERNEL_USERNS_H
#define KERNEL_USERNS_H

#include <sys/types.h>

#include "base/error.h"

/* Moves the calling process, which must have one thread only, into a new user namespace and into
 * new ones of the kinds in others (CLONE_NEWNET | CLONE_NEWNS …; 0: none). The caller's effective
 * user and group are uid and gid there, and no other is mapped; setgroups(2) is denied for good.
 * The process has every capability in the new namespaces until it executes a program as another
 * uid than 0. With CLONE_NEWPID its next child is the first of the new namespace.
 *
 * Needs no rights, but user 0 needs CAP_SETFCAP (Linux 5.12). May be called again inside, where it
 * maps back. An error says what forbids it and what helps, and is -EPERM, -EACCES, -ENOSPC (a limit),
 * -EINVAL (not in this kernel) and so on, as unshare(2) has it. After an error the process may be in
 * the new namespaces or not: it can only end. */
int userns_unshare(int others, uid_t uid, gid_t gid, struct error *error);

/* unshare(2) of these kinds (CLONE_NEW…), by who is in a user namespace that was made for it; the error
 * names the limit that is in the way. */
int userns_unshare_inside(int kinds, struct error *error);

/* For a step that fails in the new namespaces although the process should have every right there:
 * adds to an error of code EPERM or EACCES what takes the rights away (AppArmor, a container around
 * it), if that is known. Leaves other errors as they are. Returns -code. */
int userns_add_reason(struct error *error);

/* The highest group that the caller's user namespace has without a gap from 0, and that the kernel
 * takes as the end of a range of groups: 2147483647 at the most (ping_group_range in ip-sysctl.rst). */
gid_t userns_last_group(void);

#endif
