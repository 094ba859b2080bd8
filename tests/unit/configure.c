/* wireguard/device: a configuration changes as the cross-platform UAPI says. */
#include "simulation.h"

#include "base/memory.h"

static void configure(struct simulation *simulation, struct machine *machine,
		      const struct wg_change *change)
{
	struct error error;

	assert_int_equal(device_configure(machine->device, &simulation->now, change,
					  &machine->output, &error),
			 0);
}

static void assert_allowed_ips(struct machine *machine, size_t peer, const char *expected)
{
	CLEANUP(wg_device_clear) struct wg_device device = {};
	CLEANUP(memory_free) char *text = NULL;

	device_read(machine->device, &device);
	assert_true(peer < device.peer_count);
	text = cidr_list_format(&device.peers[peer].allowed_ips);
	assert_string_equal(text, expected);
}

static void test_read(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_peer_change change = simulation_change(b);
	CLEANUP(wg_device_clear) struct wg_device device = {};

	change.set_preshared_key = change.set_keepalive = true;
	change.preshared_key = (struct key){{5}};
	change.keepalive = 25;
	simulation_configure(simulation, a, &change);
	device_read(a->device, &device);
	assert_true(key_equal(&device.private_key, &a->private_key));
	assert_int_equal(device.peer_count, 1);
	assert_true(key_equal(&device.peers[0].public_key, &b->public_key));
	assert_true(key_equal(&device.peers[0].preshared_key, &change.preshared_key));
	assert_true(socket_address_equal(&device.peers[0].address, &b->address));
	assert_int_equal(device.peers[0].keepalive, 25);
	assert_int_equal(device.peers[0].last_handshake, 0);
	assert_allowed_ips(a, 0, "10.0.0.2/32, fd00::2/128");
}

static void test_allowed_ips(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct wg_peer_change change = simulation_change(&simulation->b);
	struct error error;

	assert_int_equal(cidr_list_parse("10.7.0.0/16", &change.allowed_ips, &error), 0);
	simulation_configure(simulation, a, &change);
	assert_allowed_ips(a, 0, "10.0.0.2/32, fd00::2/128, 10.7.0.0/16");
	change.replace_allowed_ips = true;
	simulation_configure(simulation, a, &change);
	assert_allowed_ips(a, 0, "10.7.0.0/16");

	/* Another peer takes it away. */
	change.public_key = (struct key){{9}};
	change.replace_allowed_ips = false;
	simulation_configure(simulation, a, &change);
	assert_allowed_ips(a, 0, "");
	assert_allowed_ips(a, 1, "10.7.0.0/16");
	cidr_list_clear(&change.allowed_ips);
}

static void test_update_only_and_remove(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct wg_peer_change change = {.public_key = {{9}}, .update_only = true};

	simulation_configure(simulation, a, &change);
	assert_int_equal(a->device->peer_count, 1);
	change.update_only = false;
	change.remove = true;
	simulation_configure(simulation, a, &change);
	assert_int_equal(a->device->peer_count, 1);
	change = simulation_change(&simulation->b);
	change.remove = true;
	simulation_ping(simulation, a); /* one packet waits */
	simulation_configure(simulation, a, &change);
	assert_int_equal(a->device->peer_count, 0);
	assert_int_equal(device_deadline(a->device), MOMENT_NEVER);
	simulation_lose(simulation, a);
	simulation_ping(simulation, a);
	assert_int_equal(a->output.datagrams.count, 0);
}

static void test_replace_peers(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct wg_peer_change peers[] = {
		{.public_key = {{9}}},
		{.public_key = {{8}}},
		{.public_key = {{9}}, .set_keepalive = true, .keepalive = 3},
	};
	struct wg_change change = {.replace_peers = true, .peers = peers, .peer_count = 3};
	CLEANUP(wg_device_clear) struct wg_device device = {};

	simulation_connect(simulation);
	configure(simulation, a, &change);
	device_read(a->device, &device);
	assert_int_equal(device.peer_count, 2);
	assert_int_equal(device.peers[0].public_key.bytes[0], 9);
	assert_int_equal(device.peers[0].keepalive, 3);
	assert_int_equal(device.peers[1].public_key.bytes[0], 8);
}

/* Peers of an old session are gone, and their packets with it. */
static void test_removed_peer_is_silent(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_change change = {.replace_peers = true};

	simulation_connect(simulation);
	configure(simulation, b, &change);
	simulation_ping(simulation, a);
	assert_int_equal(simulation_deliver(simulation, a, b), 1);
	assert_int_equal(simulation_read(simulation, b), 0);
	assert_int_equal(b->device->indices.count, 0);
}

/* A new private key: nothing more is sent under old sessions, what is on its way still arrives, and
 * peers who know the new public key are reached. */
