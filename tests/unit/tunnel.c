/* model/tunnel: the list of peers, and that nothing is left of a tunnel that was cleared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "model/tunnel.h"

#define PEERS 100

static struct key key_of(uint8_t number)
{
	struct key key = {{number, 1}};

	return key;
}

static void test_peers(void **state)
{
	CLEANUP(wg_device_clear) struct wg_device device = {};
	struct key none = key_of(PEERS);

	(void)state;
	for (uint8_t i = 0; i < PEERS; i++) {
		struct wg_peer *peer = wg_device_append_peer(&device);

		assert_true(key_is_zero(&peer->public_key));
		assert_int_equal(peer->allowed_ips.count, 0);
		peer->public_key = key_of(i);
		peer->keepalive = i;
		cidr_list_append(&peer->allowed_ips, &(struct cidr){.length = i});
	}
	assert_int_equal(device.peer_count, PEERS);
	for (uint8_t i = 0; i < PEERS; i++) {
		struct key key = key_of(i);
		struct wg_peer *peer = wg_device_find_peer(&device, &key);

		assert_non_null(peer);
		assert_int_equal(peer->keepalive, i);
		assert_int_equal(peer->allowed_ips.items[0].length, i);
	}
	assert_null(wg_device_find_peer(&device, &none));
}

static void test_clear(void **state)
{
	static const struct tunnel nothing;
	struct tunnel tunnel = {.id = 7, .mtu = 1400, .routes = true};
	struct wg_peer *peer = wg_device_append_peer(&tunnel.device);

	(void)state;
	tunnel.device.private_key = key_of(1);
	peer->preshared_key = key_of(2);
	cidr_list_append(&peer->allowed_ips, &(struct cidr){});
	cidr_list_append(&tunnel.addresses, &(struct cidr){});
	tunnel_clear(&tunnel);
	assert_memory_equal(&tunnel, &nothing, sizeof(tunnel));
	tunnel_clear(&tunnel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
