/* A tunnel's processes, all children of one:
 *
 *	supervisor      outside, without rights; waits
 *	 ├─ anchor      in the namespace, without rights; holds it
 *	 ├─ engine      outside, caged; moves the packets (not with the kernel's WireGuard)
 *	 └─ resolver    for a moment, now and then: looks a server's name up again
 *
 * It ends when it gets SIGTERM, when its leash is let go, or when anchor or engine have gone, and
 * with it all the others: the kernel kills them should it be killed itself. A device of the engine
 * goes with the engine; the kernel's is deleted. What is inside then has lo and nothing else. */
#include "run/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/fds.h"
#include "kernel/link.h"
#include "kernel/process.h"
#include "kernel/resolve.h"
#include "reconcile/state.h"
#include "run/anchor.h"
#include "run/own_device.h"
#include "run/renewal.h"
#include "wireguard/keeper.h"
#include "wireguard/log.h"
#include "wireguard/report.h"
#include "wireguard/uapi_server.h"

#define GRACE_MS 1000 /* for the engine, between SIGTERM and SIGKILL */
#define DEATH_MS 100  /* between the last that is heard of a process and its end */

struct life {
	const struct supervisor *supervisor;
	struct log log;
	struct own_device device;
	struct anchor anchor;
	struct renewals renewals; /* owned */
	size_t peers;		  /* that the device is to have */
	pid_t engine;		  /* 0: none */
	pid_t resolver;		  /* 0: none */
	int signals;		  /* owned */
	int leash;		  /* owned; -1: it was set free */
	int who;		  /* owned: of struct supervisor_news, its other end */
	bool ended;
	bool badly; /* a reason is written down, for whoever calls subu next */
};

static void catch_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
	sigaddset(ret, SIGCHLD);
}

/* Leaves the caller's terminal, session, folder and all it has open but these: the registry's lock
 * too, which is held until the record is there. */
static int detach(struct life *life, int *report, struct error *error)
{
	const struct supervisor *supervisor = life->supervisor;
	int *const kept[] = {report, &life->who, &life->leash, &supervisor->registry->lock};
	char path[PATH_MAX];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log = open(registry_file(supervisor->registry, supervisor->record->name, "log", path),
		       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (log < 0)
		return error_errno(error, "cannot open the log %s", path);
	if (null < 0 || setsid() < 0 || chdir("/") < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		return error_errno(error, "cannot go to the background");
	return fds_keep(kept, ARRAY_SIZE(kept), error);
}

static void keeper_close(struct keeper *keeper)
{
	loop_setup_close(&keeper->setup);
	fd_close(&keeper->from);
}

/* The anchor has the tunnel then. Nobody else needs its keys. */
static int start_anchor(struct life *life, const struct anchor_plan *plan, struct error *error)
{
	struct tunnel *tunnel = life->supervisor->tunnel;
	int code = anchor_start(plan, &life->anchor, error);

	life->peers = tunnel->device.peer_count;
	renewals_init(&life->renewals, tunnel, time(NULL));
	tunnel_clear(tunnel);
	return code;
}

/* The engine and the anchor start side by side, for either takes its time; what the anchor asks of the
 * engine's socket waits until there is an answer. */
static int start_both(struct life *life, struct anchor_plan *plan, int *ret_report,
		      struct error *error)
{
	CLEANUP(fd_close) int device = -1;
	/* Nobody but the supervisor has a say in the engine's end. Were the socket watched, its closing
	 * would wait for the kernel, some 15 ms, and the caller with it. */
	CLEANUP(keeper_close)
	struct keeper keeper = {.setup = {.name = OWN_DEVICE,
					  .fwmark = life->supervisor->tunnel->device.fwmark,
					  LOOP_SETUP_CLOSED},
				.from = -1};
	int code = uapi_listen(life->device.socket, &keeper.setup.uapi, error);

	if (code == 0)
		code = fds_pair(&keeper.from, &device, error);
	plan->device = device;
	if (code == 0)
		code = start_anchor(life, plan, error);
	fd_close(&device);
	return code < 0 ? code : keeper_start(&keeper, &life->engine, ret_report, error);
}

/* Where it has got no device (EPIPE), the anchor says why: it has by then. */
static int await_engine(const struct life *life, int report, struct error *error)
{
	int code = report_await(report, error);

	return code == -EPIPE && anchor_has_reported(&life->anchor)
		       ? anchor_await(&life->anchor, error)
		       : code;
}

/* From outside, straight into the namespace: its UDP sockets stay where it was made. */
static int make_kernel_device(struct life *life, struct error *error)
{
	CLEANUP(netlink_close) struct netlink outside = {};
	int code = netlink_open(NETLINK_ROUTE, -1, &outside, error);

	if (code == 0)
		code = link_create_wireguard(&outside, OWN_DEVICE, life->anchor.netns, error);
	return code < 0 ? code : anchor_tell(&life->anchor, error);
}

/* From here on others find the tunnel begun, and whether its supervisor lives: it has a lock of its
 * own, and lets that of the registry go. The anchor and the engine are at work by then. */
static int sign_on(const struct supervisor *supervisor, struct error *error)
{
	struct record *record = supervisor->record;
	int code = process_identify(getpid(), &record->supervisor, error);

	if (code == 0)
		code = registry_write(supervisor->registry, record, error);
	if (code == 0)
		code = registry_hold(supervisor->registry, record->name, error);
	registry_close(supervisor->registry);
	return code;
}

/* What misses the engine says only that. */
static void blame_engine(struct life *life, struct error *error)
{
	struct pollfd signals = {.fd = life->signals, .events = POLLIN};
	int status;

	poll(&signals, 1, DEATH_MS);
	if (waitpid(life->engine, &status, WNOHANG) != life->engine)
		return;
	life->engine = 0;
	if (keeper_explain(OWN_DEVICE, status, error) == 0)
		error_set(error, EIO, "the engine ended");
}

static int await_configured(struct life *life, struct error *error)
{
	int code = anchor_await(&life->anchor, error);

	if (code == 0)
		code = own_device_check_peers(&life->device, life->peers, error);
	if (code < 0 && life->engine)
		blame_engine(life, error);
	return code;
}

static int bring_up(struct life *life, struct error *error)
{
	const struct supervisor *supervisor = life->supervisor;
	struct record *record = supervisor->record;
	const bool engine = record->backend == BACKEND_ENGINE;
	struct anchor_plan plan = {.tunnel = supervisor->tunnel,
				   .backend = record->backend,
				   .socket = life->device.socket,
				   .device = -1,
				   .who = life->who,
				   .alone = supervisor->alone};
	CLEANUP(fd_close) int report = -1;
	int code =
		engine ? start_both(life, &plan, &report, error) : start_anchor(life, &plan, error);

	fd_close(&life->who);
	if (code == 0)
		code = sign_on(supervisor, error);
	if (code == 0)
		code = anchor_receive(&life->anchor, error);
	life->device.netns = life->anchor.netns;
	if (code == 0)
		code = process_identify(life->anchor.pid, &record->anchor, error);
	if (code == 0)
		code = engine ? await_engine(life, report, error) : make_kernel_device(life, error);
	if (code == 0)
		code = await_configured(life, error);
	if (code == 0)
		code = registry_write(supervisor->registry, record, error);
	/* Who runs the kernel's device goes on telling it where its peers are. */
	if (code == 0 && engine)
		code = process_drop_capabilities(error);
	return code;
}

static void end_with(struct life *life, const char *reason)
{
	const struct supervisor *supervisor = life->supervisor;

	if (life->ended)
		return;
	life->ended = true;
	if (!reason)
		return;
	life->badly = true;
	log_line(&life->log, "ends: %s", reason);
	registry_write_reason(supervisor->registry, supervisor->record->name, reason);
}

static void reap(struct life *life)
{
	struct error error;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == life->resolver) {
			life->resolver = 0;
		} else if (pid == life->engine) {
			life->engine = 0;
			end_with(life, keeper_explain(OWN_DEVICE, status, &error) < 0
					       ? error.text
					       : "the engine ended");
		} else if (pid == life->anchor.pid) {
			life->anchor.pid = 0;
			end_with(life, "the process that holds the namespaces was killed");
		}
	}
}

