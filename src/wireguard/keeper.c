/* The engine is caged (cage.c): it cannot say why the kernel killed it, nor remove its socket. The
 * keeper can: it is the engine's parent, has given up its capabilities, never sees a key or a
 * packet, and only waits. A signal to it that ends an engine, see loop_signals(), is the engine's;
 * should it die itself, the kernel ends the engine. */
#include "wireguard/keeper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/fds.h"
#include "kernel/process.h"
#include "wireguard/cage.h"
#include "wireguard/curve.h"
#include "wireguard/report.h"
#include "wireguard/uapi_server.h"

int keeper_send_device(int socket, const struct loop_device *device, struct error *error)
{
	const int fds[] = {device->tun, device->link};

	return fds_send(socket, fds, ARRAY_SIZE(fds), device->index, error);
}

static int receive_device(struct keeper *keeper, struct error *error)
{
	struct loop_device *device = &keeper->setup.device;
	int fds[] = {-1, -1};
	int code = fds_receive(keeper->from, fds, ARRAY_SIZE(fds), &device->index, error);

	device->tun = fds[0];
	device->link = fds[1];
	fd_close(&keeper->from);
	return code;
}

/* What takes paths, and the lock's descriptor stays open for life, as a lock's must. */
static int prepare(struct keeper *keeper, struct error *error)
{
	struct loop_setup *setup = &keeper->setup;
	int lock, code = 0;

	if (keeper->lock)
		code = process_lock(keeper->lock, &lock, error);
	if (code == 0 && setup->socket)
		code = uapi_watch_removal(setup->socket, &setup->removal, error);
	return code;
}

/* The engine's own process, until it is to work. One that has its device keeps its rights until it has
 * its sockets: to leave the files may cost them. One that waits for it has none to lose, and does
 * meanwhile what takes time. */
static struct loop *make_loop(struct keeper *keeper, struct error *error)
{
	CLEANUP(loop_free) struct loop *loop = NULL;
	const bool waits = keeper->from >= 0;

	curve_warm_up();
	if (prepare(keeper, error) < 0 || (waits && cage_leave_files(error) < 0))
		return NULL;
	loop = loop_create(&keeper->setup, error);
	if (!loop || (!waits && cage_leave_files(error) < 0) ||
	    cage_give_up_rights(keeper->keep_network_rights, error) < 0 ||
	    (waits && receive_device(keeper, error) < 0) ||
	    loop_attach(loop, &keeper->setup.device, error) < 0 || cage_close(error) < 0)
		return NULL;
	return MEMORY_TAKE(loop);
}

_Noreturn static void engine_live(struct keeper *keeper, int report)
{
	struct error error;
	struct loop *loop = make_loop(keeper, &error);

	report_send(&report, loop ? 0 : -error.code, &error);
	if (!loop)
		_exit(1);
	loop_run(loop);
	loop_free(&loop);
	/* _exit() without what sanitizers hang on it, which is beyond the cage's list. */
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

/* What else its starter has open is not the engine's to hold: another may wait for its closing. */
_Noreturn static void engine_begin(struct keeper keeper, pid_t parent, int report)
{
	struct loop_setup *setup = &keeper.setup;
	int *const kept[] = {&report, &setup->device.tun, &setup->device.link, &setup->uapi,
			     &keeper.from};
	struct error error;
	int code = fds_keep(kept, ARRAY_SIZE(kept), &error);

	if (code == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		code = error_set(&error, ECHILD, "the keeper of the engine has died");
	if (code == 0)
		engine_live(&keeper, report);
	report_send(&report, code, &error);
	_exit(1);
}

static void wait_set(sigset_t *ret)
{
	loop_signals(ret);
	sigaddset(ret, SIGCHLD);
}

static int await_end(pid_t engine)
{
	sigset_t signals;
	int status = 0;

	wait_set(&signals);
	while (waitpid(engine, &status, WNOHANG) == 0) {
		int signal = sigwaitinfo(&signals, NULL);

		if (signal > 0 && signal != SIGCHLD)
			kill(engine, SIGTERM);
	}
	return status;
}

int keeper_explain(const char *name, int status, struct error *error)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (!WIFSIGNALED(status))
		return error_set(error, EIO, "the engine of %s ended with status %d", name,
				 WEXITSTATUS(status));
	if (WTERMSIG(status) == SIGSYS)
		return error_set(error, EIO,
				 "the engine of %s was killed for a system call that it must not "
				 "make (see the kernel's log for its number)",
				 name);
	return error_set(error, EIO, "the engine of %s was killed by signal %d (%s)", name,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
}

/* Removes the socket unless another has taken its place by now. */
static void remove_socket(const char *path, const struct stat *ours)
{
	struct stat now;

	if (stat(path, &now) == 0 && now.st_dev == ours->st_dev && now.st_ino == ours->st_ino)
		unlink(path);
}

/* The engine reports to *ret_report. */
static int start_engine(const struct keeper *keeper, pid_t *ret, int *ret_report,
			struct error *error)
{
	CLEANUP(fd_close) int from_engine = -1;
	CLEANUP(fd_close) int to_keeper = -1;
	pid_t self = getpid(), engine;
	sigset_t signals;
	int code = report_open(&from_engine, &to_keeper, error);

	if (code < 0)
		return code;
	/* From now on, so that none is missed between here and await_end(). */
	wait_set(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	engine = fork();
	if (engine < 0)
		return error_errno(error, "cannot start a process");
	if (engine == 0)
		engine_begin(*keeper, self, to_keeper);
	*ret = engine;
	*ret_report = fd_take(&from_engine);
	return 0;
}

int keeper_start(struct keeper *keeper, pid_t *ret_engine, int *ret_report, struct error *error)
{
	int code = start_engine(keeper, ret_engine, ret_report, error);

	loop_setup_close(&keeper->setup);
	fd_close(&keeper->from);
	return code;
}

int keeper_run(struct keeper *keeper, int *report, struct error *error)
{
	CLEANUP(fd_close) int from_engine = -1;
	struct stat socket = {};
	pid_t engine = -1;
	int code = 0;

	/* Who was started with SIGCHLD ignored is never told that a child has ended. */
	signal(SIGCHLD, SIG_DFL);
	/* Whoever waits for the report may have died meanwhile. */
	signal(SIGPIPE, SIG_IGN);
	if (keeper->remove_socket && stat(keeper->setup.socket, &socket) < 0)
		code = error_errno(error, "cannot look at %s", keeper->setup.socket);
	if (code == 0)
		code = start_engine(keeper, &engine, &from_engine, error);
	loop_setup_close(&keeper->setup);
	if (code == 0) {
		code = report_await(from_engine, error);
		if (code < 0)
			waitpid(engine, NULL, 0);
	}
	/* Root inside a sub-user could trace it otherwise, and have a process in the outside network. */
	if (code == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		code = error_errno(error, "cannot keep others from tracing the keeper");
	if (code == 0)
		code = process_drop_capabilities(error);
	report_send(report, code, error);
	if (code == 0)
		code = keeper_explain(keeper->setup.name, await_end(engine), error);
	if (keeper->remove_socket)
		remove_socket(keeper->setup.socket, &socket);
	return code;
}
