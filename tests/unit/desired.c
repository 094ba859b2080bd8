/* reconcile/desired: what the rows of the database ask the kernel for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "reconcile/desired.h"
#include "store_place.h"

/* A sub-user subu_0 with the tunnel WG_0, as its rows say, and what comes of it. */
struct fixture {
	struct store_place *place;
	struct store *store;
	struct subu subu;
	struct tunnel tunnel;
	struct subu_link link;
	struct subu_state state;
	uint32_t *tunnels;
	size_t tunnel_count;
};

static int begin(void **state)
{
	struct fixture *fixture = memory_zalloc(sizeof(*fixture));
	struct wg_peer *peer = wg_device_append_peer(&fixture->tunnel.device);
	struct error error;

	if (store_place_begin_made((void **)&fixture->place) < 0)
		return -1;
	*state = fixture;
	fixture->store = store_place_open(fixture->place, STORE_WRITE);
	fixture->subu = (struct subu){.owner = "a", .name = "x", .phase = PHASE_PRESENT};
	fixture->link = (struct subu_link){.up = true, .phase = PHASE_PRESENT};
	fixture->tunnel.routes = true;
	/* One network twice, as a .conf may have it. */
	return cidr_list_parse("0.0.0.0/0, ::/0, 0.0.0.0/0", &peer->allowed_ips, &error) ||
	       cidr_list_parse("10.0.0.2/32", &fixture->tunnel.addresses, &error) ||
	       store_add_subu(fixture->store, &fixture->subu, &error) ||
	       store_add_tunnel(fixture->store, &fixture->tunnel, &error) ||
	       store_add_link(fixture->store, &fixture->link, &error);
}

static void forget(struct fixture *fixture)
{
	subu_state_clear(&fixture->state);
	memory_free(&fixture->tunnels);
}

static int end(void **state)
{
	struct fixture *fixture = *state;
	int result;

	forget(fixture);
	tunnel_clear(&fixture->tunnel);
	store_close(&fixture->store);
	result = store_place_end((void **)&fixture->place);
	free(fixture);
	return result;
}

/* Writes the rows as they are in the fixture now, and reads what they ask for. */
static void load(struct fixture *fixture)
{
	struct error error;

	assert_int_equal(store_update_subu(fixture->store, &fixture->subu, &error), 0);
	assert_int_equal(store_update_tunnel(fixture->store, &fixture->tunnel, &error), 0);
	assert_int_equal(store_update_link(fixture->store, &fixture->link, &error), 0);
	forget(fixture);
	assert_int_equal(desired_load(fixture->store, 0, &fixture->state, &fixture->tunnels,
				      &fixture->tunnel_count, &error),
			 0);
}

static void set_option(struct fixture *fixture, const char *name, const char *value)
{
	const struct subu_option *option;
	struct error error;

	assert_int_equal(option_find(name, &option, &error), 0);
	assert_int_equal(store_set_option(fixture->store, 0, option, value, &error), 0);
}

static void test_link(void **state)
{
	struct fixture *fixture = *state;
	const struct link_state *link;

	fixture->subu.lo_up = true;
	load(fixture);
	assert_true(fixture->state.present && fixture->state.prepared && fixture->state.lo_up);
	assert_int_equal(fixture->state.link_count, 1);
	link = fixture->state.links;
	assert_true(link->device && link->running && link->prepared && link->up);
	assert_true(link->rule_ipv4 && link->rule_ipv6 && !link->steered);
	assert_int_equal(link->mtu, TUNNEL_MTU_DEFAULT);
	assert_true(cidr_list_equal(&link->addresses, &fixture->tunnel.addresses));
	assert_int_equal(link->wg.peer_count, 1);
	fixture->tunnel.mtu = 1300;
	fixture->link.steer = true;
	load(fixture);
	assert_true(fixture->state.cgroup && fixture->state.links->steered);
	assert_int_equal(fixture->state.links->mtu, 1300);
}

/* All or none. */
static bool has_fences(const struct subu_state *state, bool all)
{
	for (size_t i = 0; i < FENCE_COUNT; i++)
		if (state->fences[i] != all)
			return false;
	return true;
}

