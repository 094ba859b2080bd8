/* wireguard/wgnetlink: a change cut into messages is the same change. A naive kernel below applies
 * both the whole change and the messages, and must have the same device afterwards.
 *
 * Longer than 500 lines: the naive kernel, which reads one kind of message and writes the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/netlink_answer.h"
#include "wireguard/wgnetlink.h"

#define FAMILY 31
#define NAME   "subu_123456789x" /* the longest */

static size_t below(size_t end)
{
	return (size_t)random() % end;
}

static void random_bytes(void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)bytes)[i] = (uint8_t)random();
}

static void random_address(union socket_address *ret)
{
	*ret = (union socket_address){};
	if (below(2)) {
		ret->v4.sin_family = AF_INET;
		random_bytes(&ret->v4.sin_addr, 4);
		ret->v4.sin_port = (in_port_t)random();
	} else {
		ret->v6.sin6_family = AF_INET6;
		random_bytes(&ret->v6.sin6_addr, 16);
		ret->v6.sin6_port = (in_port_t)random();
		ret->v6.sin6_scope_id = (uint32_t)below(3);
	}
}

static void random_allowed_ips(struct cidr_list *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cidr cidr = {.ip.family = below(2) ? AF_INET : AF_INET6};

		random_bytes(cidr.ip.bytes, ip_bits(cidr.ip.family) / 8);
		cidr.length = (uint8_t)below(ip_bits(cidr.ip.family) + 1);
		cidr = cidr_network(&cidr);
		cidr_list_append(list, &cidr);
	}
}

/* A device with peers whose keys count from 1, so that a change meets them. */
static struct wg_device random_device(size_t peers, size_t allowed_ips)
{
	struct wg_device device = {.listen_port = (uint16_t)random(), .fwmark = (uint32_t)random()};

	random_bytes(&device.private_key, KEY_SIZE);
	for (size_t i = 0; i < peers; i++) {
		struct wg_peer *peer = wg_device_append_peer(&device);

		peer->public_key.bytes[0] = (uint8_t)(i + 1);
		peer->public_key.bytes[1] = (uint8_t)(i >> 8);
		random_bytes(&peer->preshared_key, KEY_SIZE);
		random_address(&peer->address);
		peer->keepalive = (uint16_t)random();
		peer->received_bytes = (uint64_t)random();
		peer->sent_bytes = (uint64_t)random() << 20;
		peer->last_handshake = random();
		random_allowed_ips(&peer->allowed_ips, below(allowed_ips + 1));
	}
	return device;
}

static struct wg_change random_change(size_t peers, size_t allowed_ips)
{
	struct wg_change change = {.set_private_key = below(2),
				   .set_listen_port = below(2),
				   .set_fwmark = below(2),
				   .replace_peers = below(4) == 0,
				   .listen_port = (uint16_t)random(),
				   .fwmark = (uint32_t)random()};

	random_bytes(&change.private_key, KEY_SIZE);
	change.peers = memory_zalloc((peers + 1) * sizeof(*change.peers));
	for (; change.peer_count < peers; change.peer_count++) {
		struct wg_peer_change *peer = &change.peers[change.peer_count];

		peer->public_key.bytes[0] = (uint8_t)(below(peers * 2) + 1);
		peer->remove = below(6) == 0;
		peer->update_only = below(4) == 0;
		peer->set_preshared_key = below(2);
		random_bytes(&peer->preshared_key, KEY_SIZE);
		peer->set_address = below(2);
		random_address(&peer->address);
		peer->set_keepalive = below(2);
		peer->keepalive = (uint16_t)random();
		peer->replace_allowed_ips = below(2);
		random_allowed_ips(&peer->allowed_ips, below(allowed_ips + 1));
	}
	return change;
}

static void remove_peer(struct wg_device *device, struct wg_peer *peer)
{
	cidr_list_clear(&peer->allowed_ips);
	memmove(peer, peer + 1,
		(size_t)(&device->peers[--device->peer_count] - peer) * sizeof(*peer));
}

