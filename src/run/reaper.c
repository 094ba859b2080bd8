/* The kernel gives every process of the namespace whose parent has gone to the first one, which waits
 * for them; and when the first one ends it kills all others. So nothing that a command leaves behind
 * outlives the tunnel.
 *
 * It takes the command's end, and its stopping, to the one outside, and the signals from there to the
 * command. Signals from within do not reach it: the kernel keeps from the first process what it does
 * not ask for. When the one outside has gone, the end comes for all, unless they may linger. */
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

#include "base/memory.h"
#include "kernel/fds.h"
#include "kernel/process.h"

#define GRACE_MS 2000 /* between SIGTERM and SIGKILL, for what the command leaves behind */

struct life {
	const struct reaper *reaper;
	pid_t command; /* 0: it has ended */
	int status;    /* of the command */
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

static void reap(struct life *life)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != life->command)
			continue;
		if (WIFSTOPPED(status)) {
			say(life->reaper, &(struct reaper_message){.word = REAPER_STOPPED});
			continue;
		}
		life->command = 0;
		life->status = status;
	}
	life->alone = pid < 0 && errno == ECHILD;
}

static void listen_outside(struct life *life)
{
	struct reaper_message message;
	ssize_t size = recv(life->reaper->channel, &message, sizeof(message), MSG_DONTWAIT);

	if (size == 0)
		life->deserted = true;
	if (size == sizeof(message) && message.word == REAPER_SIGNAL && life->command)
		kill(life->command, message.value);
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

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is stopped does not hear SIGTERM until it goes on. */
static void end_all(struct life *life)
{
	const int64_t until = now_ms() + GRACE_MS;

	reap(life);
	if (life->alone)
		return;
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	for (int64_t left = GRACE_MS; !life->alone && left > 0; left = until - now_ms())
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
static int retire(struct reaper *reaper, struct error *error)
{
	int *const kept[] = {&reaper->channel, &reaper->leash};
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

void reaper_live(struct reaper *reaper)
{
	struct life life = {.reaper = reaper};
	sigset_t all, child;
	struct error error;

	sigfillset(&all);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	if (enter_renew_mounts(reaper->dns, reaper->covers, &error) < 0)
		fail(reaper, &error);
	life.command = fork();
	if (life.command == 0)
		return;
	if (life.command < 0) {
		error_errno(&error, "cannot start a process");
		fail(reaper, &error);
	}
	if (retire(reaper, &error) < 0)
		fail(reaper, &error);
	life.signals = signalfd(-1, &child, SFD_CLOEXEC);
	if (life.signals < 0) {
		error_errno(&error, "cannot take signals");
		fail(reaper, &error);
	}
	/* It may have ended before anybody could be told. */
	reap(&life);
	watch(&life);
}