/* Without a fence are those whom the user wants to find the main table. */
static void test_fence(void **state)
{
	struct fixture *fixture = *state;

	fixture->link.steer = true;
	load(fixture);
	assert_true(has_fences(&fixture->state, true));
	set_option(fixture, OPTION_DEFAULT_ROUTE, "on");
	load(fixture);
	assert_true(has_fences(&fixture->state, false));
	set_option(fixture, OPTION_DEFAULT_ROUTE, "off");
	fixture->link.steer = false;
	load(fixture);
	assert_true(has_fences(&fixture->state, false));
	fixture->link.phase = PHASE_REMOVING;
	load(fixture);
	assert_true(has_fences(&fixture->state, true));
}

/* How many routes there are to be in the tunnel's own table and in the main one. */
static void check_routes(struct fixture *fixture, size_t own, size_t main)
{
	load(fixture);
	assert_int_equal(fixture->state.links->table_routes.count, own);
	assert_int_equal(fixture->state.links->main_routes.count, main);
}

/* The two of localhost stand as long as the device is up. */
static void test_routes(void **state)
{
	struct fixture *fixture = *state;

	check_routes(fixture, 4, 0);
	set_option(fixture, OPTION_DEFAULT_ROUTE, "on");
	check_routes(fixture, 4, 2);
	fixture->link.up = false;
	check_routes(fixture, 0, 0);
	fixture->link.up = true;
	fixture->tunnel.routes = false;
	check_routes(fixture, 2, 0);
	fixture->tunnel.routes = true;
	set_option(fixture, OPTION_DEFAULT_ROUTE, "off");
	check_routes(fixture, 4, 0);
}

/* What is being removed is not desired, but its traces are still this sub-user's business. */
static void test_phases(void **state)
{
	struct fixture *fixture = *state;
	struct error error;

	fixture->subu.phase = fixture->link.phase = PHASE_MAKING;
	load(fixture);
	assert_int_equal(fixture->state.link_count, 1);
	fixture->link.phase = PHASE_REMOVING;
	load(fixture);
	assert_true(fixture->state.present);
	assert_int_equal(fixture->state.link_count, 0);
	assert_int_equal(fixture->tunnel_count, 1);
	assert_int_equal(fixture->tunnels[0], fixture->link.tunnel);
	fixture->subu.phase = PHASE_REMOVING;
	load(fixture);
	assert_false(fixture->state.present);
	assert_int_equal(fixture->tunnel_count, 1);
	assert_int_equal(store_delete_link(fixture->store, &fixture->link, &error), 0);
	load(fixture);
	assert_int_equal(fixture->tunnel_count, 0);
	assert_int_equal(store_delete_subu(fixture->store, 0, &error), 0);
	load(fixture);
	assert_false(fixture->state.present);
}

/* The backend that is chosen, given what is there; NULL: nothing. */
static enum backend choose(struct fixture *fixture, const struct link_state *there,
			   bool kernel_present)
{
	CLEANUP(subu_state_clear) struct subu_state actual = {};

	if (there)
		*subu_state_append_link(&actual, 0) = *there;
	load(fixture);
	desired_choose_backends(&fixture->state, &actual, kernel_present);
	return fixture->state.links->backend;
}

static void test_backends(void **state)
{
	const struct link_state engine = {
		.backend = BACKEND_ENGINE, .device = true, .running = true};
	const struct link_state kernel = {
		.backend = BACKEND_KERNEL, .device = true, .running = true};
	const struct link_state dead = {.backend = BACKEND_ENGINE, .device = true};
	struct fixture *fixture = *state;

	assert_int_equal(choose(fixture, NULL, true), BACKEND_KERNEL);
	assert_int_equal(choose(fixture, NULL, false), BACKEND_ENGINE);
	assert_int_equal(choose(fixture, &engine, true), BACKEND_ENGINE);
	assert_int_equal(choose(fixture, &kernel, true), BACKEND_KERNEL);
	assert_int_equal(choose(fixture, &dead, true), BACKEND_KERNEL);
	assert_int_equal(choose(fixture, &dead, false), BACKEND_ENGINE);
	set_option(fixture, OPTION_BACKEND, "kernel");
	assert_int_equal(choose(fixture, &engine, false), BACKEND_KERNEL);
	set_option(fixture, OPTION_BACKEND, "engine");
	assert_int_equal(choose(fixture, &kernel, true), BACKEND_ENGINE);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_link),   TEST(test_fence),	TEST(test_routes),
		TEST(test_phases), TEST(test_backends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
