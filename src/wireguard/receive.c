/* Theory of operation
 *
 * A datagram is one of four messages, told apart by its first four bytes and its size. Nothing in
 * it is believed before it has been authenticated, and nobody who does not know our public key gets
 * an answer: what is wrong in any way is dropped in silence, always by the one way out that gives
 * the packet back.
 *
 *	initiation ─▶ MACs ─▶ who is it? ─▶ new and not too soon? ─▶ response, next session
 *	response ───▶ MACs ─▶ which handshake? ─▶ authentic? ──────▶ current session, keepalive
 *	cookie ─────▶ which handshake or session? ─▶ authentic? ───▶ kept for the next message
 *	data ───────▶ which session? ─▶ authentic? ─▶ new? ─▶ inner source allowed? ─▶ TUN
 */
#include "wireguard/bytes.h"
#include "wireguard/device_state.h"
#include "wireguard/send.h"

/* A new session is begun this much before the end of the current one (section 6.2). */
#define LAST_MINUTE (SESSION_REJECT_AFTER_TIME - TIMERS_KEEPALIVE_TIMEOUT - TIMERS_REKEY_TIMEOUT)

#define IPV4_HEADER 20
#define IPV6_HEADER 40

static void drop(struct work *work, struct packet *packet)
{
	packet_put(work->device->pool, packet);
}

/* An authentic packet came from this peer. */
static void packet_received(struct work *work, struct peer *peer, const struct packet *packet)
{
	peer_roam(peer, packet);
	timers_packet_received(work, peer);
}

/* May the handshake message be worked on? If not, the packet has been used up. */
static bool handshake_admit(struct work *work, struct packet *packet)
{
	struct device *device = work->device;
	uint64_t now = work->now->monotonic;

	if (!device->identity.pair.handle) {
		drop(work, packet);
		return false;
	}
	switch (cookie_check(&device->cookies, packet_data(packet), packet->length,
			     &packet->address, now)) {
	case COOKIE_BAD_MAC:
		break;
	case COOKIE_NONE:
		if (now >= device->under_load_until)
			return true;
		send_cookie_reply(work, packet);
		return false;
	case COOKIE_GOOD:
		if (now >= device->under_load_until ||
		    ratelimiter_allow(&device->ratelimiter, &packet->address, now))
			return true;
		break;
	}
	drop(work, packet);
	return false;
}

static void receive_initiation(struct work *work, struct packet *packet)
{
	const struct message_initiation *message;
	struct noise_initiation initiation;
	struct device *device = work->device;
	struct peer *peer;

	if (!handshake_admit(work, packet))
		return;
	message = (const struct message_initiation *)packet_data(packet);
	if (noise_initiation_open(&device->identity, message, &initiation)) {
		peer = peer_find(device, &initiation.remote_static);
		if (peer && noise_initiation_accept(&device->identity, &peer->handshake,
						    &initiation, message, work->now->monotonic)) {
			peer->received_bytes += packet->length;
			packet_received(work, peer, packet);
			send_response(work, peer);
		}
		noise_initiation_wipe(&initiation);
	}
	drop(work, packet);
}

static void receive_response(struct work *work, struct packet *packet)
{
	const struct message_response *message;
	struct device *device = work->device;
	struct index_entry *entry;
	struct peer *peer;

	if (!handshake_admit(work, packet))
		return;
	message = (const struct message_response *)packet_data(packet);
	entry = indices_find(&device->indices, bytes_get_le32(message->receiver));
	if (entry && entry->kind == INDEX_HANDSHAKE &&
	    noise_response_consume(&device->identity, &entry->peer->handshake, message)) {
		peer = entry->peer;
		peer->received_bytes += packet->length;
		packet_received(work, peer, packet);
		if (send_begin_session(work, peer)) {
			timers_handshake_complete(work, peer);
			send_keepalive(work, peer);
		}
	}
	drop(work, packet);
}

static void receive_cookie_reply(struct work *work, struct packet *packet)
{
	const struct message_cookie_reply *message =
		(const struct message_cookie_reply *)packet_data(packet);
	struct index_entry *entry =
		indices_find(&work->device->indices, bytes_get_le32(message->receiver));

	if (entry && cookie_reply_consume(&entry->peer->cookies, message, work->now->monotonic))
		entry->peer->received_bytes += packet->length;
	drop(work, packet);
}

/* Cuts the packet to the size that its IP header gives, which leaves out the padding, and finds who
 * may send from its source. False when there is no IP packet. */
