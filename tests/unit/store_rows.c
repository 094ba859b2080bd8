/* model/store: the rows. What is written is what is read, ids are never used twice, and the
 * database itself refuses what must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "store_place.h"

#define PEERS 300

/* Each test begins with an open database, and may close and open it. */
struct fixture {
	struct store_place *place;
	struct store *store;
};

static int begin(void **state)
{
	struct fixture *fixture = memory_zalloc(sizeof(*fixture));

	if (store_place_begin_made((void **)&fixture->place) < 0)
		return -1;
	fixture->store = store_place_open(fixture->place, STORE_WRITE);
	*state = fixture;
	return 0;
}

static int end(void **state)
{
	struct fixture *fixture = *state;
	int result;

	store_close(&fixture->store);
	result = store_place_end((void **)&fixture->place);
	free(fixture);
	return result;
}

static void reopen(struct fixture *fixture)
{
	store_close(&fixture->store);
	fixture->store = store_place_open(fixture->place, STORE_WRITE);
}

static uint32_t add_subu(struct fixture *fixture, const char *owner, const char *name)
{
	struct subu subu = {.phase = PHASE_MAKING};
	struct error error;

	strcpy(subu.owner, owner);
	strcpy(subu.name, name);
	assert_int_equal(store_add_subu(fixture->store, &subu, &error), 0);
	return subu.id;
}

static uint32_t add_tunnel(struct fixture *fixture)
{
	struct tunnel tunnel = {};
	struct error error;

	assert_int_equal(store_add_tunnel(fixture->store, &tunnel, &error), 0);
	return tunnel.id;
}

static int add_link(struct fixture *fixture, uint32_t subu, uint32_t tunnel)
{
	const struct subu_link link = {.subu = subu, .tunnel = tunnel};
	struct error error;

	return store_add_link(fixture->store, &link, &error);
}

static size_t count_subus(struct fixture *fixture)
{
	CLEANUP(memory_free) struct subu *list = NULL;
	struct error error;
	size_t count;

	assert_int_equal(store_list_subus(fixture->store, &list, &count, &error), 0);
	return count;
}

static void test_ids(void **state)
{
	struct fixture *fixture = *state;
	struct error error;

	assert_int_equal(add_subu(fixture, "a", "x"), 0);
	assert_int_equal(add_subu(fixture, "a", "y"), 1);
	assert_int_equal(add_tunnel(fixture), 0);
	assert_int_equal(add_tunnel(fixture), 1);
	for (uint32_t id = 0; id < 2; id++) {
		assert_int_equal(store_delete_subu(fixture->store, id, &error), 0);
		assert_int_equal(store_delete_tunnel(fixture->store, id, &error), 0);
	}
	assert_int_equal(add_subu(fixture, "a", "x"), 2);
	reopen(fixture);
	assert_int_equal(add_subu(fixture, "a", "y"), 3);
	assert_int_equal(add_tunnel(fixture), 2);
	store_close(&fixture->store);
	store_place_sql(fixture->place, "UPDATE state SET value = 'x' WHERE name = 'next-wg'");
	fixture->store = store_place_open(fixture->place, STORE_WRITE);
	assert_int_equal(store_add_tunnel(fixture->store, &(struct tunnel){}, &error), -EUCLEAN);
}

static void test_names(void **state)
{
	struct fixture *fixture = *state;
	struct name_reference reference = {.owner = "bob", .name = "x"};
	struct subu subu = {.owner = "alice", .name = "x"};
	struct error error;

	add_subu(fixture, "alice", "x");
	assert_int_equal(store_add_subu(fixture->store, &subu, &error), -EEXIST);
	assert_non_null(strstr(error.text, "subu_0"));
	add_subu(fixture, "alice", "y");
	add_subu(fixture, "bob", "x");
	assert_int_equal(store_find_subu(fixture->store, &reference, &subu, &error), 0);
	assert_int_equal(subu.id, 2);
	strcpy(reference.name, "z");
	assert_int_equal(store_find_subu(fixture->store, &reference, &subu, &error), -ENOENT);
	assert_non_null(strstr(error.text, "bob:z"));
	assert_int_equal(subu.id, 2); /* untouched */
	reference = (struct name_reference){.by_id = true, .id = 7};
	assert_int_equal(store_find_subu(fixture->store, &reference, &subu, &error), -ENOENT);
	assert_non_null(strstr(error.text, "subu_7"));
}

