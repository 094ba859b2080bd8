/* wireguard/engine as subu uses it: an engine whose device is in one namespace and whose UDP
 * sockets are in another, against wireguard-go.
 *
 *	 outside (the test's)                    inside
 *	+-------------------------------+       +------------------+
 *	| engine (UDP 127.0.0.1:port)   |-------| DEVICE 10.79.0.1 |
 *	|    |                          |       +------------------+
 *	| GO 10.79.0.2 (UDP 127.0.0.1)  |
 *	+-------------------------------+
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "kernel/tun.h"
#include "scratch.h"
#include "wireguard/backend.h"
#include "wireguard/engine.h"
#include "wireguard/keeper.h"
#include "wireguard/link_watch.h"
#include "wireguard/report.h"
#include "wireguard/uapi_server.h"

#define TRIES 1000 /* 10 ms each */

static char device[IFNAMSIZ], go_device[IFNAMSIZ], log_path[64];

struct world {
	struct scratch outside, inside;
};

static pid_t forks_all; /* whose children cannot fork(); 0: all can */

/* In the place of libc's, for the engine too. */
pid_t fork(void)
{
	typeof(fork) *libc_fork = dlsym(RTLD_NEXT, "fork");

	if (forks_all && getpid() != forks_all) {
		errno = EAGAIN;
		return -1;
	}
	return libc_fork();
}

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static int setup(void **state)
{
	struct world *world = memory_zalloc(sizeof(*world));
	struct error error;

	*state = world;
	if (scratch_make(&world->outside, &error) < 0 || scratch_make(&world->inside, &error) < 0)
		return -1;
	return scratch_run(&world->outside, "ip link set lo up") ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *world = *state;
	struct error error;

	engine_stop(device, &error);
	unlink(log_path);
	scratch_remove(&world->outside);
	scratch_remove(&world->inside);
	memory_free(state);
	return 0;
}

/* As subu would from the outside namespace. */
static int start(const struct world *world, uint32_t fwmark, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;

	assert_int_equal(netns_visit_begin(&visit, world->outside.netns, error), 0);
	return engine_start(device, world->inside.netns, fwmark, error);
}

static void must_start(const struct world *world, uint32_t fwmark)
{
	struct error error = {};

	if (start(world, fwmark, &error) < 0)
		fail_msg("%s", error.text);
}

static pid_t running(void)
{
	struct error error;
	pid_t pid;

	assert_int_equal(engine_running(device, &pid, &error), 0);
	return pid;
}

static bool answers(struct wg_device *ret)
{
	struct error error;

	return backend_read(BACKEND_ENGINE, -1, device, ret, &error) == 0;
}

static bool status_has(pid_t pid, const char *line)
{
	char path[32], text[128];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (!found && fgets(text, sizeof(text), file))
		found = strcmp(text, line) == 0;
	fclose(file);
	return found;
}

static void test_start_and_stop(void **state)
{
	const struct world *world = *state;
	CLEANUP(wg_device_clear) struct wg_device read = {};
	struct link_info info;
	struct netlink netlink;
	struct error error;

	must_start(world, 0);
	assert_true(running() > 0);
	assert_true(engine_has_files(device));
	assert_true(answers(&read));
	assert_int_equal(start(world, 0, &error), -EBUSY);
	assert_int_equal(netlink_open(NETLINK_ROUTE, world->inside.netns, &netlink, &error), 0);
	assert_int_equal(link_find(&netlink, device, &info, &error), 0);
	assert_string_equal(info.kind, "tun");
	assert_int_equal(engine_stop(device, &error), 0);
	assert_int_equal(running(), 0);
	assert_false(engine_has_files(device));
	/* Persistent: addresses and routes stay with it. */
	assert_int_equal(link_find(&netlink, device, &info, &error), 0);
	assert_int_equal(engine_stop(device, &error), 0);
	netlink_close(&netlink);
}

