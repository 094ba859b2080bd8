/* What the database asks for. */
#ifndef RECONCILE_DESIRED_H
#define RECONCILE_DESIRED_H

#include "model/store.h"
#include "reconcile/state.h"

/* Reads what a sub-user should be. One that is not in the database, or whose row is to be removed,
 * should not be present. Peers have no address yet: see endpoints.h. *ret_tunnels (the caller frees
 * it) are the tunnels whose traces in the kernel are this sub-user's business, those about to be
 * removed too. */
int desired_load(struct store *store, uint32_t subu, struct subu_state *ret, uint32_t **ret_tunnels,
		 size_t *ret_tunnel_count, struct error *error);

/* What a namespace of its own should be for that tunnel: lo up, the device with its routes in the
 * main table. Takes over what the tunnel owns. */
void desired_own(struct tunnel *tunnel, enum backend backend, struct subu_state *ret);

/* Decides for links that leave it open: the device that works already stays, or else the kernel
 * where it has WireGuard, or else the engine. */
void desired_choose_backends(struct subu_state *desired, const struct subu_state *actual,
			     bool kernel_present);

#endif