static void apply_peer(struct wg_device *device, const struct wg_peer_change *change)
{
	struct wg_peer *peer = wg_device_find_peer(device, &change->public_key);

	if (change->remove || (!peer && change->update_only)) {
		if (peer && change->remove)
			remove_peer(device, peer);
		return;
	}
	if (!peer) {
		peer = wg_device_append_peer(device);
		peer->public_key = change->public_key;
	}
	if (change->set_preshared_key)
		peer->preshared_key = change->preshared_key;
	if (change->set_address)
		peer->address = change->address;
	if (change->set_keepalive)
		peer->keepalive = change->keepalive;
	if (change->replace_allowed_ips)
		cidr_list_clear(&peer->allowed_ips);
	for (size_t i = 0; i < change->allowed_ips.count; i++)
		cidr_list_append(&peer->allowed_ips, &change->allowed_ips.items[i]);
}

/* The naive kernel. */
static void apply(struct wg_device *device, const struct wg_change *change)
{
	if (change->set_private_key)
		device->private_key = change->private_key;
	if (change->set_listen_port)
		device->listen_port = change->listen_port;
	if (change->set_fwmark)
		device->fwmark = change->fwmark;
	while (change->replace_peers && device->peer_count)
		remove_peer(device, &device->peers[device->peer_count - 1]);
	for (size_t i = 0; i < change->peer_count; i++)
		apply_peer(device, &change->peers[i]);
}

static void assert_devices_equal(const struct wg_device *a, const struct wg_device *b)
{
	assert_memory_equal(&a->private_key, &b->private_key, KEY_SIZE);
	assert_int_equal(a->listen_port, b->listen_port);
	assert_int_equal(a->fwmark, b->fwmark);
	assert_int_equal(a->peer_count, b->peer_count);
	for (size_t i = 0; i < a->peer_count; i++) {
		const struct wg_peer *p = &a->peers[i], *q = &b->peers[i];

		assert_memory_equal(&p->public_key, &q->public_key, KEY_SIZE);
		assert_memory_equal(&p->preshared_key, &q->preshared_key, KEY_SIZE);
		assert_memory_equal(&p->address, &q->address, sizeof(p->address));
		assert_int_equal(p->keepalive, q->keepalive);
		assert_int_equal(p->received_bytes, q->received_bytes);
		assert_int_equal(p->sent_bytes, q->sent_bytes);
		assert_int_equal(p->last_handshake, q->last_handshake);
		assert_int_equal(p->allowed_ips.count, q->allowed_ips.count);
		for (size_t j = 0; j < p->allowed_ips.count; j++)
			assert_true(cidr_equal(&p->allowed_ips.items[j], &q->allowed_ips.items[j]));
	}
}

/* What the kernel reads in an allowed IP of a message. */
static void read_allowed_ip(const struct nlattr *entry, struct cidr_list *list)
{
	const struct nlattr *attribute;
	struct cidr cidr = {};

	mnl_attr_for_each_nested(attribute, entry)
	{
		switch (mnl_attr_get_type(attribute)) {
		case WGALLOWEDIP_A_FAMILY:
			cidr.ip.family = mnl_attr_get_u16(attribute);
			break;
		case WGALLOWEDIP_A_IPADDR:
			assert_int_equal(mnl_attr_get_payload_len(attribute),
					 ip_bits(cidr.ip.family) / 8);
			memcpy(cidr.ip.bytes, mnl_attr_get_payload(attribute),
			       ip_bits(cidr.ip.family) / 8);
			break;
		case WGALLOWEDIP_A_CIDR_MASK:
			cidr.length = mnl_attr_get_u8(attribute);
			break;
		}
	}
	cidr_list_append(list, &cidr);
}

