/* wireguard/uapi, the engine's end, and uapi_request with uapi_answer, subu's: any change and any
 * device that one says, the other hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/uapi.h"
#include "wireguard/uapi_answer.h"
#include "wireguard/uapi_request.h"

/* A number below n. */
static unsigned int below(unsigned int n)
{
	return (unsigned int)random() % n;
}

static struct key random_key(void)
{
	struct key key;

	for (size_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (uint8_t)below(256);
	return key;
}

static struct ip random_ip(void)
{
	struct ip ip = {.family = below(2) ? AF_INET : AF_INET6};

	for (size_t i = 0; i < ip_bits(ip.family) / 8; i++)
		ip.bytes[i] = (uint8_t)below(256);
	return ip;
}

static union socket_address random_address(void)
{
	union socket_address address = {};
	struct ip ip = random_ip();

	address.any.sa_family = ip.family;
	if (ip.family == AF_INET)
		address.v4.sin_addr = ip.v4;
	else
		address.v6.sin6_addr = ip.v6;
	address.v4.sin_port = htons((uint16_t)(1 + below(65535)));
	return address;
}

static void random_networks(struct cidr_list *list)
{
	for (unsigned int left = below(5); left; left--) {
		struct cidr cidr = {.ip = random_ip()};

		cidr.length = (uint8_t)below(ip_bits(cidr.ip.family) + 1);
		cidr = cidr_network(&cidr);
		cidr_list_append(list, &cidr);
	}
}

static void assert_same_networks(const struct cidr_list *a, const struct cidr_list *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_true(cidr_equal(&a->items[i], &b->items[i]));
}

static void random_peer_change(struct wg_peer_change *peer)
{
	*peer = (struct wg_peer_change){.public_key = random_key(), .remove = below(8) == 0};
	if (peer->remove)
		return;
	peer->update_only = below(2);
	peer->set_preshared_key = below(2);
	if (peer->set_preshared_key)
		peer->preshared_key = random_key();
	peer->set_address = below(2);
	if (peer->set_address)
		peer->address = random_address();
	peer->set_keepalive = below(2);
	if (peer->set_keepalive)
		peer->keepalive = (uint16_t)below(65536);
	peer->replace_allowed_ips = below(2);
	random_networks(&peer->allowed_ips);
}

static void random_change(struct wg_change *change)
{
	*change = (struct wg_change){.set_private_key = below(2),
				     .set_listen_port = below(2),
				     .set_fwmark = below(2),
				     .replace_peers = below(2)};
	if (change->set_private_key)
		change->private_key = random_key();
	if (change->set_listen_port)
		change->listen_port = (uint16_t)below(65536);
	if (change->set_fwmark)
		change->fwmark = (uint32_t)random();
	change->peer_count = below(4);
	change->peers = memory_resize(NULL, change->peer_count, sizeof(*change->peers));
	for (size_t i = 0; i < change->peer_count; i++)
		random_peer_change(&change->peers[i]);
}

static void assert_same_peer_change(const struct wg_peer_change *a, const struct wg_peer_change *b)
{
	assert_true(key_equal(&a->public_key, &b->public_key));
	assert_int_equal(a->remove, b->remove);
	assert_int_equal(a->update_only, b->update_only);
	assert_int_equal(a->set_preshared_key, b->set_preshared_key);
	assert_true(key_equal(&a->preshared_key, &b->preshared_key));
	assert_int_equal(a->set_address, b->set_address);
	assert_true(socket_address_equal(&a->address, &b->address));
	assert_int_equal(a->set_keepalive, b->set_keepalive);
	assert_int_equal(a->keepalive, b->keepalive);
	assert_int_equal(a->replace_allowed_ips, b->replace_allowed_ips);
	assert_same_networks(&a->allowed_ips, &b->allowed_ips);
}

static void test_any_request_arrives(void **state)
{
	(void)state;
	srandom(1);
	for (unsigned int round = 0; round < 3000; round++) {
		CLEANUP(wg_change_clear) struct wg_change said, heard = {};
		CLEANUP(memory_free) char *text = NULL;
		enum uapi_operation operation;
		struct error error;
		size_t size;

		random_change(&said);
		text = uapi_request_set(&said, &size);
		assert_int_equal(uapi_parse(text, size, &operation, &heard, &error), 0);
		assert_int_equal(operation, UAPI_SET);
		assert_int_equal(said.set_private_key, heard.set_private_key);
		assert_true(key_equal(&said.private_key, &heard.private_key));
		assert_int_equal(said.set_listen_port, heard.set_listen_port);
		assert_int_equal(said.listen_port, heard.listen_port);
		assert_int_equal(said.set_fwmark, heard.set_fwmark);
		assert_int_equal(said.fwmark, heard.fwmark);
		assert_int_equal(said.replace_peers, heard.replace_peers);
		assert_int_equal(said.peer_count, heard.peer_count);
		for (size_t i = 0; i < said.peer_count; i++)
			assert_same_peer_change(&said.peers[i], &heard.peers[i]);
	}
}

static void random_device(struct wg_device *device)
{
	*device = (struct wg_device){.listen_port = (uint16_t)below(65536),
				     .fwmark = below(2) ? (uint32_t)random() : 0};
	if (below(2))
		device->private_key = random_key();
	for (unsigned int left = below(4); left; left--) {
		struct wg_peer *peer = wg_device_append_peer(device);

		peer->public_key = random_key();
		if (below(2))
			peer->preshared_key = random_key();
		if (below(2))
			peer->address = random_address();
		peer->keepalive = (uint16_t)below(65536);
		peer->received_bytes = (uint64_t)random() << 32;
		peer->sent_bytes = (uint64_t)random();
		peer->last_handshake = random();
		random_networks(&peer->allowed_ips);
	}
}

static void assert_same_peer(const struct wg_peer *a, const struct wg_peer *b)
{
	assert_true(key_equal(&a->public_key, &b->public_key));
	assert_true(key_equal(&a->preshared_key, &b->preshared_key));
	assert_true(socket_address_equal(&a->address, &b->address));
	assert_int_equal(a->keepalive, b->keepalive);
	assert_true(a->received_bytes == b->received_bytes);
	assert_true(a->sent_bytes == b->sent_bytes);
	assert_true(a->last_handshake == b->last_handshake);
	assert_same_networks(&a->allowed_ips, &b->allowed_ips);
}

static void test_any_answer_arrives(void **state)
{
	(void)state;
	srandom(2);
	for (unsigned int round = 0; round < 3000; round++) {
		CLEANUP(wg_device_clear) struct wg_device said;
		CLEANUP(uapi_answer_clear) struct uapi_answer heard = {};
		CLEANUP(memory_free) char *text = NULL;
		char *line, *newline;
		struct error error;
		size_t size;

		random_device(&said);
		text = uapi_print_device(&said, &size);
		for (line = text; line < text + size; line = newline + 1) {
			newline = memchr(line, '\n', (size_t)(text + size - line));
			*newline = '\0';
			assert_int_equal(uapi_answer_take(&heard, line, &error), 0);
		}
		assert_true(heard.ended);
		assert_int_equal(heard.code, 0);
		assert_true(key_equal(&said.private_key, &heard.device.private_key));
		assert_int_equal(said.listen_port, heard.device.listen_port);
		assert_int_equal(said.fwmark, heard.device.fwmark);
		assert_int_equal(said.peer_count, heard.device.peer_count);
		for (size_t i = 0; i < said.peer_count; i++)
			assert_same_peer(&said.peers[i], &heard.device.peers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_request_arrives),
		cmocka_unit_test(test_any_answer_arrives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