static void take_signal(struct life *life)
{
	struct signalfd_siginfo info;

	if (read(life->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(life);
	else
		end_with(life, NULL);
}

/* Nobody holds it, so it seems: whoever was about to take it did so with the registry locked, and has
 * it by now, or finds no record any more. */
static void end_unless_held(struct life *life)
{
	static const struct registry_listener nobody;
	const struct supervisor *supervisor = life->supervisor;
	struct error error;
	char byte;

	if (registry_lock(supervisor->registry, &nobody, &error) < 0)
		log_line(&life->log, "%s", error.text);
	if (read(life->leash, &byte, 1) == 0) {
		registry_forget(supervisor->registry, supervisor->record->name);
		end_with(life, NULL);
	}
	registry_close(supervisor->registry);
}

static void heed_leash(struct life *life)
{
	char byte;
	ssize_t size = read(life->leash, &byte, 1);

	if (size == 1)
		fd_close(&life->leash);
	else if (size == 0)
		end_unless_held(life);
}

/* In a process of its own: the resolver may take its time. */
_Noreturn static void resolve(struct life *life, const struct renewal *renewal,
			      const union socket_address *current)
{
	union socket_address address;
	char text[SOCKET_TEXT_MAX];
	struct error error;
	int code;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	code = resolve_next(renewal->endpoint.host, renewal->endpoint.port, current, &address,
			    &error);
	if (code == 0)
		code = own_device_move_peer(&life->device, &renewal->public_key, &address, &error);
	if (code == 0)
		log_line(&life->log, "%s does not answer; trying it at %s", renewal->endpoint.host,
			 socket_address_format(&address, text));
	else
		log_line(&life->log, "%s", error.text);
	_exit(code < 0);
}

static void renew(struct life *life)
{
	CLEANUP(wg_device_clear) struct wg_device device = {};
	const struct renewal *renewal;
	const struct wg_peer *peer;
	struct error ignored;

	if (life->resolver || own_device_read(&life->device, &device, &ignored) < 0)
		return;
	renewal = renewals_next(&life->renewals, &device, time(NULL), &peer);
	if (!renewal)
		return;
	life->resolver = fork();
	if (life->resolver == 0)
		resolve(life, renewal, &peer->address);
	if (life->resolver < 0)
		life->resolver = 0;
}

/* Where the folder has gone, as at a logout, no verb would find the tunnel any more. */
static void look_around(struct life *life)
{
	const struct supervisor *supervisor = life->supervisor;
	char path[PATH_MAX];

	if (access(registry_file(supervisor->registry, supervisor->record->name, "lock", path),
		   F_OK) < 0)
		end_with(life, "its folder was removed");
	else
		renew(life);
}

static void watch(struct life *life)
{
	while (!life->ended) {
		struct pollfd fds[] = {
			{.fd = life->signals, .events = POLLIN},
			{.fd = life->leash, .events = POLLIN},
		};
		int ready = poll(fds, ARRAY_SIZE(fds), RENEWAL_INTERVAL * 1000);

		if (ready > 0 && fds[0].revents)
			take_signal(life);
		if (ready > 0 && fds[1].revents)
			heed_leash(life);
		if (ready == 0)
			look_around(life);
	}
}

/* The children, and what the kernel has of the tunnel. */
static void take_away(struct life *life)
{
	CLEANUP(netlink_close) struct netlink inside = {};
	struct error ignored;

	if (life->engine && process_end(&life->engine, 1, GRACE_MS, &ignored) < 0)
		kill(life->engine, SIGKILL);
	if (life->supervisor->record->backend == BACKEND_KERNEL && life->anchor.netns >= 0 &&
	    netlink_open(NETLINK_ROUTE, life->anchor.netns, &inside, &ignored) == 0)
		link_delete(&inside, OWN_DEVICE, &ignored);
	if (life->anchor.pid > 0)
		kill(life->anchor.pid, SIGKILL);
	if (life->resolver)
		kill(life->resolver, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	anchor_close(&life->anchor);
	renewals_clear(&life->renewals);
}

static int begin(struct life *life, int *report, struct error *error)
{
	sigset_t signals;
	int code = detach(life, report, error);

	if (code < 0)
		return code;
	catch_signals(&signals);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	/* Under a limit on files a write fails, and says why. */
	signal(SIGXFSZ, SIG_IGN);
	if (sigprocmask(SIG_SETMASK, &signals, NULL) < 0)
		return error_errno(error, "cannot take signals");
	life->signals = signalfd(-1, &signals, SFD_CLOEXEC);
	if (life->signals < 0)
		return error_errno(error, "cannot take signals");
	return bring_up(life, error);
}

_Noreturn static void live(const struct supervisor *supervisor, int who, int report)
{
	struct life life = {.supervisor = supervisor,
			    .log.name = supervisor->record->name,
			    .device.backend = supervisor->record->backend,
			    .anchor = ANCHOR_NONE,
			    .signals = -1,
			    .leash = supervisor->leash,
			    .who = who};
	struct error error = {}, ignored;
	int code;

	registry_file(supervisor->registry, supervisor->record->name, "engine.sock",
		      life.device.socket);
	code = begin(&life, &report, &error);
	if (code < 0)
		end_with(&life, NULL);
	else
		report_send(&report, 0, &error);
	watch(&life);
	take_away(&life);
	/* To remove a folder takes a descriptor. */
	fd_close(&life.leash);
	fd_close(&life.signals);
	if (!life.badly)
		registry_remove(supervisor->registry, supervisor->record->name, &ignored);
	report_send(&report, code, &error);
	_exit(code < 0 || life.badly);
}

void supervisor_news_close(struct supervisor_news *news)
{
	fd_close(&news->who);
	fd_close(&news->report);
}

int supervisor_start(const struct supervisor *supervisor, pid_t *ret_pid,
		     struct supervisor_news *ret, struct error *error)
{
	CLEANUP(supervisor_news_close) struct supervisor_news from = SUPERVISOR_NEWS_NONE;
	CLEANUP(supervisor_news_close) struct supervisor_news to = SUPERVISOR_NEWS_NONE;
	int code = fds_pair(&from.who, &to.who, error);
	pid_t pid;

	if (code == 0)
		code = report_open(&from.report, &to.report, error);
	if (code < 0)
		return code;
	pid = process_fork_unstopped();
	if (pid < 0)
		return error_errno(error, "cannot start a process");
	if (pid == 0)
		live(supervisor, to.who, to.report);
	*ret_pid = pid;
	*ret = from;
	from = SUPERVISOR_NEWS_NONE;
	return 0;
}

int supervisor_await_who(const struct supervisor_news *news, struct process_id *ret,
			 struct error *error)
{
	struct process_id anchor;
	ssize_t size;

	do
		size = recv(news->who, &anchor, sizeof(anchor), MSG_PEEK);
	while (size < 0 && errno == EINTR);
	if (size != sizeof(anchor))
		return error_set(error, ECHILD, "the tunnel has no namespaces");
	*ret = anchor;
	return 0;
}
