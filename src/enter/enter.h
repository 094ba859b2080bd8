/* Going inside: from the caller's shell to a command in a sub-user's control group and network
 * namespace, under an ordinary identity, with a resolver of its own and without any privilege. */
#ifndef ENTER_ENTER_H
#define ENTER_ENTER_H

#include "base/error.h"
#include "model/dns.h"

#define ENTER_STATUS_FAILED    125 /* subu could not */
#define ENTER_STATUS_FORBIDDEN 126 /* the command is there but cannot be run */
#define ENTER_STATUS_NOT_FOUND 127

struct enter {
	const char *netns;     /* name below /run/netns; its files in /etc/netns are honoured */
	int cgroup;	       /* the folder of the group to join, from cgroup_open(); -1: none */
	const char *account;   /* the user to become; NULL: by account_choose()'s rule */
	const struct dns *dns; /* the tunnel's; no server: /etc/netns, or an empty resolv.conf */
	char *const *argv;     /* the command, NULL at its end; for enter_exec() */
};

/* Goes in: same process, environment, umask, current folder and standard descriptors, of which all
 * three must be there (process_fix_standard_fds()) and none may be a socket of the network outside
 * (-EPERM). Needs root. Descriptors above 2 are closed, and what the process does from here on it
 * does as the command would. After a failure it may be half inside: all that is left is to say why
 * and to exit. */
int enter_inside(const struct enter *enter, struct error *error);

/* Goes in and becomes the command. Returns only on failure, with the exit status for it
 * (ENTER_STATUS_…) and the reason in *error; as after a failure of enter_inside(). */
int enter_exec(const struct enter *enter, struct error *error);

#endif
