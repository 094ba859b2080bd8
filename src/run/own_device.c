#include "run/own_device.h"

#include <errno.h>

#include "base/memory.h"
#include "reconcile/state.h"
#include "wireguard/uapi_client.h"

int own_device_read(const struct own_device *device, struct wg_device *ret, struct error *error)
{
	if (device->backend == BACKEND_ENGINE)
		return uapi_client_read(device->socket, ret, error);
	return backend_read(BACKEND_KERNEL, device->netns, OWN_DEVICE, ret, error);
}

int own_device_write(const struct own_device *device, const struct wg_change *change,
		     struct error *error)
{
	if (device->backend == BACKEND_ENGINE)
		return uapi_client_write(device->socket, change, error);
	return backend_write(BACKEND_KERNEL, device->netns, OWN_DEVICE, change, error);
}

int own_device_move_peer(const struct own_device *device, const struct key *public_key,
			 const union socket_address *address, struct error *error)
{
	struct wg_peer_change peer = {.public_key = *public_key,
				      .update_only = true,
				      .set_address = true,
				      .address = *address};

	return own_device_write(device, &(struct wg_change){.peers = &peer, .peer_count = 1},
				error);
}

int own_device_check_peers(const struct own_device *device, size_t given, struct error *error)
{
	CLEANUP(wg_device_clear) struct wg_device there = {};
	int code = own_device_read(device, &there, error);

	if (code == 0 && there.peer_count < given)
		return error_set(error, EINVAL,
				 "the public key of a peer is the tunnel's own, not its server's");
	return code;
}
