#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"

#define KILL_WAIT_MS 1000
#define END_AT_ONCE  256 /* pidfds held at a time: 1024 descriptors are the usual limit */

struct ending {
	struct pollfd fds[END_AT_ONCE]; /* owned pidfds; -1: gone */
	pid_t pids[END_AT_ONCE];
	size_t count;
};

static void ending_clear(struct ending *ending)
{
	for (size_t i = 0; i < ending->count; i++)
		fd_close(&ending->fds[i].fd);
}

static int ending_hold(struct ending *ending, pid_t pid, struct error *error)
{
	int fd = pidfd_open(pid, 0);

	if (fd < 0 && errno == ESRCH)
		return 0;
	if (fd < 0)
		return error_errno(error, "cannot hold process %d", pid);
	ending->fds[ending->count] = (struct pollfd){.fd = fd, .events = POLLIN};
	ending->pids[ending->count++] = pid;
	return 0;
}

static int ending_signal(const struct ending *ending, int signal, struct error *error)
{
	for (size_t i = 0; i < ending->count; i++)
		if (ending->fds[i].fd >= 0 &&
		    pidfd_send_signal(ending->fds[i].fd, signal, NULL, 0) < 0 && errno != ESRCH)
			return error_errno(error, "cannot end process %d", ending->pids[i]);
	return 0;
}

/* Waits until all are gone, and at most wait_ms. Returns the index of one that is still there, or
 * -1. */
static ssize_t ending_wait(struct ending *ending, unsigned int wait_ms)
{
	int64_t until = clock_ms() + wait_ms, left;
	ssize_t there;

	for (;;) {
		there = -1;
		for (size_t i = 0; i < ending->count; i++) {
			if (ending->fds[i].fd >= 0 && ending->fds[i].revents)
				fd_close(&ending->fds[i].fd);
			if (ending->fds[i].fd >= 0)
				there = (ssize_t)i;
		}
		left = until - clock_ms();
		if (there < 0 || left < 0)
			return there;
		if (poll(ending->fds, ending->count, (int)left) <= 0)
			for (size_t i = 0; i < ending->count; i++)
				ending->fds[i].revents = 0;
	}
}

static int end_held(struct ending *ending, unsigned int grace_ms, struct error *error)
{
	ssize_t there;
	int code = ending_signal(ending, SIGTERM, error);

	if (code < 0 || ending_wait(ending, grace_ms) < 0)
		return code;
	code = ending_signal(ending, SIGKILL, error);
	if (code < 0)
		return code;
	there = ending_wait(ending, KILL_WAIT_MS);
	if (there >= 0)
		return error_set(error, ETIMEDOUT, "process %d does not go, not even by SIGKILL",
				 ending->pids[there]);
	return 0;
}

static int end_some(const pid_t *pids, size_t count, unsigned int grace_ms, struct error *error)
{
	CLEANUP(ending_clear) struct ending ending = {};
	int code = 0;

	for (size_t i = 0; i < count && code == 0; i++)
		code = ending_hold(&ending, pids[i], error);
	return code < 0 ? code : end_held(&ending, grace_ms, error);
}

int process_end(const pid_t *pids, size_t count, unsigned int grace_ms, struct error *error)
{
	size_t some;
	int code = 0;

	for (size_t done = 0; done < count && code == 0; done += some) {
		some = count - done < END_AT_ONCE ? count - done : END_AT_ONCE;
		code = end_some(pids + done, some, grace_ms, error);
	}
	return code;
}

int process_end_held(int pidfd, unsigned int grace_ms, struct error *error)
{
	CLEANUP(ending_clear) struct ending ending = {.count = 1};

	ending.fds[0] = (struct pollfd){.fd = fcntl(pidfd, F_DUPFD_CLOEXEC, 0), .events = POLLIN};
	if (ending.fds[0].fd < 0)
		return error_errno(error, "cannot hold a process");
	return end_held(&ending, grace_ms, error);
}

/* The name in the second field may hold anything, spaces and brackets included. */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start, struct error *error)
{
	char path[64], text[1024], *end;
	CLEANUP(fd_close) int fd = -1;
	unsigned long long start;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (size < 0)
		return error_code(error, errno == ENOENT ? ESRCH : errno,
				  "cannot look at process %d", pid);
	text[size] = '\0';
	end = strrchr(text, ')');
	if (!end ||
	    sscanf(end + 1,
		   " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
		   ret_state, &start) != 2)
		return error_set(error, EPROTO, "%s is not as the kernel writes it", path);
	*ret_start = start;
	return 0;
}

