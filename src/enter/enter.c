/* The way in, step by step: see enter_inside().
 *
 * What a step reads of the machine outside, such as the user database, which may lie on the
 * network, is read before the first that leaves it. A failure leaves the process half inside; its
 * caller says what happened and ends. Nothing needs to be taken back: the control group loses the
 * process with its end, and every other change is to namespaces that no other process is in, which
 * the kernel ends with this one, however it dies.
 *
 * The command is in the sub-user's network and nowhere else, it has no privilege and can gain none.
 * It stays in the control group: its mounts of the hierarchy are read-only, and the one system call
 * that would walk around that is refused (command_filter.c). It is not in a sandbox. It shares with the
 * machine outside:
 *
 * - the processes: /proc is the machine's, and those of the same user can be sent signals. What else
 *   could be done with them Landlock refuses, where the kernel has it (domain.c);
 * - the files and sockets that its user may open, the system's D-Bus among them;
 * - the caller's terminal, which it can read and write, but not type into.
 */
#include "enter/enter.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "enter/account.h"
#include "enter/command.h"
#include "enter/command_filter.h"
#include "enter/cover.h"
#include "enter/domain.h"
#include "enter/resolver.h"
#include "enter/sysfs.h"
#include "kernel/cgroup.h"
#include "kernel/fds.h"
#include "kernel/mount.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "kernel/syscall_filter.h"
#include "kernel/userns.h"

/* A socket belongs for life to the network that it was made in. Of UNIX sockets that is no more than
 * the names, and ssh and the journal give them to all that they start.
 *
 * Not looked at is what else can lead out of a network: a queue of /dev/net/tun, a ring of io_uring
 * that a thread of the kernel empties, a device. Nobody has one of these for his standard input by
 * accident. */
int enter_check_descriptors(const char *words, struct error *error)
{
	static const char *const names[] = {"input", "output", "error"};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int domain = AF_UNSPEC;
		socklen_t size = sizeof(domain);
		struct stat status;

		/* What lies in it could be reached below any cover, by /proc/self/fd. */
		if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
			return error_set(
				error, EISDIR,
				"standard %s is a folder, which no command reads or writes",
				names[fd]);

		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 && errno == ENOTSOCK)
			continue;
		if (domain != AF_UNIX)
			return error_set(error, EPERM,
					 "standard %s is a socket of the network outside, a way "
					 "around the one inside: put a pipe between, such as "
					 "`cat | subu %s ... | cat`",
					 names[fd], words);
	}
	return 0;
}

/* All that the process starts from here on is in the group too. */
static int enter_cgroup(int cgroup, struct error *error)
{
	return cgroup < 0 ? 0 : cgroup_join(cgroup, error);
}

static int enter_netns(const char *name, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	int code = netns_open(name, &fd, error);

	if (code < 0)
		return code;
	code = netns_enter(fd, error);
	return code < 0 ? error_wrap(error, "%s", name) : 0;
}

/* The kernel mounts none of these in a user namespace where the one around is covered in part
 * (mount_too_revealing() in fs/namespace.c). */
static int add_container(int code, struct error *error)
{
	struct error failed = *error;

	if (code != -EPERM)
		return code;
	return error_set(error, EPERM,
			 "%.500s; the container around may have covered parts of /proc and /sys: "
			 "start it with --security-opt unmask=ALL (podman) or "
			 "systempaths=unconfined (docker), or run subu outside of it",
			 failed.text);
}

/* nosuid: a file's capabilities are then ignored. Without it execve(2) refuses a file that asks for
 * one outside the bounding set, as Debian's ping does, which works without. */
static int renew_mounts(const char *netns, const struct dns *dns, bool settings,
			struct error *error)
{
	CLEANUP(mount_table_clear) struct mount_table mounts = {};
	int code = mount_add_attributes("/", MOUNT_ATTR_NOSUID, true, error);

	if (code == 0)
		code = mount_table_read(&mounts, error);
	if (code == 0)
		code = cover_cgroups(&mounts, error);
	if (code == 0)
		code = add_container(sysfs_renew(&mounts, error), error);
	if (code == 0)
		code = settings ? cover_own(&mounts, error) : cover_own_folders(&mounts, error);
	if (code == 0)
		code = resolver_install(netns, dns, error);
	return code;
}

