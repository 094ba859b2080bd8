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
#include "wireguard/backend.h"
#include "wireguard/engine.h"
#include "wireguard/keeper.h"
#include "wireguard/link_watch.h"
#include "wireguard/report.h"
#include "wireguard/uapi_server.h"
#include "world.h"

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

static pid_t running(void)
{
	struct error error;
	pid_t pid;

	assert_int_equal(engine_running(world_device, &pid, &error), 0);
	return pid;
}

static bool answers(struct wg_device *ret)
{
	struct error error;

	return backend_read(BACKEND_ENGINE, -1, world_device, ret, &error) == 0;
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

	world_must_start(world, 0);
	assert_true(running() > 0);
	assert_true(engine_has_files(world_device));
	assert_true(answers(&read));
	assert_int_equal(world_start(world, 0, &error), -EBUSY);
	assert_int_equal(netlink_open(NETLINK_ROUTE, world->inside.netns, &netlink, &error), 0);
	assert_int_equal(link_find(&netlink, world_device, &info, &error), 0);
	assert_string_equal(info.kind, "tun");
	assert_int_equal(engine_stop(world_device, &error), 0);
	assert_int_equal(running(), 0);
	assert_false(engine_has_files(world_device));
	/* Persistent: addresses and routes stay with it. */
	assert_int_equal(link_find(&netlink, world_device, &info, &error), 0);
	assert_int_equal(engine_stop(world_device, &error), 0);
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

	world_must_start(*state, 0);
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

	world_must_start(*state, 0x77);
	assert_true(answers(&read));
	assert_int_equal(read.fwmark, 0x77);
	assert_int_equal(backend_write(BACKEND_ENGINE, -1, world_device, &change, &error), -EPERM);
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
		world_must_start(world, 0);
		assert_true(scratch_run(&world->inside, "ip address replace 10.79.0.1/24 dev %s",
					world_device));
		engine = running();
		assert_int_equal(kill(engine, SIGKILL), 0);
		for (unsigned int i = 0; i < WORLD_TRIES && running(); i++)
			world_pause();
		assert_int_equal(running(), 0);
		assert_true(engine_has_files(world_device));
	}
	world_must_start(world, 0);
	assert_true(scratch_run(&world->inside, "ip address show dev %s | grep -q 10.79.0.1/24",
				world_device));
	/* So is an engine whose keeper is killed: it ends. */
	keeper = getpgid(running());
	assert_int_equal(kill(keeper, SIGKILL), 0);
	for (unsigned int i = 0; i < WORLD_TRIES && running(); i++)
		world_pause();
	assert_int_equal(running(), 0);
	world_must_start(world, 0);
	for (unsigned int i = 0; i < WORLD_TRIES; i++) {
		if (scratch_run(&world->inside, "test $(grep -c 'killed by signal 9' %s) -eq 3",
				world_log))
			return;
		world_pause();
	}
	fail_msg("the log does not say what killed the engines");
}

/* A keeper whose caller has died, in the namespace of the device. */
_Noreturn static void live_as_orphaned_keeper(const struct world *world)
{
	struct netns_visit visit = NETNS_VISIT_NONE;
	struct keeper keeper = {
		.setup = {.name = world_device, .removal = -1}, .from = -1, .remove_socket = true};
	char path[UAPI_PATH_MAX];
	int nobody, report;
	struct error error;

	signal(SIGPIPE, SIG_DFL);
	keeper.setup.socket = uapi_path(world_device, path);
	if (netns_visit_begin(&visit, world->inside.netns, &error) < 0 ||
	    tun_open(world_device, false, &keeper.setup.device.tun, &error) < 0 ||
	    link_watch_open(&keeper.setup.device.link, &error) < 0 ||
	    uapi_make_folder(&error) < 0 || uapi_listen(path, &keeper.setup.uapi, &error) < 0 ||
	    report_open(&nobody, &report, &error) < 0)
		_exit(1);
	keeper.setup.device.index = if_nametoindex(world_device);
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
	for (unsigned int i = 0; i < WORLD_TRIES && !answers(&read); i++)
		world_pause();
	/* Were it ended by its report, it would be before this. */
	world_pause();
	assert_int_equal(kill(keeper, SIGTERM), 0);
	assert_int_equal(waitpid(keeper, &status, 0), keeper);
	assert_int_equal(status, 0);
	assert_false(engine_has_files(world_device));
}

static void test_no_more_processes(void **state)
{
	struct error error;

	forks_all = getpid();
	assert_int_equal(world_start(*state, 0, &error), -EAGAIN);
	forks_all = 0;
	assert_non_null(strstr(error.text, "cannot start a process"));
	assert_int_equal(running(), 0);
}

static void test_refused(void **state)
{
	const struct world *world = *state;
	struct error error;

	assert_true(scratch_run(&world->inside, "ip link add %s type veth", world_device));
	assert_true(world_start(world, 0, &error) < 0);
	assert_non_null(strstr(error.text, world_device));
	assert_int_equal(running(), 0);
	assert_int_equal(engine_stop(world_device, &error), 0);
	assert_false(engine_has_files(world_device));
}

static void test_sockets_are_outside(void **state)
{
	const struct world *world = *state;

	world_must_start(world, 0);
	world_connect(world);
	assert_true(scratch_run(&world->inside, "ping -q -c 2 -i 0.2 -W 2 10.79.0.2 >/dev/null"));
	assert_true(scratch_run(&world->outside, "ping -q -c 2 -i 0.2 -W 2 10.79.0.1 >/dev/null"));
	assert_true(scratch_run(&world->inside, "sh -c 'test -z \"$(ss -Hlun)\"'"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start_and_stop, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_privileges, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_firewall_mark_is_for_life, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(test_killed_and_started_again, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(test_caller_dies_while_it_waits, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(test_no_more_processes, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(test_refused, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_sockets_are_outside, world_setup,
						world_teardown),
	};

	if (argc > 2 && strcmp(argv[1], "engine") == 0)
		return world_live_as_engine(argc, argv);
	world_name_devices("se");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
