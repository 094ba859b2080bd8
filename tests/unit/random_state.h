/* Random devices and sub-users for tests: few different values of each kind, so that what is
 * desired and what is there often agree in part. The same seed gives the same values. */
#ifndef TESTS_RANDOM_STATE_H
#define TESTS_RANDOM_STATE_H

#include "reconcile/state.h"

struct random {
	uint64_t state;
};

/* 0 to count - 1. */
uint32_t random_below(struct random *random, uint32_t count);
bool random_chance(struct random *random, uint32_t percent);

/* A device as the database asks for it, or as one reports itself. The caller clears *ret. */
void random_desired_device(struct random *random, struct wg_device *ret);
void random_running_device(struct random *random, struct wg_device *ret);

/* What the database may ask for, and anything that a kernel can have, however it came about. The
 * caller clears *ret. */
void random_desired(struct random *random, struct subu_state *ret);
void random_actual(struct random *random, struct subu_state *ret);

#endif