int process_identify(pid_t pid, struct process_id *ret, struct error *error)
{
	uint64_t start;
	char state;
	int code = read_stat(pid, &state, &start, error);

	if (code == 0)
		*ret = (struct process_id){.pid = pid, .start = start};
	return code;
}

/* Once the pidfd is there, its process is the one that the number is looked up for, or has gone. */
int process_open(const struct process_id *id, int *ret_pidfd, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	uint64_t start;
	char state;
	int code;

	if (id->pid > 0)
		fd = pidfd_open(id->pid, 0);
	if (id->pid <= 0 || (fd < 0 && errno == ESRCH))
		return error_set(error, ESRCH, "process %d has gone", id->pid);
	if (fd < 0)
		return error_errno(error, "cannot hold process %d", id->pid);
	code = read_stat(id->pid, &state, &start, error);
	if (code < 0)
		return code;
	if (start != id->start || state == 'Z' || state == 'X')
		return error_set(error, ESRCH, "process %d has gone", id->pid);
	*ret_pidfd = fd_take(&fd);
	return 0;
}

/* Who holds the lock of an open file; 0: nobody. */
static int lock_holder(int fd, const char *path, pid_t *ret, struct error *error)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) < 0)
		return error_errno(error, "cannot ask who locks %s", path);
	if (lock.l_type == F_UNLCK)
		lock.l_pid = 0;
	else if (lock.l_pid <= 0)
		return error_set(error, EBUSY,
				 "%s is locked by a process that cannot be seen from here", path);
	*ret = lock.l_pid;
	return 0;
}

int process_lock(const char *path, int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t holder;
	int code;

	if (fd < 0)
		return error_errno(error, "cannot open the lock file %s", path);
	if (fchmod(fd, 0600) < 0)
		return error_errno(error, "cannot make %s the owner's alone", path);
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return error_errno(error, "cannot lock %s", path);
		code = lock_holder(fd, path, &holder, error);
		if (code < 0)
			return code;
		return error_set(error, EBUSY, "%s is locked by process %d", path, holder);
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

int process_lock_holder(const char *path, pid_t *ret, struct error *error)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT) {
		*ret = 0;
		return 0;
	}
	if (fd < 0)
		return error_errno(error, "cannot open the lock file %s", path);
	return lock_holder(fd, path, ret, error);
}

void process_capabilities_free(cap_t *capabilities)
{
	cap_free(*capabilities);
}

bool process_may(cap_value_t capability)
{
	CLEANUP(process_capabilities_free) cap_t own = cap_get_proc();
	cap_flag_value_t may = CAP_CLEAR;

	return own && cap_get_flag(own, capability, CAP_EFFECTIVE, &may) == 0 && may == CAP_SET;
}

pid_t process_fork_unstopped(void)
{
	sigset_t stops, before;
	pid_t pid;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	sigprocmask(SIG_BLOCK, &stops, &before);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* Without CAP_SETPCAP the bounding set cannot be made smaller. No capability can be gained from it
 * then: no_new_privs forbids execve() all that the process has not. */
static int drop_bounding(struct error *error)
{
	if (!process_may(CAP_SETPCAP))
		return 0;
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		if (cap_drop_bound(cap) < 0)
			return error_errno(error, "cannot take capability %d from the bounding set",
					   cap);
	return 0;
}

int process_drop_capabilities(struct error *error)
{
	CLEANUP(process_capabilities_free) cap_t none = cap_init();
	int code;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(error, "cannot set no_new_privs");
	code = drop_bounding(error);
	if (code < 0)
		return code;
	if (cap_reset_ambient() < 0)
		return error_errno(error, "cannot clear the ambient capabilities");
	if (!none || cap_set_proc(none) < 0)
		return error_errno(error, "cannot drop the capabilities");
	return 0;
}

int process_fix_standard_fds(struct error *error)
{
	/* open() takes the lowest free number: fd itself, since those below it are there. */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return error_errno(error, "cannot open /dev/null");
	return 0;
}
