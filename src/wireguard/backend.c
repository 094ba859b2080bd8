#include "wireguard/backend.h"

#include "base/memory.h"
#include "wireguard/backend_kernel.h"
#include "wireguard/uapi_client.h"

const char *backend_name(enum backend backend)
{
	return backend == BACKEND_KERNEL ? "kernel" : "engine";
}

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

int backend_read(enum backend backend, int netns_fd, const char *name, struct wg_device *ret,
		 struct error *error)
{
	if (backend == BACKEND_KERNEL)
		return backend_kernel_read(netns_fd, name, ret, error);
	return uapi_client_read(name, ret, error);
}

int backend_write(enum backend backend, int netns_fd, const char *name,
		  const struct wg_change *change, struct error *error)
{
	if (backend == BACKEND_KERNEL)
		return backend_kernel_write(netns_fd, name, change, error);
	return uapi_client_write(name, change, error);
}
