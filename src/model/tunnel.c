#include "model/tunnel.h"

#include <string.h>

#include "base/memory.h"

/* Grows by doubling: a full list is one whose count is a power of two. The old block is wiped
 * before it is freed, which realloc() would not do with the preshared keys in it. */
struct wg_peer *wg_device_append_peer(struct wg_device *device)
{
	size_t count = device->peer_count, size = count * sizeof(*device->peers);
	struct wg_peer *grown;

	if ((count & (count - 1)) == 0) {
		grown = memory_resize(NULL, count ? count * 2 : 1, sizeof(*grown));
		if (count) {
			memcpy(grown, device->peers, size);
			explicit_bzero(device->peers, size);
		}
		memory_free(&device->peers);
		device->peers = grown;
	}
	device->peer_count++;
	device->peers[count] = (struct wg_peer){};
	return &device->peers[count];
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
