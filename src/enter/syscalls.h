/* The system calls that a command inside does not get. */
#ifndef ENTER_SYSCALLS_H
#define ENTER_SYSCALLS_H

#include "base/error.h"

/* Refuses them from here on, for good, to the calling process and all that it starts. Needs
 * no_new_privs or CAP_SYS_ADMIN. */
int syscalls_filter(struct error *error);

#endif