static bool inspect_inner(const struct device *device, struct packet *packet, struct peer **ret)
{
	const uint8_t *data = packet_data(packet);
	struct allowed_ips_owner *owner;
	uint32_t length;

	if (packet->length >= IPV4_HEADER && data[0] >> 4 == 4) {
		length = bytes_get_be16(data + 2);
		if (length < IPV4_HEADER || length > packet->length)
			return false;
		owner = allowed_ips_find(&device->allowed_ips, AF_INET, data + 12);
	} else if (packet->length >= IPV6_HEADER && data[0] >> 4 == 6) {
		length = IPV6_HEADER + bytes_get_be16(data + 4);
		if (length > packet->length)
			return false;
		owner = allowed_ips_find(&device->allowed_ips, AF_INET6, data + 8);
	} else {
		return false;
	}
	packet->length = length;
	*ret = peer_of_allowed_ips(owner);
	return true;
}

/* The rule of section 6.2 for who receives: begins a new session while this one still serves. */
static void rekey_at_last_minute(struct work *work, struct peer *peer)
{
	const struct session *session = peer->sessions.current;

	if (peer->timers.last_minute_handshake || !session || !session->initiator ||
	    work->now->monotonic - session->born < LAST_MINUTE)
		return;
	peer->timers.last_minute_handshake = true;
	send_initiation(work, peer, false);
}

/* Takes an opened packet of a peer; it is used up. */
static void consume_data(struct work *work, struct peer *peer, struct packet *packet)
{
	uint32_t size = packet->length + (uint32_t)(sizeof(struct message_data) + AEAD_TAG_SIZE);
	struct peer *allowed;

	if (packet->length == 0) {
		peer->received_bytes += size;
		drop(work, packet);
		return;
	}
	timers_data_received(work, peer);
	if (!inspect_inner(work->device, packet, &allowed) || allowed != peer) {
		drop(work, packet);
		return;
	}
	peer->received_bytes += size;
	packet_queue_push(&work->output->inner, packet);
}

/* Finds the session of transport data and opens the packet: what is left is what was sealed. NULL
 * when it is not right. */
static struct session *open_packet(struct work *work, struct packet *packet)
{
	const struct message_data *message = (const struct message_data *)packet_data(packet);
	struct index_entry *entry =
		indices_find(&work->device->indices, bytes_get_le32(message->receiver));
	uint64_t counter = bytes_get_le64(message->counter);
	struct session *session;

	if (!entry || entry->kind != INDEX_SESSION)
		return NULL;
	session = (struct session *)((char *)entry - offsetof(struct session, index));
	if (!session_may_receive(session, counter, work->now->monotonic))
		return NULL;
	packet->offset += sizeof(*message);
	packet->length -= sizeof(*message);
	if (!aead_open(&session->receiving, counter, packet_data(packet), packet->length) ||
	    !replay_accept(&session->replay, counter))
		return NULL;
	packet->length -= AEAD_TAG_SIZE;
	return session;
}

static void receive_data(struct work *work, struct packet *packet)
{
	struct session *session = open_packet(work, packet);
	struct peer *peer;

	if (!session) {
		drop(work, packet);
		return;
	}
	peer = session->index.peer;
	packet_received(work, peer, packet);
	if (sessions_confirm(&peer->sessions, &work->device->indices, session)) {
		timers_handshake_complete(work, peer);
		send_staged(work, peer);
	}
	rekey_at_last_minute(work, peer);
	consume_data(work, peer, packet);
}

static void receive(struct work *work, struct packet *packet)
{
	uint32_t length = packet->length;
	uint32_t type = length >= 4 ? bytes_get_le32(packet_data(packet)) : 0;

	if (type == MESSAGE_DATA && length >= sizeof(struct message_data) + AEAD_TAG_SIZE)
		receive_data(work, packet);
	else if (type == MESSAGE_INITIATION && length == sizeof(struct message_initiation))
		receive_initiation(work, packet);
	else if (type == MESSAGE_RESPONSE && length == sizeof(struct message_response))
		receive_response(work, packet);
	else if (type == MESSAGE_COOKIE_REPLY && length == sizeof(struct message_cookie_reply))
		receive_cookie_reply(work, packet);
	else
		drop(work, packet);
}

void device_receive(struct device *device, const struct moment *now, struct packet_queue *datagrams,
		    struct device_output *output)
{
	struct work work = {.device = device, .now = now, .output = output};
	struct packet *packet;

	while ((packet = packet_queue_pop(datagrams))) {
		if (device->up)
			receive(&work, packet);
		else
			packet_put(device->pool, packet);
	}
}
