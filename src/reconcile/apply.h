/* Where the side effects are: the operations of a plan, in order. */
#ifndef RECONCILE_APPLY_H
#define RECONCILE_APPLY_H

#include "reconcile/operation.h"
#include "reconcile/state.h"

/* Runs them until one fails; its words are then in front of the reason. What was done stays done:
 * the caller looks again and plans the way back. Each operation may be run again on a kernel that a
 * killed run left in the middle of it. */
int apply(const struct plan *plan, struct error *error);

/* The same in a namespace that is the caller's own, for a plan that makes or deletes neither the
 * namespace nor the device. */
int apply_own(const struct own_netns *own, const struct plan *plan, struct error *error);

#endif
