/* wireguard/uapi: requests are read strictly and whole or not at all; answers are what wg(8)
 * reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/uapi.h"

#define KEY_A "e84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a"
#define KEY_B "b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33"
#define KEY_0 "0000000000000000000000000000000000000000000000000000000000000000"

static int parse(const char *request, enum uapi_operation *operation, struct wg_change *change)
{
	CLEANUP(memory_free) char *text = strdup(request);
	struct error error = {};
	int code = uapi_parse(text, strlen(request), operation, change, &error);

	if (code < 0)
		assert_int_equal(error.code, -code);
	return code;
}

static void test_get(void **state)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};
	enum uapi_operation operation = UAPI_SET;

	(void)state;
	assert_int_equal(parse("get=1\n\n", &operation, &change), 0);
	assert_int_equal(operation, UAPI_GET);
}

static void test_set_device(void **state)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};
	enum uapi_operation operation;

	(void)state;
	assert_int_equal(parse("set=1\nprivate_key=" KEY_A "\nlisten_port=65535\n"
			       "fwmark=4294967295\nreplace_peers=true\n\n",
			       &operation, &change),
			 0);
	assert_int_equal(operation, UAPI_SET);
	assert_true(change.set_private_key && change.set_listen_port && change.set_fwmark &&
		    change.replace_peers);
	assert_int_equal(change.private_key.bytes[0], 0xe8);
	assert_int_equal(change.listen_port, 65535);
	assert_int_equal(change.fwmark, UINT32_MAX);
	assert_int_equal(change.peer_count, 0);
}

static void test_set_nothing(void **state)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};
	enum uapi_operation operation;

	(void)state;
	assert_int_equal(parse("set=1\n\n", &operation, &change), 0);
	assert_int_equal(operation, UAPI_SET);
	assert_false(change.set_private_key || change.set_listen_port || change.set_fwmark ||
		     change.replace_peers);
}

static void test_set_peers(void **state)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};
	enum uapi_operation operation;
	char text[SOCKET_TEXT_MAX];
	const struct wg_peer_change *peer;

	(void)state;
	assert_int_equal(parse("set=1\npublic_key=" KEY_A "\nprotocol_version=1\n"
			       "preshared_key=" KEY_0 "\nendpoint=[2001:db8::1]:51820\n"
			       "persistent_keepalive_interval=25\nreplace_allowed_ips=true\n"
			       "allowed_ip=10.1.2.3/8\nallowed_ip=2001:db8::ff/64\n"
			       "public_key=" KEY_B "\nupdate_only=true\n"
			       "endpoint=192.0.2.7:1\npersistent_keepalive_interval=0\n"
			       "public_key=" KEY_A "\nremove=true\n\n",
			       &operation, &change),
			 0);
	assert_int_equal(change.peer_count, 3);
	peer = &change.peers[0];
	assert_int_equal(peer->public_key.bytes[31], 0x7a);
	assert_true(peer->set_preshared_key && key_is_zero(&peer->preshared_key));
	assert_string_equal(socket_address_format(&peer->address, text), "[2001:db8::1]:51820");
	assert_true(peer->set_address && peer->set_keepalive && peer->replace_allowed_ips);
	assert_int_equal(peer->keepalive, 25);
	assert_int_equal(peer->allowed_ips.count, 2);
	/* Networks: what is beyond the prefix is gone. */
	assert_string_equal(cidr_format(&peer->allowed_ips.items[0], text), "10.0.0.0/8");
	assert_string_equal(cidr_format(&peer->allowed_ips.items[1], text), "2001:db8::/64");
	assert_false(peer->remove || peer->update_only);
	peer = &change.peers[1];
	assert_true(peer->update_only && peer->set_keepalive && !peer->set_preshared_key);
	assert_string_equal(socket_address_format(&peer->address, text), "192.0.2.7:1");
	assert_true(change.peers[2].remove);
}

static const char *const bad[] = {
	"",
	"\n",
	"\n\n",
	"get=1",
	"get=1\n",
	"get=2\n\n",
	"Get=1\n\n",
	"get=1\nprivate_key=" KEY_A "\n\n",
	"get=1\n\n\n",
	"set=1\n\nset=1\n\n",
	"set=1\n",
	"set=1\n\n\n",
	"set=1\r\n\r\n",
	"set=1\nlisten_port=1\r\n\n",
	"set=1\nlisten_port\n\n",
	"set=1\n=1\n\n",
	"set=1\nlisten_port=\n\n",
	"set=1\nlisten_port=65536\n\n",
	"set=1\nlisten_port=-1\n\n",
	"set=1\nlisten_port=+1\n\n",
	"set=1\nlisten_port= 1\n\n",
	"set=1\nlisten_port=0x10\n\n",
	"set=1\nfwmark=4294967296\n\n",
	"set=1\nfwmark=99999999999999999999999\n\n",
	"set=1\nprivate_key=\n\n",
	"set=1\nprivate_key=" KEY_A "0\n\n",
	"set=1\nprivate_key=z84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a\n\n",
	"set=1\nreplace_peers=false\n\n",
	"set=1\nreplace_peers=\n\n",
	"set=1\nunknown=1\n\n",
	/* what belongs to a peer, without one */
	"set=1\nallowed_ip=10.0.0.0/8\n\n",
	"set=1\nremove=true\n\n",
	"set=1\nprotocol_version=1\n\n",
	/* what belongs to the device, after a peer */
	"set=1\npublic_key=" KEY_A "\nlisten_port=1\n\n",
	"set=1\npublic_key=" KEY_A "\nreplace_peers=true\n\n",
	"set=1\npublic_key=" KEY_A "\nprotocol_version=2\n\n",
	"set=1\npublic_key=" KEY_A "\nendpoint=192.0.2.1\n\n",
	"set=1\npublic_key=" KEY_A "\nendpoint=192.0.2.1:0\n\n",
	"set=1\npublic_key=" KEY_A "\nendpoint=2001:db8::1:51820\n\n",
	"set=1\npublic_key=" KEY_A "\nendpoint=example.org:51820\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=10.0.0.1\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=10.0.0.1/33\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=\n\n",
	"set=1\npublic_key=" KEY_A "\npersistent_keepalive_interval=65536\n\n",
	"set=1\npublic_key=" KEY_A "\npersistent_keepalive_interval=off\n\n",
	"set=1\npublic_key=" KEY_A "\npreshared_key=00\n\n",
	"set=1\npublic_key=" KEY_A "\nremove=yes\n\n",
	"set=1\npublic_key=00\n\n",
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		enum uapi_operation operation = UAPI_GET;
		struct wg_change change = {.fwmark = 77};

		if (parse(bad[i], &operation, &change) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(change.fwmark, 77); /* untouched */
		assert_int_equal(operation, UAPI_GET);
	}
}

