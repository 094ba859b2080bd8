/* The kernel backend on a kernel that has WireGuard, as root:
 *
 *	inside[0]   outside[0]              outside[1]   inside[1]
 *	subu_k0 ····· UDP, veth0 ────────── veth1, UDP ····· subu_k1
 *	10.99.0.1     10.77.0.1             10.77.0.2     10.99.0.2
 *	fd99::1                                           fd99::2
 *
 * Packets between the two insides can only have gone through UDP sockets outside: inside there is
 * no other interface. In one test wireguard-go is the far end, in outside[1].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../system/scratch.h"
#include "base/memory.h"
#include "kernel/address.h"
#include "kernel/link.h"
#include "kernel/route.h"
#include "wireguard/backend.h"

#define PORT	    51820
#define PEERS	    3
#define ALLOWED_IPS 2000
#define TRIES	    3000 /* 10 ms each; emulation is slow */

struct world {
	struct scratch outside[2], inside[2];
};

static const char *const names[] = {"subu_k0", "subu_k1"};

static int world_teardown(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < 2; i++) {
		scratch_remove(&world->inside[i]);
		scratch_remove(&world->outside[i]);
	}
	free(world);
	return 0;
}

static int world_setup(void **state)
{
	struct world *world = memory_zalloc(sizeof(*world));
	struct error error;
	int code = 0;

	*state = world;
	for (size_t i = 0; i < 2 && code == 0; i++) {
		code = scratch_make(&world->outside[i], &error);
		if (code == 0)
			code = scratch_make(&world->inside[i], &error);
	}
	if (code == 0 &&
	    scratch_run(&world->outside[0], "ip link add veth0 type veth peer name veth1 netns %s",
			world->outside[1].name) &&
	    scratch_run(&world->outside[0], "ip address add 10.77.0.1/24 dev veth0") &&
	    scratch_run(&world->outside[1], "ip address add 10.77.0.2/24 dev veth1") &&
	    scratch_run(&world->outside[0], "ip link set veth0 up") &&
	    scratch_run(&world->outside[1], "ip link set veth1 up"))
		return 0;
	world_teardown(state);
	return -1;
}

static struct cidr cidr_of(const char *text)
{
	struct error error;
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr, &error), 0);
	return cidr;
}

/* Brings an interface up with its two addresses and the way to the other end. */
static void set_up_inside(struct netlink *netlink, const char *name, size_t end)
{
	static const char *const addresses[][2] = {{"10.99.0.1/32", "fd99::1/128"},
						   {"10.99.0.2/32", "fd99::2/128"}};
	struct route route = {.table = ROUTE_TABLE_MAIN};
	struct link_info link;
	struct error error;
	struct cidr cidr;

	assert_int_equal(link_set_no_ipv6_autoconf(netlink, name, &error), 0);
	assert_int_equal(link_set_up(netlink, name, true, &error), 0);
	assert_int_equal(link_find(netlink, name, &link, &error), 0);
	route.link_index = link.index;
	for (size_t i = 0; i < 2; i++) {
		cidr = cidr_of(addresses[end][i]);
		assert_int_equal(address_add(netlink, link.index, &cidr, &error), 0);
		route.destination = cidr_of(addresses[!end][i]);
		assert_int_equal(route_add(netlink, &route, &error), 0);
	}
}

/* Makes the kernel's interface of one end: outside by its sockets, inside by its packets. */
static void make_device(struct world *world, size_t end)
{
	struct link_info link;
	struct error error;

	assert_int_equal(link_create_wireguard(&world->outside[end].netlink, names[end],
					       world->inside[end].netns, &error),
			 0);
	assert_int_equal(link_find(&world->outside[end].netlink, names[end], &link, &error),
			 -ENODEV);
	assert_int_equal(link_find(&world->inside[end].netlink, names[end], &link, &error), 0);
	assert_string_equal(link.kind, "wireguard");
	assert_int_equal(link_create_wireguard(&world->outside[end].netlink, names[end],
					       world->inside[end].netns, &error),
			 -EEXIST);
	set_up_inside(&world->inside[end].netlink, names[end], end);
}

/* What makes one end know the other: its own key, the other's, a preshared key and the endpoint. */
static struct wg_change meet(const struct key keys[2], size_t end)
{
	struct wg_change change = {.set_private_key = true,
				   .set_listen_port = true,
				   .private_key = keys[end],
				   .listen_port = PORT,
				   .peers = memory_zalloc(sizeof(*change.peers)),
				   .peer_count = 1};
	struct wg_peer_change *peer = change.peers;
	struct error error;
	struct cidr cidr;

