/* model/store: who waits for whom, and what a killed program leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "store_place.h"

/* Opens in a child, says so, and closes when told to, saying so before. */
static pid_t hold(const struct store_place *place, enum store_access mode, int to_child,
		  int from_child)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct store *store = NULL;
		struct error error;
		char told;
		bool good = store_open(place->path, mode, NULL, &store, &error) == 0;

		good &= write(from_child, "o", 1) == 1;
		good &= read(to_child, &told, 1) == 1;
		good &= write(from_child, "c", 1) == 1;
		store_close(&store);
		_exit(!good);
	}
	return child;
}

static int waits, to_child_fd;

/* The other may close only when we wait. */
static void tell_to_close(const char *path)
{
	(void)path;
	waits++;
	assert_int_equal(write(to_child_fd, "c", 1), 1);
}

/* Opens while another has it open. Returns whether it had to wait. */
static bool open_beside(const struct store_place *place, enum store_access theirs,
			enum store_access ours)
{
	CLEANUP(store_close) struct store *store = NULL;
	int to_child[2], from_child[2], status;
	struct error error;
	bool waited;
	pid_t child;
	char said;

	assert_int_equal(pipe(to_child) + pipe(from_child), 0);
	child = hold(place, theirs, to_child[0], from_child[1]);
	assert_int_equal(read(from_child[0], &said, 1), 1);
	waits = 0;
	to_child_fd = to_child[1];
	assert_int_equal(store_open(place->path, ours, tell_to_close, &store, &error), 0);
	waited = waits;
	if (waited) /* open now, so the other has closed */
		assert_int_equal(poll(&(struct pollfd){from_child[0], POLLIN, 0}, 1, 0), 1);
	else
		tell_to_close(place->path);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < 2; i++) {
		fd_close(&to_child[i]);
		fd_close(&from_child[i]);
	}
	return waited;
}

static void test_lock(void **state)
{
	assert_true(open_beside(*state, STORE_WRITE, STORE_WRITE));
	assert_true(open_beside(*state, STORE_WRITE, STORE_READ));
	assert_true(open_beside(*state, STORE_READ, STORE_WRITE));
	assert_false(open_beside(*state, STORE_READ, STORE_READ));
}

/* Opens and closes again and again, and ends the process. */
static void read_repeatedly(const struct store_place *place)
{
	for (int i = 0; i < 20; i++) {
		struct store *store = NULL;
		struct error error;

		if (store_open(place->path, STORE_READ, NULL, &store, &error) < 0)
			_exit(1);
		store_close(&store);
	}
	_exit(0);
}

/* Readers come and go in each other's way, and none is turned away. */
static void test_many_readers(void **state)
{
	pid_t children[8];
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			read_repeatedly(*state);
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

/* One change committed, and one too large for SQLite's cache not: the log holds some of it. */
static int add_and_stop(const struct store_place *place)
{
	const struct cidr network = {.ip.family = AF_INET6, .length = 128};
	struct subu subu = {.owner = "alice", .name = "before"};
	struct tunnel tunnel = {};
	struct store *store;
	struct error error;
	int code = store_open(place->path, STORE_WRITE, NULL, &store, &error);

	for (int i = 0; i < 10000; i++)
		cidr_list_append(&tunnel.addresses, &network);
	if (code == 0)
		code = store_begin(store, &error);
	if (code == 0)
		code = store_add_subu(store, &subu, &error);
	if (code == 0)
		code = store_commit(store, &error);
	if (code == 0)
		code = store_begin(store, &error);
	for (int i = 0; code == 0 && i < 100; i++)
		code = store_add_tunnel(store, &tunnel, &error);
	return code;
}

static void test_killed(void **state)
{
	const struct store_place *place = *state;
	CLEANUP(store_close) struct store *store = NULL;
	uint32_t *tunnels = NULL;
	struct subu *list = NULL;
	struct error error;
	struct stat log;
	size_t count;

	store_place_do_and_die(place, add_and_stop);
	assert_int_equal(stat(store_place_beside(place, "-wal"), &log), 0);
	assert_true(log.st_size > 1 << 20);
	store = store_place_open(place, STORE_READ);
	assert_int_equal(store_list_subus(store, &list, &count, &error), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, "before");
	free(list);
	assert_int_equal(store_list_tunnel_ids(store, &tunnels, &count, &error), 0);
	assert_int_equal(count, 0);
	free(tunnels);
}

#define TEST_MADE(test)                                                                            \
	cmocka_unit_test_setup_teardown(test, store_place_begin_made, store_place_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_MADE(test_lock),
		TEST_MADE(test_many_readers),
		TEST_MADE(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
