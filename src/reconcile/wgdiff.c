#include "reconcile/wgdiff.h"

#include "base/memory.h"

/* The room is there: the list never moves, which would leave preshared keys behind. */
static struct wg_peer_change *append_peer(struct wg_change *change, const struct key *public_key)
{
	struct wg_peer_change *peer = &change->peers[change->peer_count++];

	*peer = (struct wg_peer_change){.public_key = *public_key};
	return peer;
}

/* Compares with a peer that has nothing but its key when there is none yet. */
static void diff_peer(const struct wg_peer *desired, const struct wg_peer *actual,
		      struct wg_change *change)
{
	const struct wg_peer fresh = {};
	const struct wg_peer *old = actual ? actual : &fresh;
	bool preshared_key = !key_equal(&desired->preshared_key, &old->preshared_key);
	bool address = desired->address.any.sa_family != AF_UNSPEC &&
		       !socket_address_equal(&desired->address, &old->address);
	bool keepalive = desired->keepalive != old->keepalive;
	bool allowed_ips = !cidr_list_equal(&desired->allowed_ips, &old->allowed_ips);
	struct wg_peer_change *peer;

	if (actual && !preshared_key && !address && !keepalive && !allowed_ips)
		return;
	peer = append_peer(change, &desired->public_key);
	peer->set_preshared_key = preshared_key;
	peer->preshared_key = desired->preshared_key;
	peer->set_address = address;
	peer->address = desired->address;
	peer->set_keepalive = keepalive;
	peer->keepalive = desired->keepalive;
	peer->replace_allowed_ips = allowed_ips;
	if (allowed_ips)
		cidr_list_copy(&peer->allowed_ips, &desired->allowed_ips);
}

bool wgdiff(const struct wg_device *desired, const struct wg_device *actual, struct wg_change *ret)
{
	*ret = (struct wg_change){
		.set_private_key = !key_equal(&desired->private_key, &actual->private_key),
		.private_key = desired->private_key,
		.set_listen_port =
			desired->listen_port && desired->listen_port != actual->listen_port,
		.listen_port = desired->listen_port,
		.set_fwmark = desired->fwmark != actual->fwmark,
		.fwmark = desired->fwmark,
		.peers = memory_resize(NULL, desired->peer_count + actual->peer_count,
				       sizeof(*ret->peers)),
	};
	for (size_t i = 0; i < actual->peer_count; i++)
		if (!wg_device_find_peer(desired, &actual->peers[i].public_key))
			append_peer(ret, &actual->peers[i].public_key)->remove = true;
	for (size_t i = 0; i < desired->peer_count; i++)
		if (!key_is_zero(&desired->peers[i].public_key))
			diff_peer(&desired->peers[i],
				  wg_device_find_peer(actual, &desired->peers[i].public_key), ret);
	return ret->set_private_key || ret->set_listen_port || ret->set_fwmark || ret->peer_count;
}
