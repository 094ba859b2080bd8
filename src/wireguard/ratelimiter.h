/* How often one source may make us work on handshakes while we are under load (whitepaper section
 * 5.3). */
#ifndef WIREGUARD_RATELIMITER_H
#define WIREGUARD_RATELIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "wireguard/hash.h"

/* As in Linux: twenty a second, after five at once. */
#define RATELIMITER_PER_SECOND 20
#define RATELIMITER_BURST      5

#define RATELIMITER_SETS 1024
#define RATELIMITER_WAYS 8

struct ratelimiter_entry {
	uint64_t source; /* 0: free */
	uint64_t used;	 /* nanoseconds: when it was last asked for */
	uint64_t credit; /* nanoseconds, at that time */
};

struct ratelimiter {
	uint8_t key[32]; /* random: nobody outside can choose the set he falls in */
	struct ratelimiter_entry entries[RATELIMITER_SETS][RATELIMITER_WAYS];
};

/* The memory is zeroed, and most of it remains untouched. */
void ratelimiter_init(struct ratelimiter *limiter);

/* Takes a token from the source's bucket: an IPv4 address, or an IPv6 network of 64 bits. False
 * when there is none left, or no place for another source. `now` is on the monotonic clock. */
bool ratelimiter_allow(struct ratelimiter *limiter, const union socket_address *from, uint64_t now);

#endif
