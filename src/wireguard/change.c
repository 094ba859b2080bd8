#include "wireguard/backend.h"

#include "base/memory.h"

void wg_change_clear(struct wg_change *change)
{
	for (size_t i = 0; i < change->peer_count; i++) {
		cidr_list_clear(&change->peers[i].allowed_ips);
		key_wipe(&change->peers[i].preshared_key);
	}
	memory_free(&change->peers);
	key_wipe(&change->private_key);
	*change = (struct wg_change){};
}