static void test_subu_round_trip(void **state)
{
	struct fixture *fixture = *state;
	const struct name_reference reference = {.by_id = true};
	struct subu read = {}, subu = {.lo_up = true, .phase = PHASE_REMOVING};
	CLEANUP(memory_free) struct subu *list = NULL;
	struct error error;
	size_t count;

	memset(subu.owner, 'o', NAME_SIZE - 1);
	memset(subu.name, 'n', NAME_SIZE - 1);
	memset(subu.account, 'a', ACCOUNT_MAX - 1);
	assert_int_equal(store_add_subu(fixture->store, &subu, &error), 0);
	reopen(fixture);
	assert_int_equal(store_find_subu(fixture->store, &reference, &read, &error), 0);
	assert_memory_equal(&read, &subu, sizeof(subu));
	subu.lo_up = false;
	subu.phase = PHASE_PRESENT;
	strcpy(subu.account, "other");
	assert_int_equal(store_update_subu(fixture->store, &subu, &error), 0);
	assert_int_equal(store_list_subus(fixture->store, &list, &count, &error), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].account, "other");
	assert_int_equal(list[0].phase, PHASE_PRESENT);
	assert_false(list[0].lo_up);
}

static void parse_list(const char *text, struct cidr_list *ret)
{
	struct error error;

	assert_int_equal(cidr_list_parse(text, ret, &error), 0);
}

/* All that a tunnel can have, in peers that differ. */
static void fill_tunnel(struct tunnel *tunnel)
{
	static const char *const hosts[] = {"", "192.0.2.1", "2001:db8::1", "fe80::1%eth0",
					    "vpn.example"};
	struct error error;
	char text[128];

	memset(&tunnel->device.private_key, 0xee, KEY_SIZE);
	tunnel->device.listen_port = UINT16_MAX;
	tunnel->device.fwmark = UINT32_MAX;
	tunnel->mtu = TUNNEL_MTU_MOST;
	tunnel->from_pool = true;
	parse_list("10.0.0.2/24, fd00::2/64", &tunnel->addresses);
	assert_int_equal(dns_parse("10.0.0.1, fd00::1, corp.example", &tunnel->dns, &error), 0);
	for (uint32_t i = 0; i < PEERS; i++) {
		struct wg_peer *peer = wg_device_append_peer(&tunnel->device);

		memcpy(&peer->public_key, &i, sizeof(i));
		if (i % 2)
			memset(&peer->preshared_key, (int)i, KEY_SIZE);
		strcpy(peer->endpoint.host, hosts[i % ARRAY_SIZE(hosts)]);
		peer->endpoint.port = *peer->endpoint.host ? (uint16_t)(UINT16_MAX - i) : 0;
		peer->keepalive = (uint16_t)(UINT16_MAX - i);
		snprintf(text, sizeof(text), "10.%u.%u.0/24, 2001:db8:%x::/48, ::/0", i / 256,
			 i % 256, i);
		if (i % 3)
			parse_list(text, &peer->allowed_ips);
	}
}

static void check_tunnel(const struct tunnel *read, const struct tunnel *tunnel)
{
	assert_int_equal(read->id, tunnel->id);
	assert_memory_equal(&read->device.private_key, &tunnel->device.private_key, KEY_SIZE);
	assert_int_equal(read->device.listen_port, tunnel->device.listen_port);
	assert_int_equal(read->device.fwmark, tunnel->device.fwmark);
	assert_int_equal(read->mtu, tunnel->mtu);
	assert_int_equal(read->from_pool, tunnel->from_pool);
	assert_int_equal(read->routes, tunnel->routes);
	assert_true(cidr_list_equal(&read->addresses, &tunnel->addresses));
	assert_memory_equal(&read->dns, &tunnel->dns, sizeof(read->dns));
	assert_int_equal(read->device.peer_count, tunnel->device.peer_count);
	for (size_t i = 0; i < read->device.peer_count; i++) {
		const struct wg_peer *a = &read->device.peers[i], *b = &tunnel->device.peers[i];

		assert_memory_equal(&a->public_key, &b->public_key, KEY_SIZE);
		assert_memory_equal(&a->preshared_key, &b->preshared_key, KEY_SIZE);
		assert_string_equal(a->endpoint.host, b->endpoint.host);
		assert_int_equal(a->endpoint.port, b->endpoint.port);
		assert_int_equal(a->keepalive, b->keepalive);
		assert_true(cidr_list_equal(&a->allowed_ips, &b->allowed_ips));
		assert_int_equal(a->address.any.sa_family, AF_UNSPEC);
	}
}

