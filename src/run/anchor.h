/* The process in a tunnel's namespace: it makes the namespace, and in it the device of an engine;
 * when it is told whom to ask it plans and applies the rest, gives up every right, and
 * stays, so that the namespaces stay: who joins enters those of this process. */
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
	int tun, link;	     /* owned: what an engine works with; -1 for the kernel's device */
	unsigned int index;  /* of the engine's device */
};
#define ANCHOR_NONE                                                                                \
	((struct anchor){.channel = -1, .report = -1, .netns = -1, .tun = -1, .link = -1})

/* What the anchor is to bring about. */
struct anchor_plan {
	struct tunnel *tunnel; /* its keys are wiped in the anchor when they have been used */
	enum backend backend;
	const char *socket; /* where the engine listens, or will */
	bool alone;	    /* without rights outside: in a user namespace */
};

/* Starts it as a child, which ends with the caller. */
int anchor_start(const struct anchor_plan *plan, struct anchor *ret, struct error *error);

/* Waits for the namespace and the engine's device. */
int anchor_receive(const struct anchor_plan *plan, struct anchor *anchor, struct error *error);

/* Says that there is somebody to ask: the kernel's device, or the engine's socket, where the answer
 * may yet be a while. */
int anchor_tell(const struct anchor *anchor, struct error *error);

/* Waits until the device is configured, up and routed. */
int anchor_await(const struct anchor *anchor, struct error *error);

/* Closes what the caller has of it; the process goes on. Usable with CLEANUP(). */
void anchor_close(struct anchor *anchor);

#endif
