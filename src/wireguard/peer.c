#include "wireguard/peer.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/memory.h"
#include "wireguard/bytes.h"
#include "wireguard/device_state.h"

static uint64_t hash_of(const struct device *device, const struct key *public_key)
{
	uint8_t digest[MESSAGE_MAC_SIZE];

	hash_mac(device->table_key, sizeof(device->table_key), public_key->bytes, KEY_SIZE, digest);
	return bytes_get_le64(digest);
}

static void link_peer(struct device *device, struct peer *peer)
{
	peer->previous = device->last;
	if (device->last)
		device->last->next = peer;
	else
		device->first = peer;
	device->last = peer;
	device->peer_count++;
}

static void unlink_peer(struct device *device, struct peer *peer)
{
	if (peer->previous)
		peer->previous->next = peer->next;
	else
		device->first = peer->next;
	if (peer->next)
		peer->next->previous = peer->previous;
	else
		device->last = peer->previous;
	device->peer_count--;
}

struct peer *peer_create(struct device *device, const struct key *public_key)
{
	struct peer *peer = memory_zalloc(sizeof(*peer));

	peer->handshake.remote_static = *public_key;
	noise_handshake_prepare(&peer->handshake, &device->identity);
	peer->handshake_index.kind = INDEX_HANDSHAKE;
	peer->handshake_index.peer = peer;
	cookie_keys_derive(&peer->cookies.keys, public_key);
	sessions_init(&peer->sessions, peer);
	timers_init(&peer->timers, &device->schedule);
	table_insert(&device->peers_by_key, &peer->by_key, hash_of(device, public_key));
	link_peer(device, peer);
	return peer;
}

void peer_destroy(struct device *device, struct peer *peer)
{
	peer_drop_staged(device, peer);
	peer_forget_keys(device, peer);
	timers_remove(&peer->timers, &device->schedule);
	allowed_ips_remove(&device->allowed_ips, &peer->allowed_ips);
	table_remove(&device->peers_by_key, &peer->by_key);
	unlink_peer(device, peer);
	OPENSSL_cleanse(peer, sizeof(*peer));
	free(peer);
}

struct peer *peer_find(const struct device *device, const struct key *public_key)
{
	struct table_node *node = table_find(&device->peers_by_key, hash_of(device, public_key));
	struct peer *peer;

	for (; node; node = table_find_next(node)) {
		peer = (struct peer *)((char *)node - offsetof(struct peer, by_key));
		if (key_equal(&peer->handshake.remote_static, public_key))
			return peer;
	}
	return NULL;
}

struct peer *peer_of_allowed_ips(struct allowed_ips_owner *owner)
{
	return owner ? (struct peer *)((char *)owner - offsetof(struct peer, allowed_ips)) : NULL;
}

void peer_roam(struct peer *peer, const struct packet *packet)
{
	peer->address = packet->address;
	peer->source = packet->source;
}

void peer_forget_source(struct peer *peer)
{
	peer->source = (union packet_source){};
}

void peer_forget_handshake(struct device *device, struct peer *peer)
{
	noise_handshake_forget(&peer->handshake);
	indices_remove(&device->indices, &peer->handshake_index);
}

void peer_forget_keys(struct device *device, struct peer *peer)
{
	peer_forget_handshake(device, peer);
	sessions_clear(&peer->sessions, &device->indices);
}

void peer_stage(struct device *device, struct peer *peer, struct packet *packet)
{
	packet_queue_push(&peer->staged, packet);
	device->staged_count++;
}

struct packet *peer_unstage(struct device *device, struct peer *peer)
{
	struct packet *packet = packet_queue_pop(&peer->staged);

	if (packet)
		device->staged_count--;
	return packet;
}

/* All peers together may hold half of the pool: the rest is for packets that move. */
void peer_trim_staged(struct device *device, struct peer *peer)
{
	size_t most = packet_pool_size(device->pool) / 2;

	while (peer->staged.count > PEER_STAGED_MOST ||
	       (peer->staged.count > 0 && device->staged_count > most))
		packet_put(device->pool, peer_unstage(device, peer));
}

void peer_drop_staged(struct device *device, struct peer *peer)
{
	struct packet *packet;

	while ((packet = peer_unstage(device, peer)))
		packet_put(device->pool, packet);
}