static void check_tunnel_is_stored(struct fixture *fixture, const struct tunnel *tunnel)
{
	CLEANUP(tunnel_clear) struct tunnel read = {};
	struct error error;

	reopen(fixture);
	if (store_find_tunnel(fixture->store, tunnel->id, &read, &error) < 0)
		fail_msg("%s", error.text);
	check_tunnel(&read, tunnel);
}

static void test_tunnel_round_trip(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(tunnel_clear) struct tunnel tunnel = {}, smallest = {.routes = true};
	struct error error;

	fill_tunnel(&tunnel);
	assert_int_equal(store_add_tunnel(fixture->store, &tunnel, &error), 0);
	assert_int_equal(store_add_tunnel(fixture->store, &smallest, &error), 0);
	check_tunnel_is_stored(fixture, &tunnel);
	check_tunnel_is_stored(fixture, &smallest);
	fill_tunnel(&smallest);
	assert_int_equal(store_update_tunnel(fixture->store, &smallest, &error), 0);
	check_tunnel_is_stored(fixture, &smallest);
	tunnel_clear(&smallest);
	smallest.id = 1;
	assert_int_equal(store_update_tunnel(fixture->store, &smallest, &error), 0);
	check_tunnel_is_stored(fixture, &smallest);
	check_tunnel_is_stored(fixture, &tunnel);
	assert_int_equal(store_find_tunnel(fixture->store, 9, &smallest, &error), -ENOENT);
	assert_non_null(strstr(error.text, "WG_9"));
}

/* What the program's own parsers refuse is damage. */
static void test_bad_rows(void **state)
{
	static const char *const damages[] = {
		"UPDATE wg SET addresses = 'x'",
		"UPDATE wg SET dns = '-'",
		"UPDATE peer SET endpoint = 'x'",
		"UPDATE peer SET allowed_ips = '10.0.0.0/33'",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		CLEANUP(tunnel_clear) struct tunnel tunnel = {}, read = {};
		struct error error;

		wg_device_append_peer(&tunnel.device);
		assert_int_equal(store_add_tunnel(fixture->store, &tunnel, &error), 0);
		store_close(&fixture->store);
		store_place_sql(fixture->place, damages[i]);
		fixture->store = store_place_open(fixture->place, STORE_WRITE);
		assert_int_equal(store_find_tunnel(fixture->store, tunnel.id, &read, &error),
				 -EUCLEAN);
		assert_non_null(strstr(error.text, "damaged"));
		assert_int_equal(store_delete_tunnel(fixture->store, tunnel.id, &error), 0);
	}
}

static void test_links(void **state)
{
	struct fixture *fixture = *state;
	struct subu_link link = {.up = true, .steer = true, .phase = PHASE_REMOVING}, read;
	struct error error;

	for (int i = 0; i < 2; i++) {
		add_subu(fixture, "a", i ? "x" : "y");
		add_tunnel(fixture);
	}
	assert_int_equal(store_find_link_of_subu(fixture->store, 0, &read, &error), -ENOENT);
	assert_int_equal(store_find_link_of_tunnel(fixture->store, 0, &read, &error), -ENOENT);
	assert_true(add_link(fixture, 7, 0) < 0);
	assert_true(add_link(fixture, 0, 7) < 0);
	assert_int_equal(add_link(fixture, 0, 1), 0);
	assert_true(add_link(fixture, 0, 0) < 0);
	assert_true(add_link(fixture, 1, 1) < 0);
	assert_int_equal(store_find_link_of_tunnel(fixture->store, 1, &read, &error), 0);
	assert_int_equal(read.subu, 0);
	link.tunnel = 1;
	assert_int_equal(store_update_link(fixture->store, &link, &error), 0);
	assert_int_equal(store_find_link_of_subu(fixture->store, 0, &read, &error), 0);
	assert_true(read.up && read.steer && read.phase == PHASE_REMOVING && read.tunnel == 1);
	assert_true(store_delete_subu(fixture->store, 0, &error) < 0);
	assert_true(store_delete_tunnel(fixture->store, 1, &error) < 0);
	assert_int_equal(store_delete_link(fixture->store, &link, &error), 0);
	assert_int_equal(store_delete_subu(fixture->store, 0, &error), 0);
	assert_int_equal(store_delete_tunnel(fixture->store, 1, &error), 0);
}

