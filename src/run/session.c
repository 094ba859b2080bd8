/* Three processes:
 *
 *	session    outside; in the caller's job: the shell waits for this one
 *	reaper     first of a process namespace, in the tunnel's network (reaper.c)
 *	command    its child, in the same process group as the session
 *
 * and for a moment a fourth, which enters the namespaces and makes the reaper a child of the session.
 *
 * Job control. Session and command are one process group, the caller's job, so the terminal sends
 * both what is typed: ^C, ^Z, a new window size. The session does nothing of its own about it. It
 * hands on all that it gets, and the reaper, which is of the group as well, keeps back what the whole
 * group got: so the command gets each signal once, whoever sent it, and to whom.
 *
 * The session stops when it hears that the command has stopped, so that the shell sees a stopped job
 * when the command has put the terminal in order. The signal is the command's, but for SIGSTOP: a
 * group that no shell looks after the kernel does not stop. Continued, it hands on the SIGCONT. News
 * of a stop that does not know of the last SIGCONT is out of date.
 *
 * A command that is a shell makes groups of its own and gives the terminal to them. Continued in the
 * foreground, the session gives the terminal back to the one that had it. At the end it takes it from
 * a group that is no more, since the caller may be a script. */
#include "run/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "enter/command.h"
#include "kernel/fds.h"
#include "kernel/userns.h"
#include "run/reaper.h"

/* All that somebody may mean for the command. SIGTTOU is among them so that the terminal can be taken
 * back from the background. */
static const int relayed[] = {SIGHUP,  SIGINT,	SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
			      SIGALRM, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH};

struct watch {
	const struct session *session;
	struct session_end *end;
	int channel, signals, tunnel; /* owned; tunnel: a pidfd; -1 once it has gone */
	int terminal;		      /* owned; the controlling one; -1: none */
	int continued;		      /* how many SIGCONT it has handed on */
	pid_t reaper;
	sigset_t mask; /* the caller's */
	bool ended;
};

static void watch_close(struct watch *watch)
{
	fd_close(&watch->channel);
	fd_close(&watch->signals);
	fd_close(&watch->tunnel);
	fd_close(&watch->terminal);
}

static void say(const struct watch *watch, enum reaper_word word, int signal)
{
	const struct reaper_message message = {.word = word, .value = signal};

	if (send(watch->channel, &message, sizeof(message), MSG_NOSIGNAL) < 0)
		errno = 0;
}

/* Comes back when it is continued. */
static void stop(const struct watch *watch, const struct reaper_message *message)
{
	const int signal = message->value == SIGSTOP ? SIGTSTP : message->value;
	const pid_t inside = message->terminal ? tcgetpgrp(watch->terminal) : 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	kill(getpid(), signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (inside > 0 && tcgetpgrp(watch->terminal) == getpgrp())
		tcsetpgrp(watch->terminal, inside);
}

static void take_signals(struct watch *watch)
{
	struct signalfd_siginfo info;

	while (read(watch->signals, &info, sizeof(info)) == sizeof(info)) {
		watch->continued += info.ssi_signo == SIGCONT;
		say(watch, REAPER_SIGNAL, (int)info.ssi_signo);
	}
}

/* That the other end was closed over unread signals is told first, what it had said next. */
static ssize_t receive(const struct watch *watch, struct reaper_message *ret, int flags)
{
	ssize_t size;

	do
		size = recv(watch->channel, ret, sizeof(*ret), flags);
	while (size < 0 && (errno == EINTR || errno == ECONNRESET));
	return size;
}

static int take_message(struct watch *watch, struct error *error)
{
	struct reaper_message message;
	const ssize_t size = receive(watch, &message, 0);

	watch->ended = size != sizeof(message) || message.word == REAPER_ENDED;
	if (size != sizeof(message)) {
		watch->end->status = 128 + SIGKILL;
		return error_set(error, EIO,
				 "the command was killed with the process that looks after it");
	}
	switch (message.word) {
	case REAPER_STARTED:
		watch->reaper = message.value;
		break;
	case REAPER_STOPPED:
		if (message.continued == watch->continued)
			stop(watch, &message);
		break;
	case REAPER_ENDED:
		watch->end->status = WIFSIGNALED(message.value) ? 128 + WTERMSIG(message.value)
								: WEXITSTATUS(message.value);
		watch->end->signal = WIFSIGNALED(message.value) ? WTERMSIG(message.value) : 0;
		watch->end->left = message.left;
		break;
	default:
		*error = message.error;
		watch->ended = true;
		return -error->code;
	}
	return 0;
}

static int watch_all(struct watch *watch, struct error *error)
{
	int code = 0;

	while (!watch->ended && code == 0) {
		struct pollfd fds[] = {
			{.fd = watch->channel, .events = POLLIN},
			{.fd = watch->signals, .events = POLLIN},
			{.fd = watch->tunnel, .events = POLLIN},
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[2].revents) {
			fd_close(&watch->tunnel);
			watch->session->lost(watch->session->data);
		}
		if (fds[1].revents)
			take_signals(watch);
		if (fds[0].revents)
			code = take_message(watch, error);
	}
	return code;
}

/* A process of the tunnel's. */
static int hold(const struct process_id *id, int *ret_pidfd, struct error *error)
{
	int code = process_open(id, ret_pidfd, error);

	return code == -ESRCH ? error_wrap(error, "the tunnel has ended") : code;
}

static int enter_namespaces(const struct session *session, struct error *error)
{
	CLEANUP(fd_close) int anchor = -1;
	struct process_id id;
	int code = session->find(session->data, &id, error);

	if (code < 0)
		return code;
	code = hold(&id, &anchor, error);
	if (code < 0)
		return code;
	if (setns(anchor, CLONE_NEWNET | (session->alone ? CLONE_NEWUSER : 0)) < 0)
		return error_errno(error, "cannot enter the tunnel's namespaces");
	return userns_unshare_inside(CLONE_NEWNS | CLONE_NEWPID, error);
}

/* In the process that enters. Returns in the command's process alone, the gate where that one waits. */
static int enter(const struct session *session, int channel)
{
	struct reaper reaper = {.dns = session->dns,
				.covers = session->covers,
				.identity = &session->identity,
				.linger = session->linger,
				.channel = channel,
				.leash = session->leash};
	struct reaper_message message = {.word = REAPER_STARTED};

	if (enter_namespaces(session, &message.error) == 0) {
		message.value = (int)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
		if (message.value == 0)
			return reaper_live(&reaper);
		if (message.value < 0)
			error_errno(&message.error, "cannot start a process");
	}
	if (message.error.code)
		message.word = REAPER_FAILED;
	if (send(channel, &message, sizeof(message), MSG_NOSIGNAL) < 0)
		errno = 0;
	_exit(0);
}

static void catch_signals(sigset_t *ret)
{
	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(relayed); i++)
		sigaddset(ret, relayed[i]);
}

