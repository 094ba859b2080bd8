/* The user's own editor. */
#ifndef RUN_EDITOR_H
#define RUN_EDITOR_H

#include <limits.h>

#include "base/error.h"

/* The command: VISUAL, else EDITOR, else vi, or editor where there is no vi. */
const char *editor_command(void);

/* Runs it on a file and waits until it is done. The command is a line for the shell, as git and
 * others take it ("code -w"); the path is an argument beside it and never part of a line. What the
 * editor writes is for nobody else (umask 077). Signals from the terminal are the editor's while it
 * runs. -ECHILD when it could not be run, or ended with another status than 0 or by a signal. */
int editor_run(const char *command, const char *path, struct error *error);

#endif
