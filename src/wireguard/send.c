/* Theory of operation
 *
 * Every IP packet first joins those that wait for its peer, also when there is a session: a batch
 * for several peers is so sorted into one run a peer, which is sealed with one key and goes out as
 * one run of datagrams to one address. What cannot be sealed stays, within limits, and a handshake
 * is begun; the end of it calls send_staged() again. A keepalive is an empty packet on the same
 * way.
 *
 * Whoever sends notices that a session grows old (section 6.2): the initiator by its age, both by
 * its counter. */
#include "wireguard/send.h"

#include <assert.h>

#include "wireguard/bytes.h"

/* Hands a datagram to the output; the packet is used up. */
static void emit(struct work *work, struct peer *peer, struct packet *packet)
{
	packet->address = peer->address;
	packet->source = peer->source;
	peer->sent_bytes += packet->length;
	packet_queue_push(&work->output->datagrams, packet);
}

static void emit_handshake(struct work *work, struct peer *peer, struct packet *packet,
			   uint32_t size)
{
	packet->length = size;
	cookie_add_macs(&peer->cookies, packet_data(packet), size, work->now->monotonic);
	timers_packet_sent(work, peer);
	emit(work, peer, packet);
}

static bool initiation_is_due(const struct work *work, const struct peer *peer)
{
	return peer->address.any.sa_family != AF_UNSPEC &&
	       (!peer->handshake_sent ||
		work->now->monotonic - peer->handshake_sent >= TIMERS_REKEY_TIMEOUT);
}

void send_initiation(struct work *work, struct peer *peer, bool retry)
{
	struct device *device = work->device;
	struct message_initiation *message;
	struct packet *packet;
	uint32_t index;

	if (!retry)
		peer->timers.attempts_began = work->now->monotonic;
	if (!initiation_is_due(work, peer))
		return;
	packet = packet_get(device->pool);
	if (!packet)
		return;
	message = (struct message_initiation *)packet_data(packet);
	index = indices_renew(&device->indices, &peer->handshake_index);
	if (!noise_initiation_create(&device->identity, &peer->handshake, index, &work->now->real,
				     message)) {
		peer_forget_handshake(device, peer);
		packet_put(device->pool, packet);
		return;
	}
	peer->handshake_sent = work->now->monotonic;
	timers_initiation_sent(work, peer);
	emit_handshake(work, peer, packet, sizeof(*message));
}

bool send_begin_session(struct work *work, struct peer *peer)
{
	struct device *device = work->device;
	bool initiator = peer->handshake.state == NOISE_RESPONSE_RECEIVED;
	uint32_t remote_index = peer->handshake.remote_index;
	struct noise_keys keys;
	bool made;

	noise_handshake_finish(&peer->handshake, &keys);
	made = sessions_add(&peer->sessions, &device->indices, &keys, &peer->handshake_index,
			    remote_index, initiator, work->now->monotonic);
	noise_keys_wipe(&keys);
	if (made)
		timers_session_made(work, peer);
	return made;
}

void send_response(struct work *work, struct peer *peer)
{
	struct device *device = work->device;
	struct packet *packet = packet_get(device->pool);
	struct message_response *message;
	uint32_t index;

	if (!packet)
		return;
	message = (struct message_response *)packet_data(packet);
	index = indices_renew(&device->indices, &peer->handshake_index);
	if (!noise_response_create(&peer->handshake, index, message) ||
	    !send_begin_session(work, peer)) {
		peer_forget_handshake(device, peer);
		packet_put(device->pool, packet);
		return;
	}
	peer->handshake_sent = work->now->monotonic;
	emit_handshake(work, peer, packet, sizeof(*message));
}

void send_cookie_reply(struct work *work, struct packet *packet)
{
	struct device *device = work->device;
	struct message_cookie_reply reply;

	if (!cookie_reply_create(&device->cookies, packet_data(packet), packet->length,
				 &packet->address, work->now->monotonic, &reply)) {
		packet_put(device->pool, packet);
		return;
	}
	memcpy(packet_data(packet), &reply, sizeof(reply));
	packet->length = sizeof(reply);
	packet_queue_push(&work->output->datagrams, packet);
}

