/* What run and up share. */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include "cmd/cmd.h"
#include "run/start.h"

/* Reads the profile of that name, or the .conf, whichever is not NULL, and says what in it is never
 * run. The caller clears *ret. */
int run_load(const struct command *command, const char *profile, const char *config,
	     struct tunnel *ret, struct error *error);

/* A line on a terminal while something is waited for. NULL: it has said enough, and the next begins
 * in its place. */
void run_say_waiting(const struct command *command, const char *line);

/* For struct start: that line while a name is looked up. */
void run_say_resolving(void *data, const char *host);

/* Tells of tunnels that had ended by themselves. */
struct registry_listener run_listener(const struct command *command);

/* Prints what would be done to bring the tunnel up; takes over what it owns. -EINVAL where that would
 * not do, see tunnel_check_peers(). */
int run_say_plan(const struct command *command, const char *name, struct tunnel *tunnel,
		 struct error *error);

#endif
