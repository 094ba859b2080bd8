/* Going inside: from the caller's shell to a command in a sub-user's network namespace, under an
 * ordinary identity, with a resolver of its own and without any privilege. */
#ifndef ENTER_ENTER_H
#define ENTER_ENTER_H

#include "base/error.h"
#include "model/dns.h"

#define ENTER_STATUS_FAILED    125 /* subu could not */
#define ENTER_STATUS_FORBIDDEN 126 /* the command is there but cannot be run */
#define ENTER_STATUS_NOT_FOUND 127

struct enter {
	const char *netns;     /* name below /run/netns; its files in /etc/netns are honoured */
	const char *account;   /* the user to become; NULL: by account_choose()'s rule */
	const struct dns *dns; /* the tunnel's; no server: /etc/netns, or an empty resolv.conf */
	char *const *argv;     /* the command, NULL at its end */
};

/* Goes in and becomes the command: same process, environment, umask, current folder and standard
 * descriptors, of which all three must be there (process_fix_standard_fds()). Needs root. Returns
 * only on failure, with the exit status for it (ENTER_STATUS_…) and the reason in *error;
 * descriptors above 2 may be closed by then and the process half inside, so all that is left is to
 * say why and to exit. */
int enter_exec(const struct enter *enter, struct error *error);

#endif
