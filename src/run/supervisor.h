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

/* What it tells of itself; both the caller's. */
struct supervisor_news {
	int who;    /* for supervisor_await_who() */
	int report; /* tells by report_await() when the tunnel is up, or why it is not; the folder is
		     * then gone */
};
#define SUPERVISOR_NEWS_NONE ((struct supervisor_news){.who = -1, .report = -1})

/* Closes both. Usable with CLEANUP(). */
void supervisor_news_close(struct supervisor_news *news);

/* Starts it as a child in a session of its own. */
int supervisor_start(const struct supervisor *supervisor, pid_t *ret_pid,
		     struct supervisor_news *ret, struct error *error);

/* Waits until the tunnel's namespaces can be entered, long before it is up, and says whose they are,
 * as often as it is asked. When there are none the report says why. */
int supervisor_await_who(const struct supervisor_news *news, struct process_id *ret,
			 struct error *error);

#endif
