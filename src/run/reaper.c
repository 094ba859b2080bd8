/* The kernel gives every process of the namespace whose parent has gone to the first one, which waits
 * for them; and when the first one ends it kills all others. So nothing that a command leaves behind
 * outlives the tunnel.
 *
 * It takes the command's end, and its stopping, to the one outside, and the signals from there to the
 * command. When the one outside has gone, the end comes for all, unless they may linger.
 *
 * It never leaves the group of the one outside, and all signals are blocked in it, so that they stay
 * pending. That makes it a witness: what it has got as well was meant for the whole group, and the
 * command has it already, unless it has left that group. The kernel serves the youngest of a group
 * first, so a signal is here before the one outside hears of it. The limit: with an account of its
 * own the one outside does not get what the command sends to the group; one such signal is then
 * taken for the next of its kind. */
#include "run/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "kernel/fds.h"
#include "kernel/process.h"
#include "wireguard/report.h"

#define GRACE_MS 2000 /* between SIGTERM and SIGKILL, for what the command leaves behind */

struct life {
	const struct reaper *reaper;
	int gate;      /* owned: one byte lets the command go */
	pid_t command; /* 0: it has ended */
	int status;    /* of the command */
	int stopped;   /* by which signal the command is; 0: it runs */
	int continued; /* how many SIGCONT have come from outside */
	int stops;     /* how often the command has stopped since the last of them */
	bool alone;    /* nothing is left inside */
	bool deserted; /* the one outside has gone */
	int signals;
};

/* Nobody there to hear it: that shows when the channel is read. */
static void say(const struct reaper *reaper, const struct reaper_message *message)
{
	if (send(reaper->channel, message, sizeof(*message), MSG_NOSIGNAL) < 0)
		errno = 0;
}

_Noreturn static void fail(const struct reaper *reaper, const struct error *error)
{
	say(reaper, &(struct reaper_message){.word = REAPER_FAILED, .error = *error});
	_exit(1);
}

/* Of the process groups outside the kernel says 0 here. */
static bool holds_terminal(void)
{
	CLEANUP(fd_close) int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return terminal >= 0 && tcgetpgrp(terminal) > 0;
}

static void say_stopped(const struct life *life)
{
	say(life->reaper, &(struct reaper_message){.word = REAPER_STOPPED,
						   .value = life->stopped,
						   .continued = life->continued,
						   .terminal = holds_terminal()});
}

static void reap(struct life *life)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
		if (pid != life->command)
			continue;
		life->stopped = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
		if (life->stopped) {
			life->stops++;
			say_stopped(life);
		} else if (!WIFCONTINUED(status)) {
			life->command = 0;
			life->status = status;
		}
	}
	life->alone = pid < 0 && errno == ECHILD;
}

/* Whether the signal has come here as well; it is forgotten. */
static bool witnessed(int number)
{
	const struct timespec now = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	return sigtimedwait(&set, NULL, &now) == number;
}

static void forget_signals(void)
{
	for (int number = 1; number < NSIG; number++)
		witnessed(number);
}

/* What was told of a command that stopped again before its SIGCONT was heard of here is out of date
 * for the one outside: it is told again. Not of one that has stopped once: it may just be dying. */
static void note_continued(struct life *life)
{
	const bool again = life->stops > 1;

	life->continued++;
	life->stops = 0;
	reap(life);
	if (again && life->stopped)
		say_stopped(life);
}

static void pass_on(struct life *life, int signal)
{
	const bool known = witnessed(signal) && getpgid(life->command) == getpgrp();

	if (!known)
		kill(life->command, signal);
	if (signal == SIGCONT)
		note_continued(life);
}

static void listen_outside(struct life *life)
{
	struct reaper_message message;
	ssize_t size = recv(life->reaper->channel, &message, sizeof(message), MSG_DONTWAIT);

	if (size == 0)
		life->deserted = true;
	if (size == sizeof(message) && message.word == REAPER_SIGNAL && life->command)
		pass_on(life, message.value);
}

