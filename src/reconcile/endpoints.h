/* From endpoints as the user wrote them to addresses: names are resolved outside, when needed. */
#ifndef RECONCILE_ENDPOINTS_H
#define RECONCILE_ENDPOINTS_H

#include "base/error.h"
#include "reconcile/state.h"

/* No session is older than this (REJECT_AFTER_TIME, whitepaper section 6.1), so a peer whose last
 * handshake is may have moved. */
#define ENDPOINT_STALE_SECONDS 180

enum endpoint_policy {
	ENDPOINT_KEEP, /* leave addresses that work: peers roam */
	ENDPOINT_SET,  /* the user gave a new endpoint */
};

/* Sets peer.address of every desired peer whose device has no address for it, or whose session is
 * stale, or all under ENDPOINT_SET; leaves the others AF_UNSPEC. `now` is seconds since the epoch.
 * A name that cannot be resolved is an error, or, when unresolved() is given, is told to it and
 * left. */
int endpoints_resolve(struct subu_state *desired, const struct subu_state *actual, int64_t now,
		      enum endpoint_policy policy, void (*unresolved)(const char *sentence),
		      struct error *error);

#endif
