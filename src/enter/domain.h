/* A Landlock domain of the command's own: processes outside it are not its to use. */
#ifndef ENTER_DOMAIN_H
#define ENTER_DOMAIN_H

#include "base/error.h"

/* Puts the calling process and all that it starts into a new domain, for good. Needs no_new_privs or
 * CAP_SYS_ADMIN. Succeeds without doing anything where the kernel has no Landlock. */
int domain_enter(struct error *error);

#endif
