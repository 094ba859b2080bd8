/* The steps of all sides:
 *
 *	supervisor              anchor                              engine
 *	  engine's socket
 *	  fork ──────────────────▶ unshare: a user namespace
 *	  fork ───────────────────────────────────────────────────▶ leaves the files
 *	  record                   where it needs one, the network
 *	  receive ◀─── namespace ──┤
 *	  (caller) ◀───────── who ─┤
 *	                           TUN device, news of it ────────▶
 *	                           observe, plan, apply             its own part, its cage
 *	  await ◀───────────────────────────────────────── report ──┤
 *	                             … configure ◀────────────────▶ is configured
 *	  await ◀────── report ────┤
 *	                           no capabilities;                 works
 *	                           waits for its end
 *
 * With the kernel's WireGuard there is no engine: the supervisor makes the device when it has the
 * namespace, and says so by one byte, before the anchor observes.
 *
 * Descriptors and reports come by a channel each: where no descriptors come, the report says why. */
#include "run/anchor.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/fds.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "kernel/tun.h"
#include "kernel/userns.h"
#include "reconcile/apply.h"
#include "reconcile/desired.h"
#include "reconcile/observe.h"
#include "reconcile/plan.h"
#include "wireguard/keeper.h"
#include "wireguard/link_watch.h"
#include "wireguard/report.h"

static int make_namespaces(const struct anchor_plan *plan, struct error *error)
{
	if (plan->alone)
		return userns_unshare(CLONE_NEWNET, 0, 0, error);
	if (unshare(CLONE_NEWNET) < 0)
		return error_errno(error, "cannot make a network namespace");
	return 0;
}

static int make_device(int engine, struct error *error)
{
	CLEANUP(loop_device_close) struct loop_device device = LOOP_DEVICE_NONE;
	int code = tun_open(OWN_DEVICE, false, &device.tun, error);

	if (code == 0)
		code = link_watch_open(&device.link, error);
	if (code < 0)
		return userns_add_reason(error);
	device.index = if_nametoindex(OWN_DEVICE);
	return keeper_send_device(engine, &device, error);
}

/* The namespaces are there. What a command needs of them can be made while the engine starts. */
static int tell_who(int socket, struct error *error)
{
	struct process_id own;
	int code = process_identify(getpid(), &own, error);

	/* Nobody may be there any more to hear it. */
	if (code == 0 && send(socket, &own, sizeof(own), MSG_NOSIGNAL) < 0)
		errno = 0;
	return code;
}

static int hand_over(const struct anchor_plan *plan, int channel, struct error *error)
{
	CLEANUP(fd_close) int netns = -1;
	int code = make_namespaces(plan, error);

	if (code == 0)
		code = netns_open_own(&netns, error);
	if (code < 0)
		return userns_add_reason(error);
	code = tell_who(plan->who, error);
	return code < 0 ? code : fds_send(channel, &netns, 1, 0, error);
}

static int wait_for_device(int channel, struct error *error)
{
	char byte;
	ssize_t size;

	do
		size = read(channel, &byte, 1);
	while (size < 0 && errno == EINTR);
	if (size != 1)
		return error_set(error, EPIPE, "the supervisor of the tunnel has gone");
	return 0;
}

static int configure(const struct anchor_plan *plan, struct error *error)
{
	CLEANUP(subu_state_clear) struct subu_state desired = {};
	CLEANUP(subu_state_clear) struct subu_state actual = {};
	CLEANUP(plan_clear) struct plan steps = {};
	const struct own_netns own = {
		.socket = plan->backend == BACKEND_ENGINE ? plan->socket : NULL,
		.fwmark = plan->tunnel->device.fwmark,
	};
	const uint16_t port = plan->tunnel->device.listen_port;
	int code;

	desired_own(plan->tunnel, plan->backend, &desired);
	code = observe_own(&own, &actual, error);
	if (code < 0)
		return code;
	plan_make(&desired, &actual, &steps);
	steps.netns = "the tunnel's namespace";
	code = apply_own(&own, &steps, error);
	if (code == -EROFS)
		return error_set(error, EROFS,
				 "/proc/sys is read-only, as containers have it: start the one "
				 "around with --security-opt unmask=ALL (podman) or "
				 "systempaths=unconfined (docker), or run subu outside of it");
	if (code == -EACCES && port)
		return error_set(error, EACCES,
				 "port %u of ListenPort is root's: take the line away, or choose "
				 "one from 1024 on",
				 port);
	if (code == -EADDRINUSE && port)
		return error_set(error, EADDRINUSE,
				 "port %u of ListenPort is in use on this machine: take the line "
				 "away, or choose another",
				 port);
	return code;
}

/* The supervisor ends it with SIGKILL, or the kernel when the supervisor has gone. */
_Noreturn static void stay(void)
{
	for (;;)
		pause();
}

/* Returns on failure only. What else its starter has open, as the registry's lock, is not this
 * process's to hold. */
static int live(struct anchor_plan plan, int channel, int *report, pid_t parent,
		struct error *error)
{
	int *const kept[] = {&channel, report, &plan.device, &plan.who};
	int code = fds_keep(kept, ARRAY_SIZE(kept), error);

	if (code < 0)
		return code;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return error_set(error, ECHILD, "the supervisor of the tunnel has gone");
	code = hand_over(&plan, channel, error);
	if (code == 0)
		code = plan.backend == BACKEND_ENGINE ? make_device(plan.device, error)
						      : wait_for_device(channel, error);
	if (code == 0)
		code = configure(&plan, error);
	tunnel_clear(plan.tunnel);
	if (code == 0)
		code = process_drop_capabilities(error);
	/* Dropping rights may have undone it. */
	if (code == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		code = error_set(error, ECHILD, "the supervisor of the tunnel has gone");
	if (code < 0)
		return code;
	report_send(report, 0, error);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	stay();
}

int anchor_start(const struct anchor_plan *plan, struct anchor *ret, struct error *error)
{
	CLEANUP(anchor_close) struct anchor anchor = ANCHOR_NONE;
	CLEANUP(fd_close) int channel = -1;
	CLEANUP(fd_close) int report = -1;
	int code = fds_pair(&anchor.channel, &channel, error);
	pid_t self = getpid();

	if (code == 0)
		code = report_open(&anchor.report, &report, error);
	if (code < 0)
		return code;
	anchor.pid = fork();
	if (anchor.pid < 0)
		return error_errno(error, "cannot start a process");
	if (anchor.pid == 0) {
		struct error failure;

		code = live(*plan, channel, &report, self, &failure);
		report_send(&report, code, &failure);
		_exit(1);
	}
	*ret = anchor;
	anchor = ANCHOR_NONE;
	return 0;
}

int anchor_receive(struct anchor *anchor, struct error *error)
{
	if (fds_receive(anchor->channel, &anchor->netns, 1, NULL, error) == 0)
		return 0;
	/* The report is then a failure's, or the silence of a process that was killed. */
	report_await(anchor->report, error);
	return -error->code;
}

int anchor_tell(const struct anchor *anchor, struct error *error)
{
	if (write(anchor->channel, "", 1) < 0)
		return error_errno(error, "cannot speak to the process in the namespace");
	return 0;
}

int anchor_await(const struct anchor *anchor, struct error *error)
{
	return report_await(anchor->report, error);
}

bool anchor_has_reported(const struct anchor *anchor)
{
	return poll(&(struct pollfd){.fd = anchor->report, .events = POLLIN}, 1, 0) > 0;
}

void anchor_close(struct anchor *anchor)
{
	fd_close(&anchor->channel);
	fd_close(&anchor->report);
	fd_close(&anchor->netns);
}
