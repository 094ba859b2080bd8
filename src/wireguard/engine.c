/* The processes of an engine.
 *
 *	by hand       subu engine NAME ──▶ the user's shell goes on when the engine is ready
 *	                 └─ keeper ── engine          (with -f, the keeper is what the user started)
 *
 *	by subu       subu attach … engine_start() ──▶ goes on when the engine is ready
 *	                 └─ keeper ── engine
 *
 * By subu, the engine holds a POSIX lock on /run/subu/NAME.pid while it lives: the kernel says who
 * it is, so that no file can name a process that has gone. Whatever a crash leaves is taken over:
 * the device is persistent and attached to, the socket is stale and replaced, the lock is free, the
 * log is appended to. Two callers at once are kept apart by the database's lock; should they not be,
 * the second finds the device, the socket or the lock in use and gives up. */
#include "wireguard/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "kernel/tun.h"
#include "wireguard/keeper.h"
#include "wireguard/link_watch.h"
#include "wireguard/report.h"
#include "wireguard/uapi_server.h"

#define STATE_FOLDER   "/run/subu"
#define STATE_PATH_MAX (sizeof(STATE_FOLDER) + IFNAMSIZ + sizeof("/.pid"))

#define LOG_KEPT  (256 << 10) /* bytes: a log that is larger at a start is begun anew */
#define TUN_TRIES 100	      /* 10 ms apart */
#define GRACE_MS  1000	      /* between SIGTERM and SIGKILL */

/* Where engine_start() puts what a managed engine inherits. */
enum {
	INHERITED_TUN = STDERR_FILENO + 1,
	INHERITED_LINK,
	INHERITED_UAPI,
	INHERITED_REPORT,
	INHERITED_END,
};

static const char *state_path(const char *name, const char *suffix,
			      char path[static STATE_PATH_MAX])
{
	snprintf(path, STATE_PATH_MAX, STATE_FOLDER "/%s.%s", name, suffix);
	return path;
}

/* A process that is being killed lets go of its lock some moments before its device. */
static int open_tun(const char *name, bool persistent, int *ret_fd, struct error *error)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	int code = tun_open(name, persistent, ret_fd, error);

	for (unsigned int i = 0; i < TUN_TRIES && code == -EBUSY; i++) {
		nanosleep(&moment, NULL);
		code = tun_open(name, persistent, ret_fd, error);
	}
	return code;
}

/* In the namespace the caller is in: the device, its number and the news of it. */
static int open_device(const char *name, bool persistent, struct loop_device *ret,
		       struct error *error)
{
	int code = open_tun(name, persistent, &ret->tun, error);

	if (code == 0)
		code = link_watch_open(&ret->link, error);
	if (code == 0) {
		ret->index = if_nametoindex(name);
		if (ret->index == 0)
			code = error_errno(error, "cannot find the device %s", name);
	}
	return code;
}

static int run_by_hand(const struct engine_options *options, int *report, struct error *error)
{
	char path[UAPI_PATH_MAX];
	struct keeper keeper = {
		.setup = {.name = options->name,
			  .socket = uapi_path(options->name, path),
			  LOOP_SETUP_CLOSED},
		.from = -1,
		.keep_network_rights = true,
		.remove_socket = true,
	};
	int code = open_device(options->name, false, &keeper.setup.device, error);

	if (code == 0)
		code = uapi_make_folder(error);
	if (code == 0)
		code = uapi_listen(path, &keeper.setup.uapi, error);
	if (code == 0)
		return keeper_run(&keeper, report, error);
	loop_setup_close(&keeper.setup);
	report_send(report, code, error);
	return code;
}

static int run_managed(const struct engine_options *options, struct error *error)
{
	char path[STATE_PATH_MAX], socket[UAPI_PATH_MAX];
	struct keeper keeper = {
		.setup = {.name = options->name,
			  .socket = uapi_path(options->name, socket),
			  .device = {INHERITED_TUN, INHERITED_LINK, options->index},
			  .fwmark = options->fwmark,
			  .uapi = INHERITED_UAPI,
			  .removal = -1},
		.from = -1,
		.lock = state_path(options->name, "pid", path),
	};
	int report = INHERITED_REPORT;

	return keeper_run(&keeper, &report, error);
}