/* The size of a packet with its padding: a multiple of 16, but not past the MTU (section 5.4.6). */
static uint32_t padded(uint32_t size, uint32_t mtu)
{
	uint32_t full = (size + MESSAGE_PADDING - 1) / MESSAGE_PADDING * MESSAGE_PADDING;

	if (size >= mtu)
		return size;
	return full < mtu ? full : mtu;
}

/* Makes transport data of a packet, in place. */
static bool seal_packet(const struct device *device, struct session *session, struct packet *packet)
{
	uint32_t size = padded(packet->length, device->mtu);
	uint64_t counter = session->counter++;
	struct message_data *message;

	memset(packet_data(packet) + packet->length, 0, size - packet->length);
	if (!aead_seal(&session->sending, counter, packet_data(packet), size))
		return false;
	packet->offset -= sizeof(*message);
	packet->length = (uint32_t)sizeof(*message) + size + AEAD_TAG_SIZE;
	message = (struct message_data *)packet_data(packet);
	bytes_put_le32(message->type, MESSAGE_DATA);
	bytes_put_le32(message->receiver, session->remote_index);
	bytes_put_le64(message->counter, counter);
	return true;
}

/* The rules of section 6.2 for who sends. */
static bool wants_rekey(const struct session *session, uint64_t now)
{
	return session->counter > SESSION_REKEY_AFTER_MESSAGES ||
	       (session->initiator && now - session->born >= SESSION_REKEY_AFTER_TIME);
}

void send_staged(struct work *work, struct peer *peer)
{
	struct session *session = peer->sessions.current;
	struct device *device = work->device;
	uint64_t now = work->now->monotonic;
	bool sent = false, data = false;
	struct packet *packet;

	if (!peer->staged.first)
		return;
	while (session_may_send(session, now) && (packet = peer_unstage(device, peer))) {
		bool empty = packet->length == 0;

		if (!seal_packet(device, session, packet)) {
			packet_put(device->pool, packet);
			continue;
		}
		emit(work, peer, packet);
		sent = true;
		data |= !empty;
	}
	if (sent)
		timers_packet_sent(work, peer);
	if (data)
		timers_data_sent(work, peer);
	if (peer->staged.first) {
		peer_trim_staged(device, peer);
		send_initiation(work, peer, false);
	} else if (wants_rekey(session, now)) {
		send_initiation(work, peer, false);
	}
}

void send_keepalive(struct work *work, struct peer *peer)
{
	struct packet *packet;

	if (!peer->staged.first) {
		packet = packet_get(work->device->pool);
		if (!packet)
			return;
		peer_stage(work->device, peer, packet);
	}
	send_staged(work, peer);
}

/* Finds whom an IP packet is for; NULL: nobody, or it is none. */
static struct peer *route(const struct device *device, const struct packet *packet)
{
	const uint8_t *data = packet_data(packet);
	struct allowed_ips_owner *owner = NULL;

	if (packet->length >= 20 && data[0] >> 4 == 4)
		owner = allowed_ips_find(&device->allowed_ips, AF_INET, data + 16);
	else if (packet->length >= 40 && data[0] >> 4 == 6)
		owner = allowed_ips_find(&device->allowed_ips, AF_INET6, data + 24);
	return peer_of_allowed_ips(owner);
}

void device_send(struct device *device, const struct moment *now, struct packet_queue *packets,
		 struct device_output *output)
{
	struct work work = {.device = device, .now = now, .output = output};
	struct peer *peer, *to_send = NULL;
	struct packet *packet;

	while ((packet = packet_queue_pop(packets))) {
		assert(packet->offset >= PACKET_HEADROOM);
		assert(packet->offset + packet->length + PACKET_TAILROOM <= packet->capacity);
		peer = device->up ? route(device, packet) : NULL;
		if (!peer || peer->address.any.sa_family == AF_UNSPEC) {
			packet_put(device->pool, packet);
			continue;
		}
		peer_stage(device, peer, packet);
		if (!peer->to_send) {
			peer->to_send = true;
			peer->next_to_send = to_send;
			to_send = peer;
		}
	}
	while ((peer = to_send)) {
		to_send = peer->next_to_send;
		peer->to_send = false;
		send_staged(&work, peer);
	}
}
