/* Becoming the command, and saying why not. */
#ifndef ENTER_COMMAND_H
#define ENTER_COMMAND_H

#include <stdbool.h>

#include "base/error.h"

/* Is there a file that execvp(3) would try for this name? path is the value of PATH; NULL: not set.
 * A name with a slash is the file itself. */
bool command_exists(const char *name, const char *path);

/* Replaces the process by the command, looked for in PATH, with the environment as it is. Returns
 * only on failure: ENTER_STATUS_NOT_FOUND when there is no such file, ENTER_STATUS_FORBIDDEN when
 * it cannot be run. */
int command_exec(char *const *argv, struct error *error);

#endif
