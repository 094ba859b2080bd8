/* A naive kernel for tests of the planner: what each operation does to what is there, and which it
 * refuses. Its rules were tried on Linux 6.18. */
#ifndef TESTS_KERNEL_MODEL_H
#define TESTS_KERNEL_MODEL_H

#include "reconcile/operation.h"
#include "reconcile/state.h"

struct kernel_model {
	struct subu_state state;
	/* net.ipv4.conf.*.promote_secondaries: what becomes of the other addresses of a network
	 * when the first of them is deleted. */
	bool promotes;
};

/* NULL, or why the kernel would not do it. */
const char *kernel_model_apply(struct kernel_model *kernel, const struct operation *operation);

/* What is left of an operation that is more than one call, when a kill comes in its middle. False:
 * it is one call. */
bool kernel_model_apply_half(struct kernel_model *kernel, const struct operation *operation);

/* The caller clears to->state. */
void kernel_model_copy(struct kernel_model *to, const struct kernel_model *from);

/* The same state, whatever the order of its lists. */
bool kernel_model_equal(const struct subu_state *a, const struct subu_state *b);

/* NULL when the state is all that is desired and nothing else, or what is not. */
const char *kernel_model_reached(const struct subu_state *desired, const struct subu_state *state);

#endif
