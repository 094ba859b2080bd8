/* What a command must not reach of the machine outside by its name, though the user it runs as may:
 * covered in a private mount namespace. */
#ifndef ENTER_COVER_H
#define ENTER_COVER_H

#include "base/error.h"

/* Puts an empty read-only folder over the path; a path that is not there is left so. */
int cover_folder(const char *path, struct error *error);

/* Covers what is subu's own (its state, the engines' sockets, the default database), and makes the
 * kernel's settings below /proc/sys read-only, for a command that runs as root: root without
 * capabilities still owns root's files. */
int cover_own(struct error *error);

#endif
