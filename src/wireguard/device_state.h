/* The inside of a device, for the files that make up the protocol core. */
#ifndef WIREGUARD_DEVICE_STATE_H
#define WIREGUARD_DEVICE_STATE_H

#include "wireguard/device.h"
#include "wireguard/peer.h"
#include "wireguard/ratelimiter.h"

struct device {
	struct packet_pool *pool; /* not owned */
	struct noise_identity identity;
	struct cookie_checker cookies;
	struct ratelimiter ratelimiter;

	struct peer *first, *last;
	size_t peer_count;
	struct table peers_by_key;
	uint8_t table_key[HASH_SIZE]; /* random: for the hash of that table */
	struct table indices;
	struct allowed_ips allowed_ips;
	struct schedule schedule;

	size_t staged_count;	   /* packets that wait, of all peers together */
	uint64_t under_load_until; /* nanoseconds */
	uint32_t mtu;
	bool up;
};

/* What one call to the device works with. */
struct work {
	struct device *device;
	const struct moment *now;
	struct device_output *output;
};

#endif
