/* A change may have any number of peers and allowed IPs, a message may not. So a message that is
 * full ends where it is, and the next goes on: with the next peer, or with the same peer and the
 * rest of its allowed IPs. What may be said only once is said in the first part: the device's own
 * settings and REPLACE_PEERS in the first message, a peer's settings and REPLACE_ALLOWEDIPS where
 * the peer begins. A part that goes on has the peer's public key, its further allowed IPs, and
 * UPDATE_ONLY where the peer had it, lest a peer that was not there be made by its second part.
 *
 * The kernel's dump is divided the same way: the first message has the device's settings, and a
 * peer that stands at the end of one message and the beginning of the next is one peer.
 *
 * The sizes below are of attributes with their headers of 4 bytes and the padding to 4.
 */
#include "wireguard/wgnetlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <string.h>

/* A peer with all it can have but allowed IPs: the list's entry 4, public key 36, flags 8,
 * preshared key 36, endpoint 32, keepalive 8, the list of allowed IPs 4. */
#define PEER_ROOM 128

/* The list's entry 4, family 8, address 20, length 8. */
#define ALLOWED_IP_ROOM 40

/* Headers 20, name 20, private key 36, listen port 8, mark 8, flags 8, the list of peers 4. */
#define DEVICE_ROOM 104

_Static_assert(DEVICE_ROOM + PEER_ROOM + ALLOWED_IP_ROOM <= WGNETLINK_MESSAGE_LEAST,
	       "the least message holds a peer and one of its allowed IPs");
_Static_assert(KEY_SIZE == WG_KEY_LEN, "a key is a key");

static struct nlmsghdr *message_begin(void *buffer, uint16_t family, uint8_t command,
				      const char *name)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic = mnl_nlmsg_put_extra_header(message, sizeof(*generic));

	message->nlmsg_type = family;
	generic->cmd = command;
	generic->version = WG_GENL_VERSION;
	mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, name);
	return message;
}

void wgnetlink_get(uint16_t family, const char *name, void *buffer)
{
	message_begin(buffer, family, WG_CMD_GET_DEVICE, name);
}

static void put_device(struct nlmsghdr *message, const struct wg_change *change)
{
	if (change->set_private_key)
		mnl_attr_put(message, WGDEVICE_A_PRIVATE_KEY, KEY_SIZE, change->private_key.bytes);
	if (change->set_listen_port)
		mnl_attr_put_u16(message, WGDEVICE_A_LISTEN_PORT, change->listen_port);
	if (change->set_fwmark)
		mnl_attr_put_u32(message, WGDEVICE_A_FWMARK, change->fwmark);
	if (change->replace_peers)
		mnl_attr_put_u32(message, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
}

static void put_allowed_ip(struct nlmsghdr *message, const struct cidr *cidr)
{
	struct nlattr *entry = mnl_attr_nest_start(message, 0);

	mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, cidr->ip.family);
	mnl_attr_put(message, WGALLOWEDIP_A_IPADDR, ip_bits(cidr->ip.family) / 8, cidr->ip.bytes);
	mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, cidr->length);
	mnl_attr_nest_end(message, entry);
}

/* A peer's settings, which stand in its first part only. An endpoint cannot be taken away: one
 * without an address is left as it is. */
static void put_peer_settings(struct nlmsghdr *message, const struct wg_peer_change *peer)
{
	socklen_t address_size = socket_address_size(&peer->address);
	uint32_t flags = 0;

	if (peer->remove)
		flags |= WGPEER_F_REMOVE_ME;
	if (peer->update_only)
		flags |= WGPEER_F_UPDATE_ONLY;
	if (peer->replace_allowed_ips && !peer->remove)
		flags |= WGPEER_F_REPLACE_ALLOWEDIPS;
	mnl_attr_put_u32(message, WGPEER_A_FLAGS, flags);
	if (peer->remove)
		return;
	if (peer->set_preshared_key)
		mnl_attr_put(message, WGPEER_A_PRESHARED_KEY, KEY_SIZE, peer->preshared_key.bytes);
	if (peer->set_address && address_size)
		mnl_attr_put(message, WGPEER_A_ENDPOINT, address_size, &peer->address);
	if (peer->set_keepalive)
		mnl_attr_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, peer->keepalive);
}

