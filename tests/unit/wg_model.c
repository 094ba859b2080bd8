#include "wg_model.h"

#include <string.h>

static void list_delete(struct cidr_list *list, const struct cidr *cidr)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (!cidr_equal(&list->items[i], cidr))
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static void peer_delete(struct wg_device *device, const struct key *public_key)
{
	for (size_t i = 0; i < device->peer_count; i++) {
		if (!key_equal(&device->peers[i].public_key, public_key))
			continue;
		cidr_list_clear(&device->peers[i].allowed_ips);
		memmove(&device->peers[i], &device->peers[i + 1],
			(device->peer_count - i - 1) * sizeof(device->peers[0]));
		device->peer_count--;
		return;
	}
}

static void give_network(struct wg_device *device, struct wg_peer *peer, const struct cidr *network)
{
	for (size_t i = 0; i < device->peer_count; i++)
		list_delete(&device->peers[i].allowed_ips, network);
	cidr_list_append(&peer->allowed_ips, network);
}

static void peer_apply(struct wg_device *device, const struct wg_peer_change *change)
{
	struct wg_peer *peer = wg_device_find_peer(device, &change->public_key);

	if (change->remove) {
		peer_delete(device, &change->public_key);
		return;
	}
	if (!peer && change->update_only)
		return;
	if (!peer) {
		peer = wg_device_append_peer(device);
		peer->public_key = change->public_key;
	}
	if (change->set_preshared_key)
		peer->preshared_key = change->preshared_key;
	if (change->set_address)
		peer->address = change->address;
	if (change->set_keepalive)
		peer->keepalive = change->keepalive;
	if (change->replace_allowed_ips)
		cidr_list_clear(&peer->allowed_ips);
	for (size_t i = 0; i < change->allowed_ips.count; i++)
		give_network(device, peer, &change->allowed_ips.items[i]);
}

void wg_model_apply(struct wg_device *device, const struct wg_change *change)
{
	if (change->set_private_key)
		device->private_key = change->private_key;
	if (change->set_listen_port)
		device->listen_port = change->listen_port;
	if (change->set_fwmark)
		device->fwmark = change->fwmark;
	while (change->replace_peers && device->peer_count)
		peer_delete(device, &device->peers[0].public_key);
	for (size_t i = 0; i < change->peer_count; i++)
		peer_apply(device, &change->peers[i]);
}

void wg_model_copy(struct wg_device *to, const struct wg_device *from)
{
	*to = *from;
	to->peers = NULL;
	to->peer_count = 0;
	for (size_t i = 0; i < from->peer_count; i++) {
		struct wg_peer *peer = wg_device_append_peer(to);

		*peer = from->peers[i];
		cidr_list_copy(&peer->allowed_ips, &from->peers[i].allowed_ips);
	}
}

static bool peer_reached(const struct wg_peer *desired, const struct wg_peer *peer)
{
	return peer && key_equal(&desired->preshared_key, &peer->preshared_key) &&
	       desired->keepalive == peer->keepalive &&
	       cidr_list_equal(&desired->allowed_ips, &peer->allowed_ips) &&
	       (desired->address.any.sa_family == AF_UNSPEC ||
		socket_address_equal(&desired->address, &peer->address));
}

bool wg_model_reached(const struct wg_device *desired, const struct wg_device *device)
{
	size_t wanted = 0;

	if (!key_equal(&desired->private_key, &device->private_key) ||
	    desired->fwmark != device->fwmark ||
	    (desired->listen_port && desired->listen_port != device->listen_port))
		return false;
	for (size_t i = 0; i < desired->peer_count; i++) {
		const struct wg_peer *peer = &desired->peers[i];

		if (key_is_zero(&peer->public_key))
			continue;
		wanted++;
		if (!peer_reached(peer, wg_device_find_peer(device, &peer->public_key)))
			return false;
	}
	return wanted == device->peer_count;
}

bool wg_model_equal(const struct wg_device *a, const struct wg_device *b)
{
	for (size_t i = 0; i < a->peer_count; i++) {
		const struct wg_peer *other = wg_device_find_peer(b, &a->peers[i].public_key);

		if (!other || !socket_address_equal(&a->peers[i].address, &other->address))
			return false;
	}
	return a->listen_port == b->listen_port && wg_model_reached(a, b);
}