/* May root without capabilities, as there is inside a sub-user, look into the process? */
static bool can_be_read(pid_t pid)
{
	char path[32];
	struct error error;
	int status;
	pid_t child = fork();

	if (child == 0) {
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		if (process_drop_capabilities(&error) < 0)
			_exit(1);
		_exit(open(path, O_RDONLY | O_CLOEXEC) < 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status != 0;
}

static void test_privileges(void **state)
{
	static const char *const lines[] = {
		"CapInh:\t0000000000000000\n",
		"CapPrm:\t0000000000000000\n",
		"CapEff:\t0000000000000000\n",
		"CapBnd:\t0000000000000000\n",
		"CapAmb:\t0000000000000000\n",
		"NoNewPrivs:\t1\n",
		"Seccomp:\t2\n",
	};
	pid_t engine;

	must_start(*state, 0);
	engine = running();
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (!status_has(engine, lines[i]))
			fail_msg("the engine's status has not %s", lines[i]);
	assert_false(can_be_read(engine));
	assert_false(can_be_read(getpgid(engine)));
	assert_int_equal(getsid(engine), getsid(getpgid(engine)));
	assert_int_not_equal(getsid(engine), getsid(0));
}

static void test_firewall_mark_is_for_life(void **state)
{
	CLEANUP(wg_device_clear) struct wg_device read = {};
	CLEANUP(wg_device_clear) struct wg_device again = {};
	struct wg_change change = {.set_fwmark = true, .fwmark = 0x78, .set_listen_port = true};
	struct error error;

	must_start(*state, 0x77);
	assert_true(answers(&read));
	assert_int_equal(read.fwmark, 0x77);
	assert_int_equal(backend_write(BACKEND_ENGINE, -1, device, &change, &error), -EPERM);
	assert_true(answers(&again));
	assert_int_equal(again.fwmark, 0x77);
	assert_int_equal(again.listen_port, 0);
}

/* The keeper of a killed engine may still be on its way out; nothing of it is in the way. */
static void test_killed_and_started_again(void **state)
{
	const struct world *world = *state;
	pid_t engine, keeper;

	for (unsigned int round = 0; round < 3; round++) {
		must_start(world, 0);
		assert_true(scratch_run(&world->inside, "ip address replace 10.79.0.1/24 dev %s",
					device));
		engine = running();
		assert_int_equal(kill(engine, SIGKILL), 0);
		for (unsigned int i = 0; i < TRIES && running(); i++)
			pause_briefly();
		assert_int_equal(running(), 0);
		assert_true(engine_has_files(device));
	}
	must_start(world, 0);
	assert_true(scratch_run(&world->inside, "ip address show dev %s | grep -q 10.79.0.1/24",
				device));
	/* So is an engine whose keeper is killed: it ends. */
	keeper = getpgid(running());
	assert_int_equal(kill(keeper, SIGKILL), 0);
	for (unsigned int i = 0; i < TRIES && running(); i++)
		pause_briefly();
	assert_int_equal(running(), 0);
	must_start(world, 0);
	for (unsigned int i = 0; i < TRIES; i++) {
		if (scratch_run(&world->inside, "test $(grep -c 'killed by signal 9' %s) -eq 3",
				log_path))
			return;
		pause_briefly();
	}
	fail_msg("the log does not say what killed the engines");
}

/* A keeper whose caller has died, in the namespace of the device. */
_Noreturn static void live_as_orphaned_keeper(const struct world *world)
{
	struct netns_visit visit = NETNS_VISIT_NONE;
	struct keeper keeper = {.setup.name = device, .remove_socket = true};
	char path[UAPI_PATH_MAX];
	int nobody, report;
	struct error error;

	signal(SIGPIPE, SIG_DFL);
	keeper.setup.socket = uapi_path(device, path);
	if (netns_visit_begin(&visit, world->inside.netns, &error) < 0 ||
	    tun_open(device, false, &keeper.setup.tun, &error) < 0 ||
	    link_watch_open(&keeper.setup.link, &error) < 0 || uapi_make_folder(&error) < 0 ||
	    uapi_listen(path, &keeper.setup.uapi, &error) < 0 ||
	    report_open(&nobody, &report, &error) < 0)
		_exit(1);
	keeper.setup.index = if_nametoindex(device);
	close(nobody);
	_exit(keeper_run(&keeper, &report, &error) < 0);
}

static void test_caller_dies_while_it_waits(void **state)
{
	CLEANUP(wg_device_clear) struct wg_device read = {};
	pid_t keeper = fork();
	int status;

	if (keeper == 0)
		live_as_orphaned_keeper(*state);
	assert_true(keeper > 0);
	for (unsigned int i = 0; i < TRIES && !answers(&read); i++)
		pause_briefly();
	/* Were it ended by its report, it would be before this. */
	pause_briefly();
	assert_int_equal(kill(keeper, SIGTERM), 0);
	assert_int_equal(waitpid(keeper, &status, 0), keeper);
	assert_int_equal(status, 0);
	assert_false(engine_has_files(device));
}

static void test_no_more_processes(void **state)
{
	struct error error;

	forks_all = getpid();
	assert_int_equal(start(*state, 0, &error), -EAGAIN);
	forks_all = 0;
	assert_non_null(strstr(error.text, "cannot start a process"));
	assert_int_equal(running(), 0);
}

static void test_refused(void **state)
{
	const struct world *world = *state;
	struct error error;

	assert_true(scratch_run(&world->inside, "ip link add %s type veth", device));
	assert_true(start(world, 0, &error) < 0);
	assert_non_null(strstr(error.text, device));
	assert_int_equal(running(), 0);
	assert_int_equal(engine_stop(device, &error), 0);
	assert_false(engine_has_files(device));
}

static void run_wireguard_go(const struct world *world)
{
	CLEANUP(wg_device_clear) struct wg_device read = {};
	struct error error;

	assert_true(scratch_run(&world->outside, "wireguard-go %s >/dev/null 2>&1", go_device));
	for (unsigned int i = 0; i < TRIES; i++) {
		if (backend_read(BACKEND_ENGINE, -1, go_device, &read, &error) == 0)
			return;
		pause_briefly();
	}
	fail_msg("wireguard-go does not answer");
}

static void make_peers(const char *of, uint16_t port, const struct key *private_key,
		       const char *other_ip, const struct key *other, uint16_t other_port)
{
	struct wg_peer_change peer = {.set_address = true};
	struct wg_change change = {.set_private_key = true,
				   .set_listen_port = true,
				   .private_key = *private_key,
				   .listen_port = port,
				   .peers = &peer,
				   .peer_count = 1};
	struct error error;
	struct cidr cidr;
	char text[32];

	assert_int_equal(key_derive_public(other, &peer.public_key, &error), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", other_port);
	assert_int_equal(socket_address_parse(text, &peer.address, &error), 0);
	assert_int_equal(cidr_parse(other_ip, &cidr, &error), 0);
	cidr_list_append(&peer.allowed_ips, &cidr);
	assert_int_equal(backend_write(BACKEND_ENGINE, -1, of, &change, &error), 0);
	cidr_list_clear(&peer.allowed_ips);
}

static void test_sockets_are_outside(void **state)
{
	const struct world *world = *state;
	CLEANUP(key_wipe) struct key ours, theirs;
	struct error error;

	assert_int_equal(key_generate_private(&ours, &error), 0);
	assert_int_equal(key_generate_private(&theirs, &error), 0);
	must_start(world, 0);
	run_wireguard_go(world);
	make_peers(device, 7001, &ours, "10.79.0.2", &theirs, 7002);
	make_peers(go_device, 7002, &theirs, "10.79.0.1", &ours, 7001);
	assert_true(scratch_run(&world->inside, "ip address add 10.79.0.1/24 dev %s", device));
	assert_true(scratch_run(&world->inside, "ip link set %s up", device));
	assert_true(scratch_run(&world->outside, "ip address add 10.79.0.2/24 dev %s", go_device));
	assert_true(scratch_run(&world->outside, "ip link set %s up", go_device));
	assert_true(scratch_run(&world->inside, "ping -q -c 2 -i 0.2 -W 2 10.79.0.2 >/dev/null"));
	assert_true(scratch_run(&world->outside, "ping -q -c 2 -i 0.2 -W 2 10.79.0.1 >/dev/null"));
	assert_true(scratch_run(&world->inside, "sh -c 'test -z \"$(ss -Hlun)\"'"));
	assert_true(scratch_run(&world->outside, "ip link del %s", go_device));
}

/* The engine that engine_start() executes: this very program, called as subu is. */
static int live_as_engine(int argc, char **argv)
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start_and_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_privileges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_firewall_mark_is_for_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_and_started_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_caller_dies_while_it_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_more_processes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sockets_are_outside, setup, teardown),
	};

	if (argc > 2 && strcmp(argv[1], "engine") == 0)
		return live_as_engine(argc, argv);
	snprintf(device, sizeof(device), "se%d", getpid() % 1000000);
	snprintf(go_device, sizeof(go_device), "sg%d", getpid() % 1000000);
	snprintf(log_path, sizeof(log_path), "/run/subu/%s.log", device);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
