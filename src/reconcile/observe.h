/* What the kernel has. Never guessed from what an earlier run believed. */
#ifndef RECONCILE_OBSERVE_H
#define RECONCILE_OBSERVE_H

#include "base/error.h"
#include "reconcile/state.h"

/* Reads the state of a sub-user's namespace: all devices in it that are named as tunnels', and the
 * traces of the tunnels given, even where there is no namespace. The caller clears *ret with
 * subu_state_clear(). */
int observe(uint32_t subu, const uint32_t *tunnels, size_t tunnel_count, struct subu_state *ret,
	    struct error *error);

/* The same of a namespace that is the caller's own. Its engine has just been started: it has its mark
 * and nothing else, so that nobody waits until it can be asked. */
int observe_own(const struct own_netns *own, struct subu_state *ret, struct error *error);

/* Is the sub-user held to that tunnel by forced egress, at this moment? cgroup_fd is its
 * control group, -1 for none. */
int observe_held(uint32_t subu, uint32_t tunnel, int cgroup_fd, bool *ret, struct error *error);

#endif