static void read_peer(const struct nlattr *entry, struct wg_peer_change *peer)
{
	const struct nlattr *attribute, *allowed_ip;
	uint32_t flags = 0;

	mnl_attr_for_each_nested(attribute, entry)
	{
		const void *payload = mnl_attr_get_payload(attribute);

		switch (mnl_attr_get_type(attribute)) {
		case WGPEER_A_PUBLIC_KEY:
			memcpy(&peer->public_key, payload, KEY_SIZE);
			break;
		case WGPEER_A_FLAGS:
			flags = mnl_attr_get_u32(attribute);
			break;
		case WGPEER_A_PRESHARED_KEY:
			peer->set_preshared_key = true;
			memcpy(&peer->preshared_key, payload, KEY_SIZE);
			break;
		case WGPEER_A_ENDPOINT:
			peer->set_address = true;
			memcpy(&peer->address, payload, mnl_attr_get_payload_len(attribute));
			break;
		case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
			peer->set_keepalive = true;
			peer->keepalive = mnl_attr_get_u16(attribute);
			break;
		case WGPEER_A_ALLOWEDIPS:
			mnl_attr_for_each_nested(allowed_ip, attribute)
				read_allowed_ip(allowed_ip, &peer->allowed_ips);
			break;
		}
	}
	peer->remove = flags & WGPEER_F_REMOVE_ME;
	peer->update_only = flags & WGPEER_F_UPDATE_ONLY;
	peer->replace_allowed_ips = flags & WGPEER_F_REPLACE_ALLOWEDIPS;
}

/* A message read back as a change of its own. */
static struct wg_change read_message(const struct nlmsghdr *message, size_t peers_most)
{
	struct wg_change change = {.peers = memory_zalloc(peers_most * sizeof(*change.peers))};
	const struct nlattr *attribute, *peer;

	assert_int_equal(message->nlmsg_type, FAMILY);
	mnl_attr_for_each(attribute, message, GENL_HDRLEN)
	{
		switch (mnl_attr_get_type(attribute)) {
		case WGDEVICE_A_IFNAME:
			assert_string_equal(mnl_attr_get_str(attribute), NAME);
			break;
		case WGDEVICE_A_PRIVATE_KEY:
			change.set_private_key = true;
			memcpy(&change.private_key, mnl_attr_get_payload(attribute), KEY_SIZE);
			break;
		case WGDEVICE_A_LISTEN_PORT:
			change.set_listen_port = true;
			change.listen_port = mnl_attr_get_u16(attribute);
			break;
		case WGDEVICE_A_FWMARK:
			change.set_fwmark = true;
			change.fwmark = mnl_attr_get_u32(attribute);
			break;
		case WGDEVICE_A_FLAGS:
			change.replace_peers =
				mnl_attr_get_u32(attribute) & WGDEVICE_F_REPLACE_PEERS;
			break;
		case WGDEVICE_A_PEERS:
			mnl_attr_for_each_nested(peer, attribute)
			{
				assert_true(change.peer_count < peers_most);
				read_peer(peer, &change.peers[change.peer_count++]);
			}
			break;
		}
	}
	return change;
}

/* Cuts the change into messages of at most size bytes, applies each; returns how many there were.
 */
static size_t apply_messages(struct wg_device *device, const struct wg_change *change, size_t size)
{
	CLEANUP(memory_free) char *buffer = memory_resize(NULL, 1, size); /* its end is guarded */
	struct wgnetlink_cursor cursor = {};
	size_t count = 0;

	while (wgnetlink_set(&cursor, change, FAMILY, NAME, buffer, size)) {
		CLEANUP(wg_change_clear) struct wg_change part = {};
		const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;

		assert_true(message->nlmsg_len <= size);
		part = read_message(message, change->peer_count + 1);
		assert_true(count == 0 || (!part.set_private_key && !part.set_listen_port &&
					   !part.set_fwmark && !part.replace_peers));
		assert_true(count == 0 || part.peer_count > 0);
		apply(device, &part);
		count++;
	}
	return count;
}

static size_t check_change(size_t peers, size_t allowed_ips, size_t size)
{
	CLEANUP(wg_device_clear) struct wg_device whole = {}, pieces = {};
	CLEANUP(wg_change_clear) struct wg_change change = random_change(peers, allowed_ips);
	long seed = random();
	size_t count;

	srandom((unsigned int)seed);
	whole = random_device(peers, 3);
	srandom((unsigned int)seed);
	pieces = random_device(peers, 3);
	apply(&whole, &change);
	count = apply_messages(&pieces, &change, size);
	assert_devices_equal(&whole, &pieces);
	return count;
}

