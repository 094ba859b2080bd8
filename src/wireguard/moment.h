/* What the clocks said when a batch of work began. The protocol core never reads a clock: it is
 * handed one of these, and the tests hand it any they like. */
#ifndef WIREGUARD_MOMENT_H
#define WIREGUARD_MOMENT_H

#include <stdint.h>
#include <time.h>

#define MOMENT_SECOND 1000000000ULL /* nanoseconds */
#define MOMENT_NEVER  UINT64_MAX    /* a deadline that does not come */

struct moment {
	uint64_t monotonic; /* nanoseconds, not zero; CLOCK_BOOTTIME, so that sleep ages the keys */
	struct timespec real; /* CLOCK_REALTIME */
};

#endif
