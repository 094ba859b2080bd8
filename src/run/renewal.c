#include "run/renewal.h"

#include "base/memory.h"

void renewals_init(struct renewals *renewals, const struct tunnel *tunnel, int64_t now)
{
	const struct wg_device *device = &tunnel->device;
	union socket_address ignored;

	*renewals = (struct renewals){};
	if (!device->peer_count)
		return;
	renewals->items = memory_resize(NULL, device->peer_count, sizeof(*renewals->items));
	for (size_t i = 0; i < device->peer_count; i++) {
		const struct wg_peer *peer = &device->peers[i];

		if (!*peer->endpoint.host || endpoint_is_numeric(&peer->endpoint, &ignored))
			continue;
		renewals->items[renewals->count++] = (struct renewal){
			.public_key = peer->public_key, .endpoint = peer->endpoint, .tried = now};
	}
}

void renewals_clear(struct renewals *renewals)
{
	memory_free(&renewals->items);
	renewals->count = 0;
}

static bool is_stale(const struct renewal *renewal, const struct wg_peer *peer, int64_t now)
{
	const int64_t patience = peer->last_handshake > renewal->tried ? RENEWAL_STALE_SECONDS
								       : RENEWAL_FIRST_SECONDS;

	return now - peer->last_handshake > RENEWAL_STALE_SECONDS &&
	       now - renewal->tried > patience;
}

struct renewal *renewals_next(struct renewals *renewals, const struct wg_device *device,
			      int64_t now, const struct wg_peer **ret_peer)
{
	struct renewal *next = NULL;

	for (size_t i = 0; i < renewals->count; i++) {
		struct renewal *renewal = &renewals->items[i];
		const struct wg_peer *peer = wg_device_find_peer(device, &renewal->public_key);
		bool sends = peer && peer->sent_bytes != renewal->sent_bytes;

		if (!peer)
			continue;
		renewal->sent_bytes = peer->sent_bytes;
		if (next || !sends || !is_stale(renewal, peer, now))
			continue;
		renewal->tried = now;
		*ret_peer = peer;
		next = renewal;
	}
	return next;
}
