/* The proof that `subu doctor SUBU` gives: a process inside tries the ways out itself. */
#ifndef EGRESS_PROBE_H
#define EGRESS_PROBE_H

#include <net/if.h>
#include <stdbool.h>

#include "base/error.h"

enum probe_outcome {
	PROBE_STOPPED,
	PROBE_TUNNEL,  /* it leaves by the tunnel, as it should */
	PROBE_OPEN,    /* it leaves by another way, or could */
	PROBE_NOTE,    /* no way out by itself: a fact to know */
	PROBE_ABSENT,  /* not there: nothing to stop */
	PROBE_UNKNOWN, /* it failed for a reason that no barrier gives: nobody knows */
};

/* What stops it, or leads it to the tunnel: each of these alone. */
enum probe_barrier {
	PROBE_BY_NAMESPACE = 1, /* no other interface, no other route */
	PROBE_BY_STEERING = 2,	/* the programs on the control group */
	PROBE_BY_RIGHTS = 4,	/* what `exec` takes away: capabilities, system calls, mounts */
};

struct probe_result {
	char way[64];
	enum probe_outcome outcome;
	unsigned int barriers; /* of enum probe_barrier */
	char detail[128];      /* what was seen */
};

/* Tries all ways from where the caller is, which ought to be a process of its own, inside, with no
 * more rights than a command has, and tells each result. device is the tunnel's, "" for none. What
 * it sends is meant for addresses that are nobody's (RFC 5737, RFC 3849), and for the resolvers that
 * resolv.conf names. It takes two seconds when one of those does not answer. */
void probe_run(const char *device, void (*tell)(void *data, const struct probe_result *result),
	       void *data);

#endif
