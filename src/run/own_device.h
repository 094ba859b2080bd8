/* The device of a user's own tunnel, whoever runs it: an engine or the kernel. */
#ifndef RUN_OWN_DEVICE_H
#define RUN_OWN_DEVICE_H

#include <limits.h>

#include "base/error.h"
#include "base/ip.h"
#include "wireguard/backend.h"

struct own_device {
	enum backend backend;
	char socket[PATH_MAX]; /* of the engine */
	int netns;	       /* where the kernel's device is; not owned */
};

/* The caller clears *ret. */
int own_device_read(const struct own_device *device, struct wg_device *ret, struct error *error);

int own_device_write(const struct own_device *device, const struct wg_change *change,
		     struct error *error);

/* Gives a peer another address. */
int own_device_move_peer(const struct own_device *device, const struct key *public_key,
			 const union socket_address *address, struct error *error);

/* Has it all the peers that it was given? What tunnel_check_peers() asks, without X25519, which would
 * take longer: no device takes a peer that is itself, nor says so. -EINVAL. */
int own_device_check_peers(const struct own_device *device, size_t given, struct error *error);

#endif
