/* wireguard/uapi_request and uapi_answer: what is asked is what the protocol says, and of what is
 * answered only that is taken which is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/uapi_answer.h"
#include "wireguard/uapi_request.h"

#define KEY_A "0101010101010101010101010101010101010101010101010101010101010101"
#define KEY_B "a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2"
#define ZERO  "0000000000000000000000000000000000000000000000000000000000000000"

static struct key key(uint8_t byte)
{
	struct key key;

	memset(&key, byte, sizeof(key));
	return key;
}

static void append(struct cidr_list *list, const char *text)
{
	struct error error;
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr, &error), 0);
	cidr_list_append(list, &cidr);
}

static void assert_request(const struct wg_change *change, const char *expected)
{
	CLEANUP(memory_free) char *text = NULL;
	size_t size;

	text = uapi_request_set(change, &size);
	assert_string_equal(text, expected);
	assert_int_equal(size, strlen(expected));
}

static void test_requests(void **state)
{
	struct wg_peer_change peers[3] = {
		{.public_key = key(0xa2),
		 .set_preshared_key = true,
		 .set_address = true,
		 .set_keepalive = true,
		 .replace_allowed_ips = true,
		 .keepalive = 65535},
		{.public_key = key(1), .remove = true, .set_keepalive = true},
		{.public_key = key(1), .update_only = true, .set_address = true},
	};
	struct wg_change change = {
		.set_private_key = true,
		.set_listen_port = true,
		.set_fwmark = true,
		.replace_peers = true,
		.private_key = key(1),
		.listen_port = 51820,
		.fwmark = UINT32_MAX,
		.peers = peers,
		.peer_count = ARRAY_SIZE(peers),
	};
	struct error error;

	(void)state;
	append(&peers[0].allowed_ips, "0.0.0.0/0");
	append(&peers[0].allowed_ips, "2001:db8::/32");
	append(&peers[1].allowed_ips, "10.0.0.0/8");
	assert_int_equal(socket_address_parse("[fe80::1%1]:1", &peers[0].address, &error), 0);
	assert_request(&change, "set=1\nprivate_key=" KEY_A
				"\nlisten_port=51820\nfwmark=4294967295\n"
				"replace_peers=true\npublic_key=" KEY_B "\npreshared_key=" ZERO
				"\n"
				"endpoint=[fe80::1%1]:1\npersistent_keepalive_interval=65535\n"
				"replace_allowed_ips=true\nallowed_ip=0.0.0.0/0\n"
				"allowed_ip=2001:db8::/32\npublic_key=" KEY_A
				"\nremove=true\n"
				"public_key=" KEY_A "\nupdate_only=true\n\n");
	assert_request(&(struct wg_change){}, "set=1\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
		cidr_list_clear(&peers[i].allowed_ips);
}

/* Every text at its longest: room is taken beforehand. */
static void test_longest_request(void **state)
{
	CLEANUP(wg_change_clear)
	struct wg_change change = {.set_private_key = true,
				   .set_listen_port = true,
				   .set_fwmark = true,
				   .replace_peers = true,
				   .listen_port = UINT16_MAX,
				   .fwmark = UINT32_MAX,
				   .peer_count = 100};
	CLEANUP(memory_free) char *text = NULL;
	struct error error;
	size_t size;

	(void)state;
	change.peers = memory_zalloc(change.peer_count * sizeof(*change.peers));
	for (size_t i = 0; i < change.peer_count; i++) {
		struct wg_peer_change *peer = &change.peers[i];

		peer->update_only = peer->replace_allowed_ips = true;
		peer->set_preshared_key = peer->set_address = peer->set_keepalive = true;
		peer->keepalive = UINT16_MAX;
		assert_int_equal(
			socket_address_parse(
				"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535",
				&peer->address, &error),
			0);
		for (int j = 0; j < 20; j++)
			append(&peer->allowed_ips, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	}
	text = uapi_request_set(&change, &size);
	assert_int_equal(strlen(text), size);
	assert_string_equal(text + size - 4, "28\n\n");
}

/* Feeds the lines of a text; returns the first failure. */
static int take_text(struct uapi_answer *answer, const char *text)
{
	CLEANUP(memory_free) char *copy = strdup(text);
	struct error error;
	char *line = copy, *newline;
	int code = 0;

	while (code == 0 && (newline = strchr(line, '\n'))) {
		*newline = '\0';
		code = uapi_answer_take(answer, line, &error);
		line = newline + 1;
	}
	return code;
}

static void test_answer(void **state)
{
	CLEANUP(uapi_answer_clear) struct uapi_answer answer = {};
	const struct wg_device *device = &answer.device;
	const struct wg_peer *peer;
	char text[SOCKET_TEXT_MAX];

	(void)state;
	assert_int_equal(take_text(&answer, "private_key=" KEY_A "\nlisten_port=7\nfwmark=9\n"
					    "public_key=" KEY_B "\npreshared_key=" ZERO "\n"
					    "protocol_version=1\nendpoint=192.0.2.1:5\n"
					    "last_handshake_time_sec=1700000000\n"
					    "last_handshake_time_nsec=12\n"
					    "tx_bytes=18446744073709551615\nrx_bytes=3\n"
					    "persistent_keepalive_interval=25\n"
					    "allowed_ip=10.0.0.0/8\nallowed_ip=::/0\n"
					    "public_key=" KEY_A "\nerrno=0\n\n"),
			 0);
	assert_true(answer.ended);
	assert_int_equal(answer.code, 0);
	assert_int_equal(device->private_key.bytes[31], 1);
	assert_int_equal(device->listen_port, 7);
	assert_int_equal(device->fwmark, 9);
	assert_int_equal(device->peer_count, 2);
	peer = &device->peers[0];
	assert_int_equal(peer->public_key.bytes[0], 0xa2);
	assert_string_equal(socket_address_format(&peer->address, text), "192.0.2.1:5");
	assert_int_equal(peer->last_handshake, 1700000000);
	assert_true(peer->sent_bytes == UINT64_MAX);
	assert_int_equal(peer->received_bytes, 3);
	assert_int_equal(peer->keepalive, 25);
	assert_int_equal(peer->allowed_ips.count, 2);
	assert_int_equal(device->peers[1].allowed_ips.count, 0);
}

static void test_verdicts(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {{"errno=0\n\n", 0}, {"errno=22\n\n", EINVAL}, {"errno=-98\n\n", EADDRINUSE}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(uapi_answer_clear) struct uapi_answer answer = {};

		assert_int_equal(take_text(&answer, cases[i].text), 0);
		assert_true(answer.ended);
		assert_int_equal(answer.code, cases[i].code);
	}
}

static void test_answers_refused(void **state)
{
	static const char *const bad[] = {
		"\n", /* no verdict */
		"errno=0\nlisten_port=1\n",
		"errno=0\n\n\n",
		"errno=0\n\nerrno=0\n",
		"errno=\n",
		"errno=4096\n",
		"errno=--1\n",
		"errno=x\n",
		"private_key=\n",
		"private_key=" KEY_A "0\n",
		"private_key=g" KEY_A "\n",
		"listen_port=65536\n",
		"listen_port=-1\n",
		"listen_port= 1\n",
		"fwmark=4294967296\n",
		"allowed_ip=10.0.0.0/8\n", /* of no peer */
		"rx_bytes=1\n",
		"public_key=" KEY_A "\nallowed_ip=10.0.0.0/33\n",
		"public_key=" KEY_A "\nallowed_ip=\n",
		"public_key=" KEY_A "\nendpoint=host:1\n",
		"public_key=" KEY_A "\nendpoint=192.0.2.1:0\n",
		"public_key=" KEY_A "\npersistent_keepalive_interval=65536\n",
		"public_key=" KEY_A "\nlast_handshake_time_sec=-1\n",
		"public_key=" KEY_A "\ntx_bytes=18446744073709551616\n",
		"public_key=" KEY_A "\npreshared_key=1\n",
		"listen_port\n",
		"=1\n",
		"Listen_port=1\n",
		" listen_port=1\n",
		"listen_port =1\n",
		"\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(uapi_answer_clear) struct uapi_answer answer = {};

		if (take_text(&answer, bad[i]) != -EPROTO)
			fail_msg("taken: %s", bad[i]);
	}
}

/* What newer engines may have more is passed over. */
static void test_unknown_keys(void **state)
{
	CLEANUP(uapi_answer_clear) struct uapi_answer answer = {};

	(void)state;
	assert_int_equal(take_text(&answer, "colour=blue\nprivate=\nprivate_key_=1\nerrno=0\n\n"),
			 0);
	assert_true(answer.ended);
	assert_int_equal(answer.device.peer_count, 0);
}

static void test_rubbish(void **state)
{
	static const char good[] =
		"private_key=" KEY_A "\nlisten_port=7\npublic_key=" KEY_B
		"\n"
		"endpoint=[2001:db8::1]:5\nrx_bytes=3\nallowed_ip=::/0\nerrno=0\n\n";
	char text[sizeof(good)];

	(void)state;
	srandom(5);
	for (int i = 0; i < 100000; i++) {
		CLEANUP(uapi_answer_clear) struct uapi_answer answer = {};

		memcpy(text, good, sizeof(good));
		for (long changes = random() % 5; changes > 0; changes--)
			text[(size_t)random() % (sizeof(text) - 1)] = (char)(1 + random() % 255);
		take_text(&answer, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),	cmocka_unit_test(test_longest_request),
		cmocka_unit_test(test_answer),		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_answers_refused), cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