static void test_options(void **state)
{
	struct fixture *fixture = *state;
	char value[OPTION_VALUE_MAX], expected[OPTION_VALUE_MAX];
	const struct subu_option *option;
	struct error error;

	add_subu(fixture, "a", "x");
	for (size_t i = 0; i < option_count; i++) {
		option_default(&option_table[i], expected, sizeof(expected));
		assert_int_equal(
			store_get_option(fixture->store, 0, &option_table[i], value, &error), 0);
		assert_string_equal(value, expected);
	}
	assert_int_equal(option_find(OPTION_BACKEND, &option, &error), 0);
	assert_int_equal(store_set_option(fixture->store, 0, option, "kernel", &error), 0);
	assert_int_equal(store_set_option(fixture->store, 0, option, "engine", &error), 0);
	assert_true(store_set_option(fixture->store, 7, option, "engine", &error) < 0);
	reopen(fixture);
	assert_int_equal(store_get_option(fixture->store, 0, option, value, &error), 0);
	assert_string_equal(value, "engine");
	store_close(&fixture->store);
	store_place_sql(fixture->place, "UPDATE options SET value = 'x'");
	fixture->store = store_place_open(fixture->place, STORE_WRITE);
	assert_int_equal(store_get_option(fixture->store, 0, option, value, &error), -EUCLEAN);
	assert_int_equal(store_delete_subu(fixture->store, 0, &error), 0);
}

static void test_pool(void **state)
{
	static const char *const pools[] = {"10.88.0.0/16", "fd00:1234:5678:9abc::/64"};
	struct fixture *fixture = *state;
	struct cidr pool, read = {.length = 77};
	struct error error;

	assert_int_equal(store_get_pool(fixture->store, &read, &error), -ENOENT);
	assert_int_equal(read.length, 77); /* untouched */
	for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
		assert_int_equal(cidr_parse(pools[i], &pool, &error), 0);
		assert_int_equal(store_set_pool(fixture->store, &pool, &error), 0);
		reopen(fixture);
		assert_int_equal(store_get_pool(fixture->store, &read, &error), 0);
		assert_true(cidr_equal(&read, &pool));
	}
}

static void test_transactions(void **state)
{
	struct fixture *fixture = *state;
	struct error error;

	store_rollback(fixture->store); /* of nothing */
	assert_int_equal(store_begin(fixture->store, &error), 0);
	add_subu(fixture, "a", "x");
	store_rollback(fixture->store);
	assert_int_equal(count_subus(fixture), 0);
	assert_int_equal(store_begin(fixture->store, &error), 0);
	add_subu(fixture, "a", "x");
	reopen(fixture); /* without a commit */
	assert_int_equal(count_subus(fixture), 0);
	assert_int_equal(store_begin(fixture->store, &error), 0);
	add_subu(fixture, "a", "x");
	assert_int_equal(store_commit(fixture->store, &error), 0);
	store_rollback(fixture->store);
	reopen(fixture);
	assert_int_equal(count_subus(fixture), 1);
	assert_true(store_commit(fixture->store, &error) < 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ids),
		TEST(test_names),
		TEST(test_subu_round_trip),
		TEST(test_tunnel_round_trip),
		TEST(test_bad_rows),
		TEST(test_links),
		TEST(test_options),
		TEST(test_pool),
		TEST(test_transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
