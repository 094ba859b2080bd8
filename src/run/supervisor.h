/* The process that a tunnel lives by: it stands outside, starts the rest (anchor, engine), looks
 * after them, and takes all away at the end. */
#ifndef RUN_SUPERVISOR_H
#define RUN_SUPERVISOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/tunnel.h"
#include "run/registry.h"

struct supervisor {
	/* Locked; the supervisor shares the lock until it is told of there. */
	struct registry *registry;
	struct record *record; /* of a folder that is there; the supervisor fills in who */
	struct tunnel *tunnel; /* its endpoints resolved; wiped there when it is used */
	bool alone;	       /* without rights outside: in a user namespace */
	int leash; /* the read end of the tunnel's FIFO: when all who could write have gone, the
		    * tunnel ends; a byte sets it free, and it ends when it is told to */
};

/* Starts it as a child in a session of its own. *ret_report (the caller's) tells by report_await()
 * when the tunnel is up, or why it is not; the folder is then gone. */
int supervisor_start(const struct supervisor *supervisor, pid_t *ret_pid, int *ret_report,
		     struct error *error);

#endif
