/* A WireGuard tunnel as plain data: the one model between the .conf parser, the database, the
 * planner, the kernel's generic netlink, the UAPI and what is shown to people. */
#ifndef MODEL_TUNNEL_H
#define MODEL_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "model/dns.h"
#include "model/endpoint.h"
#include "model/key.h"

#define TUNNEL_MTU_DEFAULT    1420  /* 1500 less IPv6 (40), UDP (8) and WireGuard (32) */
#define TUNNEL_MTU_LEAST      576   /* RFC 791 */
#define TUNNEL_MTU_LEAST_IPV6 1280  /* RFC 8200 section 5 */
#define TUNNEL_MTU_MOST	      65455 /* 65535 less the same 80 */

struct wg_peer {
	struct key public_key;
	struct key preshared_key;     /* all zero: none (whitepaper section 5.4.1) */
	struct endpoint endpoint;     /* as the user wrote it; empty in what a device reports */
	union socket_address address; /* resolved, or what the device reports; AF_UNSPEC: none */
	uint16_t keepalive;	      /* seconds; 0: off */
	struct cidr_list allowed_ips; /* owned; host bits cleared */

	/* What a running device reports. */
	uint64_t received_bytes, sent_bytes;
	int64_t last_handshake; /* seconds since the epoch; 0: never */
};

struct wg_device {
	struct key private_key; /* all zero: none */
	uint16_t listen_port;	/* 0: chosen by the kernel */
	uint32_t fwmark;	/* 0: none */
	struct wg_peer *peers;	/* owned */
	size_t peer_count;
};

struct tunnel {
	uint32_t id; /* WG_<id> */
	struct wg_device device;
	struct cidr_list addresses; /* owned: the interface's own */
	struct dns dns;
	uint32_t mtu;	/* 0: TUNNEL_MTU_DEFAULT */
	bool from_pool; /* its address was handed out by the pool, not brought along by a .conf */
	bool routes;	/* false: Table = off, no route is made from the allowed IPs */
};

/* A new zeroed peer at the end of the device's list; valid until the next append. */
struct wg_peer *wg_device_append_peer(struct wg_device *device);

/* The peer with this public key, or NULL. */
struct wg_peer *wg_device_find_peer(const struct wg_device *device, const struct key *public_key);

/* What a device can never be made of: an MTU too small for the IPv6 it is to carry, an address that
 * stands twice with different prefix lengths. -EINVAL. */
int tunnel_check(const struct tunnel *tunnel, struct error *error);

/* Nor of a peer that is the tunnel itself: -EINVAL. Gives the tunnel's public key, which the first
 * time takes libcrypto the better part of a millisecond. */
int tunnel_check_peers(const struct tunnel *tunnel, struct key *ret_public_key,
		       struct error *error);

/* Free what is owned and wipe the keys. Usable with CLEANUP(). */
void wg_device_clear(struct wg_device *device);
void tunnel_clear(struct tunnel *tunnel);

#endif