static void test_private_key_changes(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_change change = {.set_private_key = true, .private_key = {{9, 9, 9}}};
	struct wg_peer_change peer;
	struct error error;

	simulation_connect(simulation);
	simulation_ping(simulation, b);
	configure(simulation, a, &change);
	simulation_deliver(simulation, b, a);
	assert_int_equal(simulation_read(simulation, a), 1);
	simulation_ping(simulation, a);
	packet_put(simulation->pool, simulation_take(a, MESSAGE_INITIATION));
	assert_int_equal(a->output.datagrams.count, 0);

	assert_int_equal(key_derive_public(&change.private_key, &a->public_key, &error), 0);
	peer = simulation_change(a);
	assert_int_equal(cidr_list_parse("10.0.0.1", &peer.allowed_ips, &error), 0);
	simulation_configure(simulation, b, &peer);
	cidr_list_clear(&peer.allowed_ips);
	simulation_pass(simulation, 6 * MOMENT_SECOND);
	simulation_ping(simulation, a);
	simulation_settle(simulation);
	assert_int_equal(simulation_read(simulation, b), 2);
}

/* The same key once more changes nothing. */
static void test_private_key_stays(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct wg_change change = {.set_private_key = true, .private_key = a->private_key};

	simulation_connect(simulation);
	configure(simulation, a, &change);
	simulation_ping(simulation, a);
	packet_put(simulation->pool, simulation_take(a, MESSAGE_DATA));
}

static void test_no_private_key(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_change change = {.set_private_key = true};

	configure(simulation, b, &change);
	simulation_ping(simulation, a);
	simulation_deliver(simulation, a, b);
	assert_int_equal(b->output.datagrams.count, 0);
	configure(simulation, a, &change);
	simulation_pass(simulation, 6 * MOMENT_SECOND);
	simulation_ping(simulation, a);
	assert_int_equal(a->output.datagrams.count, 0);
}

/* The MACs that would follow from no public key do not get an answer either. */
static void test_no_private_key_under_load(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_change change = {.set_private_key = true};
	struct cookie_jar jar = {};
	struct packet *packet;

	configure(simulation, b, &change);
	device_set_under_load(b->device, &simulation->now);
	simulation_ping(simulation, a);
	packet = simulation_take(a, MESSAGE_INITIATION);
	jar.keys = b->device->cookies.keys;
	cookie_add_macs(&jar, packet_data(packet), packet->length, simulation->now.monotonic);
	simulation_hand_over(simulation, b, &a->address, packet);
	assert_int_equal(b->output.datagrams.count, 0);
}

/* Nobody is his own peer. */
static void test_own_key(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_peer_change self = simulation_change(a);
	struct wg_change change = {.set_private_key = true, .private_key = b->private_key};

	simulation_configure(simulation, a, &self);
	assert_int_equal(a->device->peer_count, 1);
	configure(simulation, a, &change); /* now a is b */
	assert_int_equal(a->device->peer_count, 0);
}

static void test_down_and_up(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct wg_peer_change change = simulation_change(b);

	simulation_connect(simulation);
	simulation_ping(simulation, b);
	device_set_up(a->device, &simulation->now, false, &a->output);
	simulation_deliver(simulation, b, a);
	simulation_ping(simulation, a);
	change.set_keepalive = true;
	change.keepalive = 25;
	simulation_configure(simulation, a, &change);
	assert_int_equal(simulation_read(simulation, a) + simulation_lose(simulation, a), 0);
	assert_int_equal(device_deadline(a->device), MOMENT_NEVER);
	assert_int_equal(a->device->indices.count, 0);

	simulation_pass(simulation, 20000000); /* b takes no more than 50 initiations a second */
	device_set_up(a->device, &simulation->now, true, &a->output);
	assert_int_equal(a->output.datagrams.count, 1); /* a greeting */
	simulation_connect(simulation);
	device_set_up(a->device, &simulation->now, true, &a->output);
	assert_int_equal(a->output.datagrams.count, 0); /* it was up */
}

static void test_down_drops_what_waits(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;

	simulation_ping(simulation, a);
	assert_int_equal(simulation_peer(a)->staged.count, 1);
	device_set_up(a->device, &simulation->now, false, &a->output);
	assert_int_equal(simulation_peer(a)->staged.count, 0);
}

static void test_endpoint(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct wg_peer_change change = simulation_change(&simulation->b);

	simulation_connect(simulation);
	simulation_peer(a)->source.v4.ipi_ifindex = 5;
	change.set_address = true;
	change.address = simulation_address("[2001:db8::7]:7");
	simulation_configure(simulation, a, &change);
	simulation_ping(simulation, a);
	assert_true(socket_address_equal(&a->output.datagrams.first->address, &change.address));
	assert_int_equal(a->output.datagrams.first->source.v4.ipi_ifindex, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		simulated(test_read),
		simulated(test_allowed_ips),
		simulated(test_update_only_and_remove),
		simulated(test_replace_peers),
		simulated(test_removed_peer_is_silent),
		simulated(test_private_key_changes),
		simulated(test_private_key_stays),
		simulated(test_no_private_key),
		simulated(test_no_private_key_under_load),
		simulated(test_own_key),
		simulated(test_down_and_up),
		simulated(test_down_drops_what_waits),
		simulated(test_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