static void test_messages_make_the_whole(void **state)
{
	size_t messages = 0;

	(void)state;
	srandom(1);
	for (int i = 0; i < 5000; i++)
		messages +=
			check_change(below(12), below(40), WGNETLINK_MESSAGE_LEAST + below(2000));
	assert_true(messages > 10000);
}

static void test_large_changes(void **state)
{
	(void)state;
	srandom(2);
	for (int i = 0; i < 20; i++)
		check_change(100, 2000, WGNETLINK_MESSAGE_MOST);
	for (int i = 0; i < 5; i++)
		check_change(3, 20000, WGNETLINK_MESSAGE_LEAST);
}

static void test_empty_change_is_one_message(void **state)
{
	struct wgnetlink_cursor cursor = {};
	_Alignas(struct nlmsghdr) char buffer[WGNETLINK_MESSAGE_LEAST];
	struct wg_change change = {};

	(void)state;
	assert_true(wgnetlink_set(&cursor, &change, FAMILY, NAME, buffer, sizeof(buffer)));
	assert_false(wgnetlink_set(&cursor, &change, FAMILY, NAME, buffer, sizeof(buffer)));
}

/* The kernel's dump of a device: allowed IPs from *peer and *allowed_ip on, as many as limit. */
static void write_dump(struct nlmsghdr *message, const struct wg_device *device, size_t *peer,
		       size_t *allowed_ip, size_t limit)
{
	struct nlattr *peers, *entry, *list, *ip;
	struct genlmsghdr *generic;
	bool first = *peer == 0 && *allowed_ip == 0;

	generic = mnl_nlmsg_put_extra_header(message, sizeof(*generic));
	generic->cmd = WG_CMD_GET_DEVICE;
	if (first) {
		mnl_attr_put_u16(message, WGDEVICE_A_LISTEN_PORT, device->listen_port);
		mnl_attr_put_u32(message, WGDEVICE_A_FWMARK, device->fwmark);
		mnl_attr_put(message, WGDEVICE_A_PRIVATE_KEY, KEY_SIZE, &device->private_key);
	}
	mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, NAME);
	peers = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);
	for (; *peer < device->peer_count && limit > 0; (*peer)++, *allowed_ip = 0) {
		const struct wg_peer *p = &device->peers[*peer];
		const int64_t handshake[2] = {p->last_handshake, 5};

		entry = mnl_attr_nest_start(message, 0);
		mnl_attr_put(message, WGPEER_A_PUBLIC_KEY, KEY_SIZE, &p->public_key);
		if (*allowed_ip == 0) {
			mnl_attr_put(message, WGPEER_A_PRESHARED_KEY, KEY_SIZE, &p->preshared_key);
			mnl_attr_put(message, WGPEER_A_LAST_HANDSHAKE_TIME, 16, handshake);
			mnl_attr_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
					 p->keepalive);
			mnl_attr_put_u64(message, WGPEER_A_TX_BYTES, p->sent_bytes);
			mnl_attr_put_u64(message, WGPEER_A_RX_BYTES, p->received_bytes);
			mnl_attr_put_u32(message, WGPEER_A_PROTOCOL_VERSION, 1);
			mnl_attr_put(message, WGPEER_A_ENDPOINT, socket_address_size(&p->address),
				     &p->address);
		}
		list = mnl_attr_nest_start(message, WGPEER_A_ALLOWEDIPS);
		for (; *allowed_ip < p->allowed_ips.count && limit > 0; (*allowed_ip)++, limit--) {
			const struct cidr *cidr = &p->allowed_ips.items[*allowed_ip];

			ip = mnl_attr_nest_start(message, 0);
			mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, cidr->length);
			mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, cidr->ip.family);
			mnl_attr_put(message, WGALLOWEDIP_A_IPADDR, ip_bits(cidr->ip.family) / 8,
				     cidr->ip.bytes);
			mnl_attr_nest_end(message, ip);
		}
		mnl_attr_nest_end(message, list);
		mnl_attr_nest_end(message, entry);
		if (*allowed_ip < p->allowed_ips.count)
			break;
	}
	mnl_attr_nest_end(message, peers);
}

