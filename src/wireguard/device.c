#include "wireguard/device.h"

#include <errno.h>
#include <openssl/crypto.h>

#include "base/memory.h"
#include "wireguard/device_state.h"
#include "wireguard/random.h"
#include "wireguard/send.h"

#define UNDER_LOAD_TIME MOMENT_SECOND

struct device *device_create(struct packet_pool *pool)
{
	struct device *device = memory_zalloc(sizeof(*device));

	device->pool = pool;
	device->mtu = TUNNEL_MTU_DEFAULT;
	random_fill(device->table_key, sizeof(device->table_key));
	ratelimiter_init(&device->ratelimiter);
	return device;
}

static void remove_all_peers(struct device *device)
{
	while (device->first)
		peer_destroy(device, device->first);
}

void device_free(struct device **device)
{
	if (!*device)
		return;
	remove_all_peers(*device);
	noise_identity_clear(&(*device)->identity);
	table_clear(&(*device)->peers_by_key);
	table_clear(&(*device)->indices);
	schedule_clear(&(*device)->schedule);
	OPENSSL_cleanse(*device, sizeof(**device));
	memory_free(device);
}

void device_set_up(struct device *device, const struct moment *now, bool up,
		   struct device_output *output)
{
	struct work work = {.device = device, .now = now, .output = output};

	if (device->up == up)
		return;
	device->up = up;
	for (struct peer *peer = device->first; peer; peer = peer->next) {
		if (up && peer->keepalive) {
			send_keepalive(&work, peer);
		} else if (!up) {
			peer_drop_staged(device, peer);
			peer_forget_keys(device, peer);
			peer->handshake_sent = 0;
			timers_stop(&work, peer);
		}
	}
}

void device_set_mtu(struct device *device, uint32_t mtu)
{
	device->mtu = mtu;
}

void device_set_under_load(struct device *device, const struct moment *now)
{
	device->under_load_until = now->monotonic + UNDER_LOAD_TIME;
}

/* A new key: a peer cannot be ourselves, and what was agreed on under the old one is not used to
 * send any more. */
static int set_private_key(struct device *device, const struct key *private_key,
			   struct error *error)
{
	struct noise_identity *identity = &device->identity;
	struct peer *self;

	if (key_equal(&identity->private_key, private_key))
		return 0;
	if (!noise_identity_set(identity, private_key))
		return error_set(error, ENOMEM, "no memory for the private key");
	self = identity->pair.handle ? peer_find(device, &identity->pair.public_key) : NULL;
	if (self)
		peer_destroy(device, self);
	cookie_keys_derive(&device->cookies.keys, &identity->pair.public_key);
	for (struct peer *peer = device->first; peer; peer = peer->next) {
		peer_forget_handshake(device, peer);
		noise_handshake_prepare(&peer->handshake, identity);
		sessions_revoke(&peer->sessions);
		peer->handshake_sent = 0;
	}
	return 0;
}

/* Finds the peer of a change or makes it. *ret is NULL when there is nothing to change. */
static int find_or_create(struct device *device, const struct wg_peer_change *change,
			  struct peer **ret, struct error *error)
{
	*ret = peer_find(device, &change->public_key);
	if (*ret || change->remove || change->update_only ||
	    (device->identity.pair.handle &&
	     key_equal(&device->identity.pair.public_key, &change->public_key)))
		return 0;
	if (device->peer_count >= DEVICE_PEERS_MAX)
		return error_set(error, ENOSPC, "a device has at most %u peers", DEVICE_PEERS_MAX);
	*ret = peer_create(device, &change->public_key);
	return 0;
}

static int change_peer(struct work *work, const struct wg_peer_change *change, struct error *error)
{
	struct device *device = work->device;
	bool greet = false;
	struct peer *peer;
	int status = find_or_create(device, change, &peer, error);

	if (status < 0 || !peer)
		return status;
	if (change->remove) {
		peer_destroy(device, peer);
		return 0;
	}
	if (change->set_preshared_key)
		peer->handshake.preshared_key = change->preshared_key;
	if (change->set_address) {
		peer->address = change->address;
		peer_forget_source(peer);
	}
	if (change->replace_allowed_ips)
		allowed_ips_remove(&device->allowed_ips, &peer->allowed_ips);
	for (size_t i = 0; i < change->allowed_ips.count; i++)
		allowed_ips_insert(&device->allowed_ips, &change->allowed_ips.items[i],
				   &peer->allowed_ips);
	if (change->set_keepalive) {
		greet = !peer->keepalive && change->keepalive;
		peer->keepalive = change->keepalive;
	}
	if (device->up && greet)
		send_keepalive(work, peer);
	else if (device->up)
		send_staged(work, peer);
	return 0;
}

int device_configure(struct device *device, const struct moment *now,
		     const struct wg_change *change, struct device_output *output,
		     struct error *error)
{
	struct work work = {.device = device, .now = now, .output = output};
	int status = 0;

	if (change->set_private_key)
		status = set_private_key(device, &change->private_key, error);
	if (status == 0 && change->replace_peers)
		remove_all_peers(device);
	for (size_t i = 0; status == 0 && i < change->peer_count; i++)
		status = change_peer(&work, &change->peers[i], error);
	return status;
}

void device_read(const struct device *device, struct wg_device *ret)
{
	struct wg_device snapshot = {.private_key = device->identity.private_key};
	struct wg_peer *to;

	for (const struct peer *peer = device->first; peer; peer = peer->next) {
		to = wg_device_append_peer(&snapshot);
		to->public_key = peer->handshake.remote_static;
		to->preshared_key = peer->handshake.preshared_key;
		to->address = peer->address;
		to->keepalive = peer->keepalive;
		to->received_bytes = peer->received_bytes;
		to->sent_bytes = peer->sent_bytes;
		to->last_handshake = peer->last_handshake.tv_sec;
		allowed_ips_list(&peer->allowed_ips, &to->allowed_ips);
	}
	*ret = snapshot;
	key_wipe(&snapshot.private_key);
}

void device_run_timers(struct device *device, const struct moment *now,
		       struct device_output *output)
{
	struct work work = {.device = device, .now = now, .output = output};
	struct schedule_item *item;

	while ((item = schedule_first(&device->schedule)) && item->at <= now->monotonic)
		timers_run(&work,
			   (struct peer *)((char *)item - offsetof(struct peer, timers.item)));
}

uint64_t device_deadline(const struct device *device)
{
	struct schedule_item *item = schedule_first(&device->schedule);

	return item ? item->at : MOMENT_NEVER;
}
