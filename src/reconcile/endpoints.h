/* From endpoints as the user wrote them to addresses: names are resolved outside, when needed. */
#ifndef RECONCILE_ENDPOINTS_H
#define RECONCILE_ENDPOINTS_H

#include "base/error.h"
#include "reconcile/state.h"

/* No session is older than this (REJECT_AFTER_TIME, whitepaper section 6.1), so a peer whose last
 * handshake is may have moved. */
#define ENDPOINT_STALE_SECONDS 180

enum endpoint_policy {
	ENDPOINT_KEEP,	/* only peers that their device does not have yet */
	ENDPOINT_RENEW, /* those without an address or with a stale session as well */
	ENDPOINT_SET,	/* all: the user gave a new endpoint */
};

/* Who is told of a name that cannot be resolved. */
struct endpoint_listener {
	void (*unresolved)(void *data, const char *sentence); /* NULL: it is an error */
	void *data;
};

/* Sets peer.address of the desired peers that the policy means and leaves the others AF_UNSPEC, for
 * the device's own to stay: peers roam. `now` is seconds since the epoch. */
int endpoints_resolve(struct subu_state *desired, const struct subu_state *actual, int64_t now,
		      enum endpoint_policy policy, const struct endpoint_listener *listener,
		      struct error *error);

#endif