/* Leaves the terminal, the session and the folder. */
static int detach(int output, struct error *error)
{
	CLEANUP(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || setsid() < 0 || chdir("/") < 0 ||
	    dup2(output < 0 ? null : output, STDERR_FILENO) < 0)
		return error_errno(error, "cannot go to the background");
	for (int fd = STDIN_FILENO; fd < STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			return error_errno(error, "cannot go to the background");
	return 0;
}

static int run_in_background(const struct engine_options *options, struct error *error)
{
	CLEANUP(fd_close) int from_keeper = -1;
	CLEANUP(fd_close) int to_caller = -1;
	int code = report_open(&from_keeper, &to_caller, error);
	pid_t keeper;

	if (code < 0)
		return code;
	keeper = fork();
	if (keeper < 0)
		return error_errno(error, "cannot start a process");
	if (keeper == 0) {
		fd_close(&from_keeper);
		code = detach(-1, error);
		if (code == 0)
			code = run_by_hand(options, &to_caller, error);
		report_send(&to_caller, code, error);
		_exit(code < 0);
	}
	fd_close(&to_caller);
	return report_await(from_keeper, error);
}

int engine_main(const struct engine_options *options, struct error *error)
{
	unsigned int first = options->managed ? INHERITED_END : INHERITED_TUN;
	int none = -1, code = process_fix_standard_fds(error);

	if (code < 0)
		return code;
	if (close_range(first, ~0U, 0) < 0)
		return error_errno(error, "cannot close descriptors");
	if (options->managed)
		return run_managed(options, error);
	if (options->foreground)
		return run_by_hand(options, &none, error);
	return run_in_background(options, error);
}

static int open_log(const char *name, int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	char path[STATE_PATH_MAX];
	struct stat status;

	if (mkdir(STATE_FOLDER, 0755) < 0 && errno != EEXIST)
		return error_errno(error, "cannot make the folder %s", STATE_FOLDER);
	fd = open(state_path(name, "log", path),
		  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &status) < 0 || (status.st_size > LOG_KEPT && ftruncate(fd, 0) < 0))
		return error_errno(error, "cannot open the log %s", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Puts the descriptors where a managed engine looks for them, and has it executed. */
static void execute(const struct loop_setup *setup, int report)
{
	const int fds[] = {setup->device.tun, setup->device.link, setup->uapi, report};
	int high[ARRAY_SIZE(fds)];
	char index[16], fwmark[16];

	snprintf(index, sizeof(index), "%u", setup->device.index);
	snprintf(fwmark, sizeof(fwmark), "%u", setup->fwmark);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, INHERITED_END);
		if (high[i] < 0)
			return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (dup2(high[i], INHERITED_TUN + (int)i) < 0)
			return;
	execl("/proc/self/exe", "subu", "engine", "--managed", "--index", index, "--fwmark", fwmark,
	      setup->name, NULL);
}

/* The keeper is nobody's child who would have to wait for it. */
static int spawn(const struct loop_setup *setup, int log, int *report, struct error *error)
{
	pid_t between = fork(), keeper;
	struct error failure;

	if (between < 0)
		return error_errno(error, "cannot start a process");
	if (between > 0) {
		waitpid(between, NULL, 0);
		return 0;
	}
	keeper = fork();
	if (keeper > 0)
		_exit(0);
	if (keeper < 0)
		error_errno(&failure, "cannot start a process");
	else if (detach(log, &failure) == 0) {
		execute(setup, *report);
		error_errno(&failure, "cannot execute the engine");
	}
	report_send(report, -failure.code, &failure);
	_exit(1);
}

/* What has to be made from inside the device's namespace. */
static int open_device_in(const char *name, int netns_fd, struct loop_device *ret,
			  struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	int code = netns_visit_begin(&visit, netns_fd, error);

	return code < 0 ? code : open_device(name, true, ret, error);
}

int engine_start(const char *name, int netns_fd, uint32_t fwmark, struct error *error)
{
	CLEANUP(loop_setup_close)
	struct loop_setup setup = {.name = name, .fwmark = fwmark, LOOP_SETUP_CLOSED};
	CLEANUP(fd_close) int log = -1;
	CLEANUP(fd_close) int from_keeper = -1;
	CLEANUP(fd_close) int to_caller = -1;
	char socket[UAPI_PATH_MAX];
	pid_t holder;
	int code = engine_running(name, &holder, error);

	if (code == 0 && holder)
		code = error_set(error, EBUSY, "process %d is the engine of %s already", holder,
				 name);
	if (code == 0)
		code = open_device_in(name, netns_fd, &setup.device, error);
	if (code == 0)
		code = uapi_make_folder(error);
	if (code == 0)
		code = uapi_listen(uapi_path(name, socket), &setup.uapi, error);
	if (code == 0)
		code = open_log(name, &log, error);
	if (code == 0)
		code = report_open(&from_keeper, &to_caller, error);
	if (code == 0)
		code = spawn(&setup, log, &to_caller, error);
	if (code < 0)
		return code;
	fd_close(&to_caller);
	return report_await(from_keeper, error);
}

static int remove_file(const char *path, struct error *error)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(error, "cannot remove %s", path);
	return 0;
}

/* Ends the engine and waits for its keeper too, which leads their group: the number of a group is
 * not used again while a process is in it. */
static int end_group(pid_t engine, struct error *error)
{
	const pid_t pids[] = {engine, getpgid(engine)};

	return process_end(pids, pids[1] > 0 ? 2 : 1, GRACE_MS, error);
}

int engine_stop(const char *name, struct error *error)
{
	char path[STATE_PATH_MAX], socket[UAPI_PATH_MAX];
	pid_t engine;
	int code = engine_running(name, &engine, error);

	if (code == 0 && engine)
		code = end_group(engine, error);
	if (code == 0)
		code = remove_file(uapi_path(name, socket), error);
	if (code == 0)
		code = remove_file(state_path(name, "pid", path), error);
	if (code == 0)
		code = remove_file(state_path(name, "log", path), error);
	return code < 0 ? error_wrap(error, "cannot end the engine of %s", name) : 0;
}

int engine_running(const char *name, pid_t *ret, struct error *error)
{
	char path[STATE_PATH_MAX];

	return process_lock_holder(state_path(name, "pid", path), ret, error);
}

bool engine_has_files(const char *name)
{
	char path[STATE_PATH_MAX], socket[UAPI_PATH_MAX];

	return access(state_path(name, "pid", path), F_OK) == 0 ||
	       access(state_path(name, "log", path), F_OK) == 0 ||
	       access(uapi_path(name, socket), F_OK) == 0;
}
