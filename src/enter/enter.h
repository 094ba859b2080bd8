/* Going inside: from the caller's shell to a command in a sub-user's control group and network
 * namespace, under an ordinary identity, with a resolver of its own and without any privilege. */
#ifndef ENTER_ENTER_H
#define ENTER_ENTER_H

#include <sys/types.h>

#include "base/error.h"
#include "enter/account.h"
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

/* Whose identity a command gets that is in the namespaces of one tunnel already. */
struct enter_identity {
	const struct account *account; /* for root, who may become anybody; NULL: in a user
					* namespace, as the uid and gid, which are the caller's own
					* or 0 */
	uid_t uid;
	gid_t gid;
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

/* The pieces, for a way in that more than one process walks. The first is for whoever is outside
 * still: the same refusal of sockets as standard descriptors, with the words to type instead. */
int enter_check_descriptors(const char *words, struct error *error);

/* For the first process of a process namespace, in mounts that nobody else is in: its own /proc, and
 * the same covers as enter_inside() makes, these folders (NULL at the end) among them. The settings in
 * /proc/sys are covered for an account only: nobody in a user namespace may write them. */
int enter_renew_mounts(const struct enter_identity *identity, const struct dns *dns,
		       const char *const *folders, struct error *error);

/* All that is left to do after that for a process that becomes the command: descriptors, signals,
 * identity, capabilities, and for root's own a Landlock domain; the system calls.
 *
 * gate: closed on exec; when all is done it waits there for one byte, and signals wait with it; at its
 * end without one the process ends. -1: it does not wait. */
int enter_give_up(const struct enter_identity *identity, int gate, struct error *error);

#endif