/* What can be had while the tunnel comes up. */
static int prepare(struct watch *watch, struct error *error)
{
	sigset_t caught;
	int code = hold(&watch->session->supervisor, &watch->tunnel, error);

	if (code < 0)
		return code;
	catch_signals(&caught);
	watch->terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	watch->signals = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch->signals < 0 ? error_errno(error, "cannot take signals") : 0;
}

/* Until the tunnel is up a signal does here what it does to anybody: there is no command to get it. */
static int begin(struct watch *watch, struct error *error)
{
	const struct session *session = watch->session;
	sigset_t caught;
	int prepared = prepare(watch, error);
	int code = session->await(session->data, error);

	/* A tunnel that has ended says better why. */
	if (code < 0 || prepared < 0)
		return code < 0 ? code : prepared;
	catch_signals(&caught);
	if (sigprocmask(SIG_BLOCK, &caught, NULL) < 0)
		return error_errno(error, "cannot take signals");
	say(watch, REAPER_BEGIN, 0);
	return 0;
}

/* Its number may come behind what it has to say. */
static void learn_reaper(struct watch *watch)
{
	struct reaper_message message;

	while (!watch->reaper && receive(watch, &message, MSG_DONTWAIT) == sizeof(message))
		if (message.word == REAPER_STARTED)
			watch->reaper = message.value;
}

static void take_terminal_back(const struct watch *watch)
{
	const pid_t foreground = tcgetpgrp(watch->terminal);

	if (foreground > 0 && kill(-foreground, 0) < 0 && errno == ESRCH)
		tcsetpgrp(watch->terminal, getpgrp());
}

static void finish(struct watch *watch)
{
	learn_reaper(watch);
	fd_close(&watch->channel);
	if (watch->reaper && !watch->end->left)
		waitpid(watch->reaper, NULL, 0);
	take_terminal_back(watch);
	sigprocmask(SIG_SETMASK, &watch->mask, NULL);
}

static int become(const struct session *session, int gate, struct session_end *ret,
		  struct error *error)
{
	if (enter_give_up(&session->identity, gate, error) == 0)
		ret->status = command_exec(session->argv, error);
	return -error->code;
}

int session_run(const struct session *session, struct session_end *ret, struct error *error)
{
	CLEANUP(watch_close)
	struct watch watch = {.session = session,
			      .end = ret,
			      .channel = -1,
			      .signals = -1,
			      .tunnel = -1,
			      .terminal = -1};
	CLEANUP(fd_close) int inner = -1;
	pid_t between;
	int code;

	*ret = (struct session_end){.status = ENTER_STATUS_FAILED};
	sigprocmask(SIG_BLOCK, NULL, &watch.mask);
	signal(SIGCHLD, SIG_DFL);
	code = fds_pair(&watch.channel, &inner, error);
	if (code < 0)
		return code;
	between = process_fork_unstopped();
	if (between < 0)
		return error_errno(error, "cannot start a process");
	if (between == 0) {
		fd_close(&watch.channel);
		return become(session, enter(session, inner), ret, error);
	}
	fd_close(&inner);
	waitpid(between, NULL, 0);
	code = begin(&watch, error);
	if (code == 0)
		code = watch_all(&watch, error);
	finish(&watch);
	return code;
}