/* Puts the cursor's peer, or as much of the rest of it as there is room for, and moves the cursor.
 * False when the message is full. */
static bool put_peer(struct nlmsghdr *message, size_t size, struct wgnetlink_cursor *cursor,
		     const struct wg_peer_change *peer)
{
	size_t count = peer->remove ? 0 : peer->allowed_ips.count;
	struct nlattr *entry, *list;

	if (size - message->nlmsg_len < PEER_ROOM + ALLOWED_IP_ROOM)
		return false;
	entry = mnl_attr_nest_start(message, 0);
	mnl_attr_put(message, WGPEER_A_PUBLIC_KEY, KEY_SIZE, peer->public_key.bytes);
	if (cursor->allowed_ip == 0)
		put_peer_settings(message, peer);
	else if (peer->update_only)
		mnl_attr_put_u32(message, WGPEER_A_FLAGS, WGPEER_F_UPDATE_ONLY);
	if (count) {
		list = mnl_attr_nest_start(message, WGPEER_A_ALLOWEDIPS);
		while (cursor->allowed_ip < count && size - message->nlmsg_len >= ALLOWED_IP_ROOM)
			put_allowed_ip(message, &peer->allowed_ips.items[cursor->allowed_ip++]);
		mnl_attr_nest_end(message, list);
	}
	mnl_attr_nest_end(message, entry);
	if (cursor->allowed_ip < count)
		return false;
	cursor->allowed_ip = 0;
	cursor->peer++;
	return true;
}

bool wgnetlink_set(struct wgnetlink_cursor *cursor, const struct wg_change *change, uint16_t family,
		   const char *name, void *buffer, size_t size)
{
	struct nlmsghdr *message;
	struct nlattr *list;

	if (cursor->started && cursor->peer == change->peer_count)
		return false;
	message = message_begin(buffer, family, WG_CMD_SET_DEVICE, name);
	if (!cursor->started)
		put_device(message, change);
	cursor->started = true;
	if (cursor->peer == change->peer_count)
		return true;
	list = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);
	while (cursor->peer < change->peer_count &&
	       put_peer(message, size, cursor, &change->peers[cursor->peer]))
		;
	mnl_attr_nest_end(message, list);
	return true;
}

static int refuse(void)
{
	errno = EPROTO;
	return MNL_CB_ERROR;
}

static int take_key(const struct nlattr *attribute, struct key *ret)
{
	if (mnl_attr_get_payload_len(attribute) != sizeof(ret->bytes))
		return refuse();
	memcpy(ret->bytes, mnl_attr_get_payload(attribute), sizeof(ret->bytes));
	return MNL_CB_OK;
}

static int take_u16(const struct nlattr *attribute, uint16_t *ret)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_U16) < 0)
		return refuse();
	*ret = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int take_u64(const struct nlattr *attribute, uint64_t *ret)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_U64) < 0)
		return refuse();
	*ret = mnl_attr_get_u64(attribute);
	return MNL_CB_OK;
}

static int take_endpoint(const struct nlattr *attribute, union socket_address *ret)
{
	size_t size = mnl_attr_get_payload_len(attribute);
	union socket_address address = {};

	if (size > sizeof(address))
		return refuse();
	memcpy(&address, mnl_attr_get_payload(attribute), size);
	if (size != socket_address_size(&address))
		return refuse();
	*ret = address;
	return MNL_CB_OK;
}

static int take_handshake(const struct nlattr *attribute, int64_t *ret)
{
	struct __kernel_timespec time;

	if (mnl_attr_get_payload_len(attribute) != sizeof(time))
		return refuse();
	memcpy(&time, mnl_attr_get_payload(attribute), sizeof(time));
	*ret = time.tv_sec;
	return MNL_CB_OK;
}

struct allowed_ip {
	uint16_t family;
	const struct nlattr *address; /* its size is known when the family is */
	bool has_length;
	uint8_t length;
};

