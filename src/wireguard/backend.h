/* A running WireGuard device, whoever runs it: the kernel by generic netlink, the engine by the
 * cross-platform UAPI (https://www.wireguard.com/xplatform/). One set of words for both. */
#ifndef WIREGUARD_BACKEND_H
#define WIREGUARD_BACKEND_H

#include <stdbool.h>

#include "base/error.h"
#include "model/tunnel.h"

enum backend {
	BACKEND_KERNEL,
	BACKEND_ENGINE,
};

/* "kernel" or "engine". */
const char *backend_name(enum backend backend);

/* What is to change on a device. Peers not named stay as they are, unless replace_peers removes all
 * that were there before. */
struct wg_change {
	bool set_private_key, set_listen_port, set_fwmark, replace_peers;
	struct key private_key;
	uint16_t listen_port;
	uint32_t fwmark;
	struct wg_peer_change *peers; /* owned */
	size_t peer_count;
};

struct wg_peer_change {
	struct key public_key;
	bool remove;	  /* and nothing else */
	bool update_only; /* nothing happens when there is no such peer */
	bool set_preshared_key, set_address, set_keepalive, replace_allowed_ips;
	struct key preshared_key;
	union socket_address address;
	uint16_t keepalive;
	struct cidr_list allowed_ips; /* owned */
};

void wg_change_clear(struct wg_change *change);

/* Has the running kernel WireGuard, or can it load it? */
bool backend_kernel_present(void);

/* Reads the device: keys, peers, allowed IPs, statistics. netns_fd is the device's namespace (used
 * by the kernel backend only: the engine listens at its socket's path in any). -ENODEV when there
 * is no such device or, for the engine, nobody listens at its socket; -ETIMEDOUT when an engine
 * listens but does not answer; -EOPNOTSUPP when the interface is another kind or the kernel has no
 * WireGuard. *ret is the caller's to clear with wg_device_clear(). */
int backend_read(enum backend backend, int netns_fd, const char *name, struct wg_device *ret,
		 struct error *error);

/* Applies the change. The kernel's messages carry any number of peers and allowed IPs: one that is
 * full continues in the next, in the middle of a list where need be. When a message is refused
 * those before it stay applied. No backend can take an endpoint away: an address of no family is
 * passed over. Errors as backend_read(). */
int backend_write(enum backend backend, int netns_fd, const char *name,
		  const struct wg_change *change, struct error *error);

#endif
