/* A peer and all that is known of it. What it does is in send.h, receive.h and timers.h. */
#ifndef WIREGUARD_PEER_H
#define WIREGUARD_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "model/key.h"
#include "wireguard/allowedips.h"
#include "wireguard/cookie.h"
#include "wireguard/indices.h"
#include "wireguard/noise.h"
#include "wireguard/packet.h"
#include "wireguard/session.h"
#include "wireguard/timers.h"

#define PEER_STAGED_MOST 128 /* packets that wait for a session, as in Linux */

struct device;

struct peer {
	struct table_node by_key;
	struct peer *previous, *next; /* of the device's, in the order they were added */

	union socket_address address; /* AF_UNSPEC: not known */
	union packet_source source;   /* where the last packet from there arrived */

	struct noise_handshake handshake;
	struct index_entry handshake_index;
	uint64_t handshake_sent; /* nanoseconds: our last handshake message; 0: never */
	struct cookie_jar cookies;
	struct sessions sessions;

	struct allowed_ips_owner allowed_ips;
	struct timers timers;
	uint16_t keepalive; /* seconds; 0: off */

	struct packet_queue staged; /* to be sent as soon as there is a session */
	struct peer *next_to_send;  /* in the course of device_send() */
	bool to_send;

	uint64_t received_bytes, sent_bytes;
	struct timespec last_handshake; /* real time; zero: never */
};

/* A new peer at the end of the device's list. The device owns it. */
struct peer *peer_create(struct device *device, const struct key *public_key);

/* Takes the peer out of the device, wipes and frees it. */
void peer_destroy(struct device *device, struct peer *peer);

/* The peer with this public key, or NULL. */
struct peer *peer_find(const struct device *device, const struct key *public_key);

/* The peer that owns this part of the allowed IPs. */
struct peer *peer_of_allowed_ips(struct allowed_ips_owner *owner);

/* Follows the peer to where an authentic packet of his came from. */
void peer_roam(struct peer *peer, const struct packet *packet);

/* Forgets where the peer's packets arrive on our side: the routing table may know better. */
void peer_forget_source(struct peer *peer);

/* Forgets the handshake under way and its index. */
void peer_forget_handshake(struct device *device, struct peer *peer);

/* Forgets all sessions and the handshake, and wipes their keys. */
void peer_forget_keys(struct device *device, struct peer *peer);

/* Puts a packet at the end of those that wait. */
void peer_stage(struct device *device, struct peer *peer, struct packet *packet);

/* The first of those that wait; NULL: none. */
struct packet *peer_unstage(struct device *device, struct peer *peer);

/* Drops the oldest of those that wait until they are no more than they may be. */
void peer_trim_staged(struct device *device, struct peer *peer);

void peer_drop_staged(struct device *device, struct peer *peer);

#endif
