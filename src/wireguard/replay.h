/* Which counters of a session have been seen. */
#ifndef WIREGUARD_REPLAY_H
#define WIREGUARD_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_BITS 8192 /* as in Linux */
#define REPLAY_WORD 64	 /* bits that are forgotten at once */

/* A counter farther behind the greatest seen is too old to tell. */
#define REPLAY_WINDOW (REPLAY_BITS - REPLAY_WORD)

/* Zeroed memory has seen nothing. */
struct replay {
	uint64_t next; /* the greatest counter seen, plus one */
	uint64_t seen[REPLAY_BITS / REPLAY_WORD];
};

/* Marks the counter of an authentic packet as seen. False, and nothing changed, when it has been
 * seen before or is too old. UINT64_MAX is not a counter. */
bool replay_accept(struct replay *replay, uint64_t counter);

#endif
