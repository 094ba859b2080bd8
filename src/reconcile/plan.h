/* The planner: two values in, an ordered list of operations out. No system call. */
#ifndef RECONCILE_PLAN_H
#define RECONCILE_PLAN_H

#include "reconcile/operation.h"
#include "reconcile/state.h"

/* The operations that make `actual` into `desired`, in an order in which each can succeed and
 * nothing is ever reachable that should not be: what is unwanted goes first, a device gets its keys
 * and addresses before it is set up, and its routes last. Applied to `actual` they give `desired`,
 * and the plan after that is empty.
 *
 * What is desired of an endpoint is said by peer.address: AF_UNSPEC leaves the device's own alone,
 * since peers roam. What the kernel cannot have (IPv6 where there is none) is left out.
 * The caller clears *ret with plan_clear(). */
void plan_make(const struct subu_state *desired, const struct subu_state *actual, struct plan *ret);

#endif