	assert_int_equal(key_derive_public(&keys[!end], &peer->public_key, &error), 0);
	peer->set_preshared_key = peer->set_address = true;
	memset(&peer->preshared_key, 0x5a, sizeof(peer->preshared_key));
	assert_int_equal(socket_address_parse(end ? "10.77.0.1:51820" : "10.77.0.2:51820",
					      &peer->address, &error),
			 0);
	cidr = cidr_of("10.99.0.0/24");
	cidr_list_append(&peer->allowed_ips, &cidr);
	cidr = cidr_of("fd99::/64");
	cidr_list_append(&peer->allowed_ips, &cidr);
	return change;
}

static void make_keys(struct key keys[2])
{
	struct error error;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(key_generate_private(&keys[i], &error), 0);
}

static void configure(struct world *world, const struct key keys[2], size_t end)
{
	CLEANUP(wg_change_clear) struct wg_change change = meet(keys, end);
	struct error error;

	assert_int_equal(backend_write(BACKEND_KERNEL, world->inside[end].netns, names[end],
				       &change, &error),
			 0);
}

static void assert_reached(const struct world *world)
{
	CLEANUP(wg_device_clear) struct wg_device device = {};
	struct error error;

	assert_true(scratch_run(&world->inside[0], "ping -c 1 -w 60 10.99.0.2"));
	assert_true(scratch_run(&world->inside[0], "ping -c 1 -w 60 fd99::2"));
	assert_int_equal(
		backend_read(BACKEND_KERNEL, world->inside[0].netns, names[0], &device, &error), 0);
	assert_int_equal(device.peer_count, 1);
	assert_true(device.peers[0].last_handshake > 0);
	assert_true(device.peers[0].received_bytes > 200);
	assert_true(device.peers[0].sent_bytes > 200);
}

static void test_between_two_kernels(void **state)
{
	struct world *world = *state;
	struct key keys[2];

	assert_true(backend_kernel_present());
	make_keys(keys);
	for (size_t i = 0; i < 2; i++) {
		make_device(world, i);
		configure(world, keys, i);
	}
	assert_reached(world);
	assert_false(scratch_run(&world->inside[0], "ping -c 1 -w 2 10.77.0.2"));
}

static void test_with_wireguard_go(void **state)
{
	struct world *world = *state;
	CLEANUP(wg_change_clear) struct wg_change change = {};
	struct error error;
	int code = -ENODEV;
	struct key keys[2];
	pid_t child;

	make_keys(keys);
	make_device(world, 0);
	configure(world, keys, 0);
	change = meet(keys, 1);
	child = scratch_start_wireguard_go(&world->outside[1], names[1]);
	for (int i = 0; i < TRIES && code == -ENODEV; i++) {
		usleep(10000);
		code = backend_write(BACKEND_ENGINE, -1, names[1], &change, &error);
	}
	assert_int_equal(code, 0);
	set_up_inside(&world->outside[1].netlink, names[1], 1);
	assert_reached(world);
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
}

/* Peers with keys of their own and allowed IPs that no two share. */
static struct wg_change large_change(void)
{
	struct wg_change change = {.set_private_key = true,
				   .set_listen_port = true,
				   .set_fwmark = true,
				   .listen_port = PORT,
				   .fwmark = 0xfedcba98,
				   .peers = memory_zalloc(PEERS * sizeof(*change.peers)),
				   .peer_count = PEERS};
	struct error error;

	assert_int_equal(key_generate_private(&change.private_key, &error), 0);
	for (unsigned int i = 0; i < PEERS; i++) {
		struct wg_peer_change *peer = &change.peers[i];

		assert_int_equal(key_generate_private(&peer->preshared_key, &error), 0);
		assert_int_equal(key_derive_public(&peer->preshared_key, &peer->public_key, &error),
				 0);
		peer->set_preshared_key = peer->set_keepalive = true;
		peer->set_address = i > 0;
		peer->replace_allowed_ips = true;
		peer->keepalive = (uint16_t)(1000 + i);
		assert_int_equal(
			socket_address_parse(i == 1 ? "192.0.2.1:1" : "[2001:db8::1]:65535",
					     &peer->address, &error),
			0);
		for (unsigned int j = 0; j < ALLOWED_IPS; j++) {
			struct cidr cidr = cidr_of(j % 2 ? "10.0.0.0/32" : "fd00::/64");

			cidr.ip.bytes[1] = (uint8_t)i;
			cidr.ip.bytes[2] = (uint8_t)(j >> 8);
			cidr.ip.bytes[3] = (uint8_t)j;
			cidr_list_append(&peer->allowed_ips, &cidr);
		}
	}
	return change;
}