static void test_nul_refused(void **state)
{
	char text[] = "set=1\nlisten_port=1\0\nfwmark=1\n\n";
	enum uapi_operation operation;
	struct wg_change change = {};
	struct error error;

	(void)state;
	assert_int_equal(uapi_parse(text, sizeof(text) - 1, &operation, &change, &error), -EINVAL);
}

/* A message about a key that was mistyped must not hold the key. */
static void test_errors_keep_secrets(void **state)
{
	char text[] = "set=1\nprivate_key=x" KEY_A "\n\n";
	enum uapi_operation operation;
	struct wg_change change = {};
	struct error error;

	(void)state;
	assert_int_equal(uapi_parse(text, sizeof(text) - 1, &operation, &change, &error), -EINVAL);
	assert_null(strstr(error.text, "e84b"));
	assert_non_null(strstr(error.text, "private_key"));
}

static void test_many_peers(void **state)
{
	const unsigned int count = 5000;
	CLEANUP(wg_change_clear) struct wg_change change = {};
	CLEANUP(memory_free) char *text = memory_zalloc(count * 128 + 16);
	enum uapi_operation operation;
	struct error error;
	char *end = stpcpy(text, "set=1\n");

	(void)state;
	for (unsigned int i = 0; i < count; i++)
		end += sprintf(end, "public_key=%064x\nallowed_ip=10.%u.%u.0/24\n", i, i >> 8,
			       i & 255);
	end = stpcpy(end, "\n");
	assert_int_equal(uapi_parse(text, (size_t)(end - text), &operation, &change, &error), 0);
	assert_int_equal(change.peer_count, count);
	assert_int_equal(change.peers[count - 1].public_key.bytes[30], (count - 1) >> 8);
}

static void test_print_empty(void **state)
{
	struct wg_device device = {};
	size_t size;
	CLEANUP(memory_free) char *text = uapi_print_device(&device, &size);

	(void)state;
	assert_int_equal(size, strlen("errno=0\n\n"));
	assert_memory_equal(text, "errno=0\n\n", size);
}

static void test_print_device(void **state)
{
	static const char expected[] = "private_key=" KEY_A
				       "\n"
				       "listen_port=51820\n"
				       "fwmark=7\n"
				       "public_key=" KEY_B
				       "\n"
				       "preshared_key=" KEY_0
				       "\n"
				       "protocol_version=1\n"
				       "endpoint=[fe80::1%2]:9\n"
				       "last_handshake_time_sec=1700000000\n"
				       "last_handshake_time_nsec=0\n"
				       "tx_bytes=18446744073709551615\n"
				       "rx_bytes=5\n"
				       "persistent_keepalive_interval=25\n"
				       "allowed_ip=10.0.0.0/8\n"
				       "allowed_ip=::/0\n"
				       "errno=0\n\n";
	CLEANUP(wg_device_clear) struct wg_device device = {.listen_port = 51820, .fwmark = 7};
	struct wg_peer *peer = wg_device_append_peer(&device);
	CLEANUP(memory_free) char *text = NULL;
	struct error error;
	struct cidr cidr;
	size_t size;

	(void)state;
	assert_int_equal(key_from_hex(KEY_A, &device.private_key, &error), 0);
	assert_int_equal(key_from_hex(KEY_B, &peer->public_key, &error), 0);
	assert_int_equal(socket_address_parse("[fe80::1%2]:9", &peer->address, &error), 0);
	peer->last_handshake = 1700000000;
	peer->sent_bytes = UINT64_MAX;
	peer->received_bytes = 5;
	peer->keepalive = 25;
	assert_int_equal(cidr_parse("10.0.0.0/8", &cidr, &error), 0);
	cidr_list_append(&peer->allowed_ips, &cidr);
	assert_int_equal(cidr_parse("::/0", &cidr, &error), 0);
	cidr_list_append(&peer->allowed_ips, &cidr);
	text = uapi_print_device(&device, &size);
	assert_int_equal(size, sizeof(expected) - 1);
	assert_memory_equal(text, expected, size);
}

static void test_print_status(void **state)
{
	char text[UAPI_STATUS_MAX];

	(void)state;
	assert_int_equal(uapi_print_status(-EINVAL, text), strlen("errno=-22\n\n"));
	assert_string_equal(text, "errno=-22\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_set_device),
		cmocka_unit_test(test_set_nothing),
		cmocka_unit_test(test_set_peers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul_refused),
		cmocka_unit_test(test_errors_keep_secrets),
		cmocka_unit_test(test_many_peers),
		cmocka_unit_test(test_print_empty),
		cmocka_unit_test(test_print_device),
		cmocka_unit_test(test_print_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
