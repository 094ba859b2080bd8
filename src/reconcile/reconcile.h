/* Desired, plan, apply: how a verb that changed the database makes the kernel follow, and how the
 * kernel is brought back to the database after whatever happened to either. */
#ifndef RECONCILE_RECONCILE_H
#define RECONCILE_RECONCILE_H

#include "model/store.h"
#include "reconcile/endpoints.h"
#include "reconcile/operation.h"

struct reconcile {
	struct store *store; /* opened STORE_WRITE */
	bool dry_run;	     /* plan, change nothing, roll back */
	bool unchanged; /* desired is what it was: a failure has no earlier state to go back to */
	enum endpoint_policy endpoints;
	struct endpoint_listener listener;
};

/* To be called inside a transaction that the caller began and in which it changed what is desired
 * of the sub-user; the transaction is over when it returns.
 *
 * Rows that are making or removing are committed before the first operation, so that a row names
 * every kernel object at any instant; afterwards making becomes present and removing rows are gone.
 * When an operation fails, the change is rolled back, rows that were making are removed, and the
 * kernel is brought to what was desired before: the plan from what is there now, which is the
 * inverse of what was done, found by looking rather than by remembering.
 *
 * *ret_plan (the caller clears it) is what was done, or would be. */
int reconcile_change(const struct reconcile *reconcile, uint32_t subu, struct plan *ret_plan,
		     struct error *error);

/* What there is to do, without doing it: what `doctor` looks at. The caller clears *ret. */
int reconcile_look(const struct reconcile *reconcile, uint32_t subu, struct plan *ret,
		   struct error *error);

#endif