static int allowed_ip_attribute(const struct nlattr *attribute, void *data)
{
	struct allowed_ip *allowed_ip = data;

	switch (mnl_attr_get_type(attribute)) {
	case WGALLOWEDIP_A_FAMILY:
		return take_u16(attribute, &allowed_ip->family);
	case WGALLOWEDIP_A_IPADDR:
		allowed_ip->address = attribute;
		break;
	case WGALLOWEDIP_A_CIDR_MASK:
		if (mnl_attr_validate(attribute, MNL_TYPE_U8) < 0)
			return refuse();
		allowed_ip->length = mnl_attr_get_u8(attribute);
		allowed_ip->has_length = true;
		break;
	}
	return MNL_CB_OK;
}

static int take_allowed_ip(const struct nlattr *attribute, void *data)
{
	struct allowed_ip allowed_ip = {};
	struct cidr_list *list = data;
	struct cidr cidr = {};

	if (mnl_attr_parse_nested(attribute, allowed_ip_attribute, &allowed_ip) < 0)
		return MNL_CB_ERROR;
	if ((allowed_ip.family != AF_INET && allowed_ip.family != AF_INET6) ||
	    !allowed_ip.address || !allowed_ip.has_length ||
	    allowed_ip.length > ip_bits(allowed_ip.family) ||
	    mnl_attr_get_payload_len(allowed_ip.address) != ip_bits(allowed_ip.family) / 8)
		return refuse();
	cidr.ip.family = allowed_ip.family;
	cidr.length = allowed_ip.length;
	memcpy(cidr.ip.bytes, mnl_attr_get_payload(allowed_ip.address),
	       ip_bits(allowed_ip.family) / 8);
	cidr_list_append(list, &cidr);
	return MNL_CB_OK;
}

static int peer_attribute(const struct nlattr *attribute, void *data)
{
	struct wg_peer *peer = data;

	switch (mnl_attr_get_type(attribute)) {
	case WGPEER_A_PRESHARED_KEY:
		return take_key(attribute, &peer->preshared_key);
	case WGPEER_A_ENDPOINT:
		return take_endpoint(attribute, &peer->address);
	case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
		return take_u16(attribute, &peer->keepalive);
	case WGPEER_A_LAST_HANDSHAKE_TIME:
		return take_handshake(attribute, &peer->last_handshake);
	case WGPEER_A_RX_BYTES:
		return take_u64(attribute, &peer->received_bytes);
	case WGPEER_A_TX_BYTES:
		return take_u64(attribute, &peer->sent_bytes);
	case WGPEER_A_ALLOWEDIPS:
		return mnl_attr_parse_nested(attribute, take_allowed_ip, &peer->allowed_ips);
	}
	return MNL_CB_OK;
}

/* The attribute that says which peer it is. */
static const struct nlattr *find_public_key(const struct nlattr *peer)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, peer) if (mnl_attr_get_type(attribute) ==
						      WGPEER_A_PUBLIC_KEY) return attribute;
	return NULL;
}

static int take_peer(const struct nlattr *attribute, void *data)
{
	const struct nlattr *key_attribute = find_public_key(attribute);
	struct wg_device *device = data;
	struct wg_peer *peer = NULL;
	struct key public_key;

	if (!key_attribute || take_key(key_attribute, &public_key) < 0)
		return refuse();
	if (device->peer_count)
		peer = &device->peers[device->peer_count - 1];
	if (!peer || !key_equal(&peer->public_key, &public_key)) {
		peer = wg_device_append_peer(device);
		peer->public_key = public_key;
	}
	return mnl_attr_parse_nested(attribute, peer_attribute, peer);
}

static int device_attribute(const struct nlattr *attribute, void *data)
{
	struct wg_device *device = data;

	switch (mnl_attr_get_type(attribute)) {
	case WGDEVICE_A_PRIVATE_KEY:
		return take_key(attribute, &device->private_key);
	case WGDEVICE_A_LISTEN_PORT:
		return take_u16(attribute, &device->listen_port);
	case WGDEVICE_A_FWMARK:
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
			return refuse();
		device->fwmark = mnl_attr_get_u32(attribute);
		break;
	case WGDEVICE_A_PEERS:
		return mnl_attr_parse_nested(attribute, take_peer, device);
	}
	return MNL_CB_OK;
}

int wgnetlink_take(const struct nlmsghdr *message, void *data)
{
	const struct genlmsghdr *generic = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*generic) ||
	    generic->cmd != WG_CMD_GET_DEVICE)
		return refuse();
	return mnl_attr_parse(message, sizeof(*generic), device_attribute, data);
}