static void test_dump_makes_the_device(void **state)
{
	CLEANUP(memory_free) char *buffer = memory_resize(NULL, 1, 1 << 16);

	(void)state;
	srandom(3);
	for (int i = 0; i < 2000; i++) {
		CLEANUP(wg_device_clear) struct wg_device device = random_device(below(10), 50);
		CLEANUP(wg_device_clear) struct wg_device taken = {};
		size_t peer = 0, allowed_ip = 0;

		do {
			struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

			write_dump(message, &device, &peer, &allowed_ip, 1 + below(60));
			assert_int_equal(wgnetlink_take(message, &taken), MNL_CB_OK);
		} while (peer < device.peer_count);
		assert_devices_equal(&device, &taken);
	}
}

/* A message with one thing wrong, made by handing its parts in. */
static int take_allowed_ip(uint16_t family, size_t size, uint8_t length)
{
	CLEANUP(wg_device_clear) struct wg_device device = {};
	_Alignas(struct nlmsghdr) char buffer[512];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic = mnl_nlmsg_put_extra_header(message, sizeof(*generic));
	struct nlattr *peers, *peer, *list, *ip;
	const char zeros[64] = {};

	generic->cmd = WG_CMD_GET_DEVICE;
	peers = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);
	peer = mnl_attr_nest_start(message, 0);
	mnl_attr_put(message, WGPEER_A_PUBLIC_KEY, KEY_SIZE, zeros);
	list = mnl_attr_nest_start(message, WGPEER_A_ALLOWEDIPS);
	ip = mnl_attr_nest_start(message, 0);
	mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, family);
	mnl_attr_put(message, WGALLOWEDIP_A_IPADDR, size, zeros);
	mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, length);
	mnl_attr_nest_end(message, ip);
	mnl_attr_nest_end(message, list);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, peers);
	return wgnetlink_take(message, &device);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(take_allowed_ip(AF_INET, 4, 32), MNL_CB_OK);
	assert_int_equal(take_allowed_ip(AF_INET6, 16, 128), MNL_CB_OK);
	assert_int_equal(take_allowed_ip(AF_INET, 4, 33), MNL_CB_ERROR);
	assert_int_equal(take_allowed_ip(AF_INET, 16, 32), MNL_CB_ERROR);
	assert_int_equal(take_allowed_ip(AF_INET6, 4, 32), MNL_CB_ERROR);
	assert_int_equal(take_allowed_ip(AF_INET6, 16, 129), MNL_CB_ERROR);
	assert_int_equal(take_allowed_ip(AF_UNIX, 4, 32), MNL_CB_ERROR);
	assert_int_equal(take_allowed_ip(AF_INET, 0, 0), MNL_CB_ERROR);
}

/* Nothing outside of the message is read, which comes as it does from the kernel: it lies at the
 * end of its own block, for the sanitizer to see. */
static void test_rubbish(void **state)
{
	CLEANUP(memory_free) char *buffer = memory_resize(NULL, 1, 1 << 16);

	(void)state;
	srandom(4);
	for (int i = 0; i < 50000; i++) {
		CLEANUP(wg_device_clear) struct wg_device device = random_device(3, 5), taken = {};
		struct netlink_answer answer = {.callback = wgnetlink_take, .data = &taken};
		struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
		CLEANUP(memory_free) char *block = NULL;
		size_t peer = 0, allowed_ip = 0, size;

		write_dump(message, &device, &peer, &allowed_ip, 100);
		size = NLMSG_HDRLEN + below(message->nlmsg_len - NLMSG_HDRLEN + 1);
		for (size_t changes = below(10); changes > 0; changes--)
			buffer[NLMSG_HDRLEN + below(message->nlmsg_len - NLMSG_HDRLEN)] =
				(char)random();
		message->nlmsg_type = FAMILY;
		message->nlmsg_len = (uint32_t)size;
		block = memory_resize(NULL, 1, size);
		memcpy(block, buffer, size);
		netlink_answer_take(&answer, block, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_make_the_whole),
		cmocka_unit_test(test_large_changes),
		cmocka_unit_test(test_empty_change_is_one_message),
		cmocka_unit_test(test_dump_makes_the_device),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
