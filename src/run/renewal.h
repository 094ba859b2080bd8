/* Servers that are known by a name and do not answer where they were found: the name is resolved
 * again, outside. */
#ifndef RUN_RENEWAL_H
#define RUN_RENEWAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/tunnel.h"

/* How long nothing has been heard of a server before it is looked for elsewhere: no session outlives
 * the first (REJECT_AFTER_TIME, whitepaper section 6.1); the second is three tries of a handshake
 * (REKEY_TIMEOUT). */
#define RENEWAL_STALE_SECONDS 180
#define RENEWAL_FIRST_SECONDS 15

#define RENEWAL_INTERVAL 5 /* seconds between two looks */

struct renewal {
	struct key public_key;
	struct endpoint endpoint;
	uint64_t sent_bytes; /* at the last look */
	int64_t tried;	     /* when it was last given an address, seconds since the epoch */
};

struct renewals {
	struct renewal *items; /* owned */
	size_t count;
};

/* The peers whose endpoint is a name, as of now. */
void renewals_init(struct renewals *renewals, const struct tunnel *tunnel, int64_t now);
void renewals_clear(struct renewals *renewals);

/* Of the peers that are being sent something and have not been heard of for too long, the first that
 * has not been tried elsewhere lately, or NULL; *ret_peer is then its state in the device. To be asked
 * at each look, since it compares with the last. Pure. */
struct renewal *renewals_next(struct renewals *renewals, const struct wg_device *device,
			      int64_t now, const struct wg_peer **ret_peer);

#endif
