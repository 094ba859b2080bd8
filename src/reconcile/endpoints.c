#include "reconcile/endpoints.h"

#include "kernel/resolve.h"

static bool is_needed(const struct link_state *desired, const struct link_state *actual,
		      const struct wg_peer *peer, int64_t now, enum endpoint_policy policy)
{
	const struct wg_peer *running = NULL;

	if (!*peer->endpoint.host || key_is_zero(&peer->public_key))
		return false;
	if (actual && actual->running && actual->backend == desired->backend)
		running = wg_device_find_peer(&actual->wg, &peer->public_key);
	if (!running || policy == ENDPOINT_SET)
		return true;
	if (policy == ENDPOINT_KEEP)
		return false;
	return running->address.any.sa_family == AF_UNSPEC ||
	       (desired->up && now - running->last_handshake > ENDPOINT_STALE_SECONDS);
}

static int resolve_peer(struct wg_peer *peer, struct error *error)
{
	if (endpoint_is_numeric(&peer->endpoint, &peer->address))
		return 0;
	return resolve_host(peer->endpoint.host, peer->endpoint.port, &peer->address, error);
}

static int resolve_link(struct link_state *desired, const struct link_state *actual, int64_t now,
			enum endpoint_policy policy, const struct endpoint_listener *listener,
			struct error *error)
{
	for (size_t i = 0; i < desired->wg.peer_count; i++) {
		struct wg_peer *peer = &desired->wg.peers[i];
		int code;

		if (!is_needed(desired, actual, peer, now, policy))
			continue;
		code = resolve_peer(peer, error);
		if (code == 0)
			continue;
		error_wrap(error, "the endpoint of WG_%u", desired->tunnel);
		if (!listener->unresolved)
			return code;
		listener->unresolved(listener->data, error->text);
	}
	return 0;
}

int endpoints_resolve(struct subu_state *desired, const struct subu_state *actual, int64_t now,
		      enum endpoint_policy policy, const struct endpoint_listener *listener,
		      struct error *error)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < desired->link_count; i++)
		code = resolve_link(&desired->links[i],
				    subu_state_find_link(actual, desired->links[i].tunnel), now,
				    policy, listener, error);
	return code;
}
