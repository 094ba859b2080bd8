/* Who wants to be woken first: a binary heap of items that live inside what they are for. */
#ifndef WIREGUARD_SCHEDULE_H
#define WIREGUARD_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "wireguard/moment.h"

struct schedule_item {
	uint64_t at;  /* nanoseconds; MOMENT_NEVER: asleep, but still in the heap */
	size_t place; /* in the heap */
};

/* Zeroed memory is an empty schedule. */
struct schedule {
	struct schedule_item **items; /* owned; the items are not */
	size_t count, capacity;
};

/* Adds an item that is asleep. The only function here that allocates. */
void schedule_add(struct schedule *schedule, struct schedule_item *item);
void schedule_remove(struct schedule *schedule, struct schedule_item *item);

/* Moves an item to another time. */
void schedule_set(struct schedule *schedule, struct schedule_item *item, uint64_t at);

/* The item with the least time; NULL when there is none. */
struct schedule_item *schedule_first(const struct schedule *schedule);

void schedule_clear(struct schedule *schedule);

#endif