/* Waits for news, at most so long; -1: for ever. */
static void wait_for_news(struct life *life, int wait_ms)
{
	struct pollfd fds[] = {
		{.fd = life->signals, .events = POLLIN},
		{.fd = life->deserted ? -1 : life->reaper->channel, .events = POLLIN},
	};
	struct signalfd_siginfo info;

	if (poll(fds, ARRAY_SIZE(fds), wait_ms) <= 0)
		return;
	if (fds[1].revents)
		listen_outside(life);
	if (fds[0].revents && read(life->signals, &info, sizeof(info)) == sizeof(info))
		reap(life);
}

/* What is stopped does not hear SIGTERM until it goes on. */
static void end_all(struct life *life)
{
	const int64_t until = clock_ms() + GRACE_MS;

	reap(life);
	if (life->alone)
		return;
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	for (int64_t left = GRACE_MS; !life->alone && left > 0; left = until - clock_ms())
		wait_for_news(life, (int)left);
	kill(-1, SIGKILL);
	while (!life->alone)
		wait_for_news(life, -1);
}

static void say_ended(struct life *life)
{
	reap(life);
	say(life->reaper, &(struct reaper_message){.word = REAPER_ENDED,
						   .value = life->status,
						   .left = !life->alone});
}

_Noreturn static void watch(struct life *life)
{
	const bool linger = life->reaper->linger;

	while (life->command && (linger || !life->deserted))
		wait_for_news(life, -1);
	if (linger) {
		say_ended(life);
		while (!life->alone)
			wait_for_news(life, -1);
		_exit(0);
	}
	end_all(life);
	say_ended(life);
	_exit(0);
}

/* All that the command is not to find in the first process, and that this one must not keep from
 * whoever waits for it to be let go. */
static int retire(struct reaper *reaper, int *gate, struct error *error)
{
	int *const kept[] = {&reaper->channel, &reaper->leash, gate};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), code = 0;

	if (null < 0 || chdir("/") < 0)
		return error_errno(error, "cannot retire from the terminal");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			return error_errno(error, "cannot retire from the terminal");
	code = fds_keep(kept, ARRAY_SIZE(kept), error);
	/* The command's own account, so that it may be sent signals without a right to. */
	if (code == 0 && reaper->identity->account)
		code = account_become(reaper->identity->account, error);
	if (code == 0)
		code = process_drop_capabilities(error);
	if (code == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		return error_errno(error, "cannot keep others from tracing a process");
	return code;
}

/* No command begins before the tunnel is up, nor when it does not come up. */
static void await_tunnel(const struct reaper *reaper)
{
	struct reaper_message message;

	if (recv(reaper->channel, &message, sizeof(message), 0) != sizeof(message) ||
	    message.word != REAPER_BEGIN)
		_exit(1);
}

/* Returns 0 in the command's process, and its number here. */
static pid_t start_command(struct life *life, int *ret_gate, struct error *error)
{
	int code = report_open(ret_gate, &life->gate, error);

	if (code < 0)
		return code;
	life->command = fork();
	if (life->command < 0)
		return error_errno(error, "cannot start a process");
	fd_close(life->command ? ret_gate : &life->gate);
	return life->command;
}

static int take_signals(struct life *life, struct error *error)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	life->signals = signalfd(-1, &child, SFD_CLOEXEC);
	return life->signals < 0 ? error_errno(error, "cannot take signals") : 0;
}

/* A stop of before is over, for the one outside goes on; the signal is still blocked there. */
static void let_go(struct life *life)
{
	kill(life->command, SIGCONT);
	/* Should it have died meanwhile, that is for reap() to say. */
	if (write(life->gate, "", 1) < 0)
		errno = 0;
	fd_close(&life->gate);
}

int reaper_live(struct reaper *reaper)
{
	struct life life = {.reaper = reaper, .gate = -1};
	struct error error;
	sigset_t all;
	pid_t command = -1;
	int gate = -1;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	if (enter_renew_mounts(reaper->identity, reaper->dns, reaper->covers, &error) == 0)
		command = start_command(&life, &gate, &error);
	if (command == 0)
		return gate;
	if (command < 0 || retire(reaper, &life.gate, &error) < 0 ||
	    take_signals(&life, &error) < 0)
		fail(reaper, &error);
	await_tunnel(reaper);
	/* Of what came before the one outside hands nothing on. */
	forget_signals();
	let_go(&life);
	/* It may have ended before anybody could be told. */
	reap(&life);
	watch(&life);
}
