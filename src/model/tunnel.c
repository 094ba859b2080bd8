#include "model/tunnel.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

struct wg_peer *wg_device_append_peer(struct wg_device *device)
{
	struct wg_peer *peer;

	device->peers =
		memory_grow_secret(device->peers, device->peer_count, sizeof(*device->peers));
	peer = &device->peers[device->peer_count++];
	*peer = (struct wg_peer){};
	return peer;
}

/* Public keys are no secret: they need not be compared in constant time, and a hostile file may
 * hold thousands. */
struct wg_peer *wg_device_find_peer(const struct wg_device *device, const struct key *public_key)
{
	for (size_t i = 0; i < device->peer_count; i++)
		if (memcmp(&device->peers[i].public_key, public_key, sizeof(*public_key)) == 0)
			return &device->peers[i];
	return NULL;
}

void wg_device_clear(struct wg_device *device)
{
	for (size_t i = 0; i < device->peer_count; i++) {
		cidr_list_clear(&device->peers[i].allowed_ips);
		key_wipe(&device->peers[i].preshared_key);
	}
	memory_free(&device->peers);
	key_wipe(&device->private_key);
	*device = (struct wg_device){};
}

void tunnel_clear(struct tunnel *tunnel)
{
	wg_device_clear(&tunnel->device);
	cidr_list_clear(&tunnel->addresses);
	*tunnel = (struct tunnel){};
}

static bool holds_ipv6(const struct cidr_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].ip.family == AF_INET6)
			return true;
	return false;
}

static bool carries_ipv6(const struct tunnel *tunnel)
{
	for (size_t i = 0; i < tunnel->device.peer_count; i++)
		if (holds_ipv6(&tunnel->device.peers[i].allowed_ips))
			return true;
	return holds_ipv6(&tunnel->addresses);
}

static int check_addresses(const struct cidr_list *list, struct error *error)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < i; j++)
			if (ip_equal(&list->items[i].ip, &list->items[j].ip))
				return error_set(error, EINVAL, "the address %s stands twice",
						 ip_format(&list->items[i].ip, text));
	return 0;
}

int tunnel_check(const struct tunnel *tunnel, struct error *error)
{
	if (tunnel->mtu && tunnel->mtu < TUNNEL_MTU_LEAST_IPV6 && carries_ipv6(tunnel))
		return error_set(error, EINVAL,
				 "an MTU of %u is too small for IPv6, which needs %d", tunnel->mtu,
				 TUNNEL_MTU_LEAST_IPV6);
	return check_addresses(&tunnel->addresses, error);
}

int tunnel_check_peers(const struct tunnel *tunnel, struct key *ret_public_key, struct error *error)
{
	struct key own;
	int code = key_derive_public(&tunnel->device.private_key, &own, error);

	if (code < 0)
		return code;
	if (wg_device_find_peer(&tunnel->device, &own))
		return error_set(error, EINVAL,
				 "the public key of a peer is the tunnel's own, not its server's");
	*ret_public_key = own;
	return 0;
}
