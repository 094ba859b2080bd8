/* The process in a tunnel's namespace: it makes the namespace, and in it the device of an engine;
 * then it plans and applies the rest, gives up every right, and stays, so that the namespaces stay:
 * who joins enters those of this process. */
#ifndef RUN_ANCHOR_H
#define RUN_ANCHOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/tunnel.h"
#include "wireguard/backend.h"

struct anchor {
	pid_t pid;
	int channel, report; /* owned: to and from the process */
	int netns;	     /* owned */
};
#define ANCHOR_NONE ((struct anchor){.channel = -1, .report = -1, .netns = -1})

/* What the anchor is to bring about. */
struct anchor_plan {
	struct tunnel *tunnel; /* its keys are wiped in the anchor when they have been used */
	enum backend backend;
	const char *socket; /* where the engine listens; it may take its time to answer */
	int device;	    /* where to send it the device, keeper_send_device() */
	int who;	    /* a socket: struct process_id, the anchor's, once one can enter */
	bool alone;	    /* without rights outside: in a user namespace */
};

/* Starts it as a child, which ends with the caller. */
int anchor_start(const struct anchor_plan *plan, struct anchor *ret, struct error *error);

/* Waits for the namespace. */
int anchor_receive(struct anchor *anchor, struct error *error);

/* Says that the kernel's device is there. */
int anchor_tell(const struct anchor *anchor, struct error *error);

/* Waits until the device is configured, up and routed. */
int anchor_await(const struct anchor *anchor, struct error *error);

/* Has it reported already? */
bool anchor_has_reported(const struct anchor *anchor);

/* Closes what the caller has of it; the process goes on. Usable with CLEANUP(). */
void anchor_close(struct anchor *anchor);

#endif
