/* model/tunnel: the list of peers, and that nothing is left of a tunnel that was cleared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
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

/* A tunnel with a key, one address and one peer, fit for everything. */
static void make_sound(struct tunnel *tunnel, const char *addresses, const char *allowed_ips)
{
	struct wg_peer *peer = wg_device_append_peer(&tunnel->device);
	struct error error;

	assert_int_equal(key_generate_private(&tunnel->device.private_key, &error), 0);
	peer->public_key.bytes[0] = 9;
	assert_int_equal(cidr_list_parse(addresses, &tunnel->addresses, &error), 0);
	assert_int_equal(cidr_list_parse(allowed_ips, &peer->allowed_ips, &error), 0);
	assert_int_equal(tunnel_check(tunnel, &error), 0);
}

static void must_refuse(struct tunnel *tunnel, const char *complaint)
{
	struct error error;

	assert_int_equal(tunnel_check(tunnel, &error), -EINVAL);
	assert_non_null(strstr(error.text, complaint));
}

static void test_check(void **state)
{
	CLEANUP(tunnel_clear) struct tunnel ipv4 = {}, ipv6 = {}, inside = {}, twice = {};
	const struct cidr *first;
	struct error error;

	(void)state;
	make_sound(&ipv4, "10.0.0.2/32", "0.0.0.0/0");
	ipv4.mtu = TUNNEL_MTU_LEAST;
	assert_int_equal(tunnel_check(&ipv4, &error), 0);
	make_sound(&ipv6, "10.0.0.2/32, fd00::2/64", "0.0.0.0/0");
	ipv6.mtu = TUNNEL_MTU_LEAST_IPV6 - 1;
	must_refuse(&ipv6, "too small for IPv6");
	make_sound(&inside, "10.0.0.2/32", "0.0.0.0/0, ::/0");
	inside.mtu = TUNNEL_MTU_LEAST_IPV6 - 1;
	must_refuse(&inside, "too small for IPv6");
	inside.mtu++;
	assert_int_equal(tunnel_check(&inside, &error), 0);
	make_sound(&twice, "fd00::2/64, 10.0.0.2/32", "::/0");
	first = &twice.addresses.items[0];
	cidr_list_append(&twice.addresses, &(struct cidr){.ip = first->ip, .length = 128});
	must_refuse(&twice, "fd00::2 stands twice");
}

static void test_check_peers(void **state)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	struct key own, public_key = {};
	struct error error;

	(void)state;
	make_sound(&tunnel, "10.0.0.2/32", "0.0.0.0/0");
	assert_int_equal(key_derive_public(&tunnel.device.private_key, &own, &error), 0);
	assert_int_equal(tunnel_check_peers(&tunnel, &public_key, &error), 0);
	assert_true(key_equal(&public_key, &own));
	wg_device_append_peer(&tunnel.device)->public_key = own;
	assert_int_equal(tunnel_check_peers(&tunnel, &public_key, &error), -EINVAL);
	assert_non_null(strstr(error.text, "the tunnel's own"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_peers),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
