/* Bringing a tunnel up that belongs to no sub-user, and taking it down. */
#ifndef RUN_START_H
#define RUN_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/tunnel.h"
#include "run/registry.h"
#include "run/supervisor.h"

struct start {
	const char *name;    /* in the registry */
	const char *profile; /* empty: none */
	const char *source;  /* of start_source() */
	struct registry_listener listener;
	/* A name is looked up, NULL: no longer. With the listener's data; may be NULL. */
	void (*resolving)(void *data, const char *host);
	unsigned int resolve_ms; /* how long that may take; 0: as long as the resolver does */
};

/* A tunnel, as who started or joined it sees it. */
struct started {
	struct registry registry; /* its folder alone, the lock is let go */
	struct record record;	  /* owned */
	pid_t supervisor;	  /* a child of the caller's; 0: somebody else's */
	int leash; /* owned: the tunnel goes with the last who holds it; -1: it was set free */
	struct supervisor_news news; /* owned; none: it is up */
};
#define STARTED_NONE                                                                               \
	((struct started){.registry = REGISTRY_NONE, .leash = -1, .news = SUPERVISOR_NEWS_NONE})

/* Lets the leash go, and forgets. Usable with CLEANUP(). */
void started_clear(struct started *started);

/* Has the caller the rights that it takes without a user namespace? */
bool start_has_rights(void);

/* Who would run the device: the kernel, for who has the rights, where it has WireGuard. */
enum backend start_backend(void);

/* Which text it is at the path: where it lies, when it was changed, how large it is. A tunnel that was
 * made from the same is the same. For the caller to free; NULL when there is none. */
char *start_source(const char *path);

/* Joins the tunnel of that name, or one of the same source, whoever made it, and holds its leash; one
 * that is being made is waited for. Returns 1, or 0 when there is none. */
int start_join(const struct start *start, struct started *ret, struct error *error);

/* Resolves the endpoints and starts the tunnel, which conf_check() has accepted. What the tunnel owns
 * is wiped, in any case. On failure nothing is left of it. -EEXIST when there is one that start_join()
 * would have found, -ENOTUNIQ when there is one of that name. */
int start_tunnel(const struct start *start, struct tunnel *tunnel, struct started *ret,
		 struct error *error);

/* Waits until the tunnel's namespaces can be entered, at once for one that was joined: there may be no
 * address in them yet, nor a route. Says whose they are. When it fails start_await() says why. */
int start_await_namespaces(const struct started *started, struct process_id *ret,
			   struct error *error);

/* Waits until the tunnel is up, at once for one that was joined; there need not have been a handshake.
 * The record is complete then. After a failure, start_end() is left to do. */
int start_await(struct started *started, struct error *error);

/* Sets the tunnel free: it stays until it is told to end. Fails when it has ended; SIGPIPE is ignored
 * from then on. */
int start_release(struct started *started, struct error *error);

/* Lets the leash go and, when nobody else holds it, waits until nothing is left of the tunnel. */
void start_end(struct started *started);

/* Ends a tunnel by its supervisor, who takes it away; -ETIMEDOUT when that does not go. The registry
 * is not to be locked. */
int start_take_down(const struct record *record, struct error *error);

#endif
