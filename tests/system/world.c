#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "kernel/netns.h"
#include "wireguard/backend.h"
#include "wireguard/engine.h"

char world_device[IFNAMSIZ], world_go_device[IFNAMSIZ], world_log[64];

void world_name_devices(const char *prefix)
{
	snprintf(world_device, sizeof(world_device), "%s%d", prefix, getpid() % 1000000);
	snprintf(world_go_device, sizeof(world_go_device), "%sg%d", prefix, getpid() % 1000000);
	snprintf(world_log, sizeof(world_log), "/run/subu/%s.log", world_device);
}

void world_pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

int world_setup(void **state)
{
	struct world *world = memory_zalloc(sizeof(*world));
	struct error error;

	*state = world;
	if (scratch_make(&world->outside, &error) < 0 || scratch_make(&world->inside, &error) < 0)
		return -1;
	return scratch_run(&world->outside, "ip link set lo up") ? 0 : -1;
}

int world_teardown(void **state)
{
	struct world *world = *state;
	struct error error;

	engine_stop(world_device, &error);
	unlink(world_log);
	/* It ends with its device. */
	scratch_run(&world->outside, "ip link del %s", world_go_device);
	scratch_remove(&world->outside);
	scratch_remove(&world->inside);
	memory_free(state);
	return 0;
}

int world_start(const struct world *world, uint32_t fwmark, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;

	assert_int_equal(netns_visit_begin(&visit, world->outside.netns, error), 0);
	return engine_start(world_device, world->inside.netns, fwmark, error);
}

void world_must_start(const struct world *world, uint32_t fwmark)
{
	struct error error = {};

	if (world_start(world, fwmark, &error) < 0)
		fail_msg("%s", error.text);
}

static void run_wireguard_go(const struct world *world)
{
	CLEANUP(wg_device_clear) struct wg_device read = {};
	struct error error;

	assert_true(
		scratch_run(&world->outside, "wireguard-go %s >/dev/null 2>&1", world_go_device));
	for (unsigned int i = 0; i < WORLD_TRIES; i++) {
		if (backend_read(BACKEND_ENGINE, -1, world_go_device, &read, &error) == 0)
			return;
		world_pause();
	}
	fail_msg("wireguard-go does not answer");
}

static void make_peers(const char *of, uint16_t port, const struct key *private_key,
		       const char *other_ips, const struct key *other, uint16_t other_port)
{
	struct wg_peer_change peer = {.set_address = true};
	struct wg_change change = {.set_private_key = true,
				   .set_listen_port = true,
				   .private_key = *private_key,
				   .listen_port = port,
				   .peers = &peer,
				   .peer_count = 1};
	struct error error;
	char text[32];

	assert_int_equal(key_derive_public(other, &peer.public_key, &error), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", other_port);
	assert_int_equal(socket_address_parse(text, &peer.address, &error), 0);
	assert_int_equal(cidr_list_parse(other_ips, &peer.allowed_ips, &error), 0);
	assert_int_equal(backend_write(BACKEND_ENGINE, -1, of, &change, &error), 0);
	cidr_list_clear(&peer.allowed_ips);
}

void world_connect(const struct world *world)
{
	CLEANUP(key_wipe) struct key ours, theirs;
	struct error error;

	assert_int_equal(key_generate_private(&ours, &error), 0);
	assert_int_equal(key_generate_private(&theirs, &error), 0);
	run_wireguard_go(world);
	make_peers(world_device, 7001, &ours, "10.79.0.2,fd79::2", &theirs, 7002);
	make_peers(world_go_device, 7002, &theirs, "10.79.0.1,fd79::1", &ours, 7001);
	assert_true(
		scratch_run(&world->inside, "ip address add 10.79.0.1/24 dev %s", world_device));
	assert_true(scratch_run(&world->inside, "ip address add fd79::1/64 dev %s nodad",
				world_device));
	assert_true(scratch_run(&world->inside, "ip link set %s mtu 1420 up", world_device));
	assert_true(scratch_run(&world->outside, "ip address add 10.79.0.2/24 dev %s",
				world_go_device));
	assert_true(scratch_run(&world->outside, "ip address add fd79::2/64 dev %s nodad",
				world_go_device));
	assert_true(scratch_run(&world->outside, "ip link set %s mtu 1420 up", world_go_device));
}

int world_live_as_engine(int argc, char **argv)
{
	struct engine_options options = {.name = argv[argc - 1], .managed = true};
	struct error error = {};
	uint64_t number;

	for (int i = 2; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--index") == 0 &&
		    text_to_number(argv[i + 1], 1, UINT32_MAX, &number) == 0)
			options.index = (unsigned int)number;
		if (strcmp(argv[i], "--fwmark") == 0 &&
		    text_to_number(argv[i + 1], 0, UINT32_MAX, &number) == 0)
			options.fwmark = (uint32_t)number;
	}
	if (engine_main(&options, &error) == 0)
		return 0;
	fprintf(stderr, "subu: %s\n", error.text);
	return 1;
}