static void assert_has_peer(const struct wg_device *device, const struct wg_peer_change *wanted)
{
	const struct wg_peer *peer = wg_device_find_peer(device, &wanted->public_key);

	assert_non_null(peer);
	assert_true(key_equal(&peer->preshared_key, &wanted->preshared_key));
	assert_int_equal(peer->keepalive, wanted->keepalive);
	if (wanted->set_address)
		assert_true(socket_address_equal(&peer->address, &wanted->address));
	else
		assert_int_equal(peer->address.any.sa_family, AF_UNSPEC);
	assert_int_equal(peer->allowed_ips.count, wanted->allowed_ips.count);
	assert_true(cidr_list_equal(&peer->allowed_ips, &wanted->allowed_ips));
	assert_int_equal(peer->last_handshake, 0);
	assert_int_equal(peer->received_bytes, 0);
}

static void write_and_read(const struct world *world, const struct wg_change *change,
			   struct wg_device *ret)
{
	int netns = world->inside[0].netns;
	struct error error;

	wg_device_clear(ret);
	assert_int_equal(backend_write(BACKEND_KERNEL, netns, names[0], change, &error), 0);
	assert_int_equal(backend_read(BACKEND_KERNEL, netns, names[0], ret, &error), 0);
}

static void test_large_configuration(void **state)
{
	struct world *world = *state;
	CLEANUP(wg_change_clear) struct wg_change change = large_change();
	CLEANUP(wg_device_clear) struct wg_device device = {};
	struct error error;

	assert_int_equal(link_create_wireguard(&world->outside[0].netlink, names[0],
					       world->inside[0].netns, &error),
			 0);
	write_and_read(world, &change, &device);
	assert_true(key_equal(&device.private_key, &change.private_key));
	assert_int_equal(device.listen_port, PORT);
	assert_int_equal(device.fwmark, 0xfedcba98);
	assert_int_equal(device.peer_count, PEERS);
	for (size_t i = 0; i < PEERS; i++)
		assert_has_peer(&device, &change.peers[i]);

	/* The first loses its preshared key, the second has other allowed IPs, the third goes. */
	change.set_private_key = change.set_listen_port = false;
	change.fwmark = 0;
	memset(&change.peers[0].preshared_key, 0, KEY_SIZE);
	change.peers[1].allowed_ips.count = 700;
	change.peers[2].remove = true;
	write_and_read(world, &change, &device);
	assert_int_equal(device.fwmark, 0);
	assert_int_equal(device.listen_port, PORT);
	assert_int_equal(device.peer_count, 2);
	assert_has_peer(&device, &change.peers[0]);
	assert_has_peer(&device, &change.peers[1]);

	/* Neither touches a peer that is not there. */
	change.peers[2].update_only = true;
	write_and_read(world, &change, &device);
	assert_int_equal(device.peer_count, 2);
	change.peers[2].remove = false;
	write_and_read(world, &change, &device);
	assert_int_equal(device.peer_count, 2);

	change.replace_peers = true;
	change.peer_count = 1;
	write_and_read(world, &change, &device);
	change.peer_count = PEERS;
	assert_int_equal(device.peer_count, 1);
	assert_has_peer(&device, &change.peers[0]);
}

static void test_refusals(void **state)
{
	struct world *world = *state;
	struct wg_change change = {.set_listen_port = true, .listen_port = PORT};
	struct wg_device device;
	struct error error;

	for (size_t i = 0; i < 2; i++) /* both with their sockets in outside[0] */
		assert_int_equal(link_create_wireguard(&world->outside[0].netlink, names[i],
						       world->inside[i].netns, &error),
				 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(backend_write(BACKEND_KERNEL, world->inside[i].netns, names[i],
					       &change, &error),
				 0);
	assert_int_equal(link_set_up(&world->inside[0].netlink, names[0], true, &error), 0);
	assert_int_equal(link_set_up(&world->inside[1].netlink, names[1], true, &error),
			 -EADDRINUSE);
	assert_int_equal(
		backend_read(BACKEND_KERNEL, world->inside[0].netns, "none", &device, &error),
		-ENODEV);
	assert_int_equal(
		backend_read(BACKEND_KERNEL, world->inside[0].netns, "lo", &device, &error),
		-EOPNOTSUPP);
	assert_int_equal(
		backend_write(BACKEND_KERNEL, world->inside[0].netns, "none", &change, &error),
		-ENODEV);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(test_between_two_kernels),
		with_world(test_with_wireguard_go),
		with_world(test_large_configuration),
		with_world(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