static int enter_mounts(const struct enter *enter, struct error *error)
{
	int code = mount_unshare(error);

	return code < 0 ? code : renew_mounts(enter->netns, enter->dns, true, error);
}

/* It shows the processes of the namespace that the caller is in; those outside are no business of the
 * command's. */
static int renew_proc(struct error *error)
{
	static const char *const options[] = {NULL};
	CLEANUP(fd_close) int fd = -1;
	int code =
		mount_create("proc", options,
			     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &fd, error);

	if (code == 0)
		code = mount_attach(fd, "/proc", error);
	return code < 0 ? code : cover_leave("/proc", error);
}

int enter_renew_mounts(const struct enter_identity *identity, const struct dns *dns,
		       const char *const *folders, struct error *error)
{
	int code = mount_keep_from_outside(error);

	if (code == 0)
		code = add_container(renew_proc(error), error);
	if (code == 0)
		code = renew_mounts(NULL, dns, identity->account != NULL, error);
	for (; code == 0 && *folders; folders++)
		code = cover_folder(*folders, error);
	return code;
}

/* The C library lets nobody touch the two signals of its own, which some callers ignore: zeros are a
 * default action in the kernel's structure on every processor. */
static void reset_library_signal(int number)
{
	static const uint64_t zeros[8];

	syscall(SYS_rt_sigaction, number, zeros, NULL, _NSIG / 8);
}

/* Hangup and the keyboard's signals stay ignored where they were: that is how nohup(1) and a
 * shell's background jobs ask for it. */
static void reset_signals(void)
{
	struct sigaction action;

	for (int number = 1; number < NSIG; number++) {
		if (sigaction(number, NULL, &action) < 0) {
			reset_library_signal(number);
			continue;
		}
		if (action.sa_handler == SIG_IGN &&
		    (number == SIGHUP || number == SIGINT || number == SIGQUIT))
			continue;
		signal(number, SIG_DFL);
	}
}

static void wait_at(int gate)
{
	char byte;
	ssize_t size;

	do
		size = read(gate, &byte, 1);
	while (size < 0 && errno == EINTR);
	if (size != 1)
		_exit(ENTER_STATUS_FAILED);
}

static int unblock_signals(struct error *error)
{
	sigset_t none;

	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return error_errno(error, "cannot unblock the signals");
	return 0;
}

/* Of what takes rights, and takes them away for good. */
static int become(const struct enter_identity *identity, struct error *error)
{
	int code;

	if (!identity->account) {
		code = userns_unshare(0, identity->uid, identity->gid, error);
		return code < 0 ? code : process_drop_capabilities(error);
	}
	code = account_become(identity->account, error);
	if (code == 0)
		code = process_drop_capabilities(error);
	return code < 0 ? code : domain_enter(error);
}

/* The standard three are the caller's to give; all else, whoever opened it, ends here. */
int enter_give_up(const struct enter_identity *identity, int gate, struct error *error)
{
	int code = fds_keep((int *const[]){&gate}, 1, error);

	reset_signals();
	if (code == 0)
		code = become(identity, error);
	if (code == 0)
		code = syscall_filter_install(command_filter, ARRAY_SIZE(command_filter), error);
	/* Whoever lets nobody go has the better reason. */
	if (gate >= 0)
		wait_at(gate);
	return code < 0 ? code : unblock_signals(error);
}

int enter_inside(const struct enter *enter, struct error *error)
{
	CLEANUP(account_clear) struct account account = {};
	const struct enter_identity identity = {.account = &account};

	if (enter_check_descriptors("exec", error) < 0 ||
	    account_find(enter->account, &account, error) < 0 ||
	    /* From here on in the sub-user's group and network and in mounts of our own … */
	    enter_cgroup(enter->cgroup, error) < 0 || enter_netns(enter->netns, error) < 0 ||
	    enter_mounts(enter, error) < 0 || cover_engines(account.uid, error) < 0 ||
	    /* … and from here on with nothing left to give away. */
	    enter_give_up(&identity, -1, error) < 0)
		return -error->code;
	return 0;
}

int enter_exec(const struct enter *enter, struct error *error)
{
	if (enter_inside(enter, error) < 0)
		return ENTER_STATUS_FAILED;
	return command_exec(enter->argv, error);
}
