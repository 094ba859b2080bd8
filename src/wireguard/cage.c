/* What is left to a process that reads what strangers send.
 *
 * In order, since each step takes away what an earlier one needs:
 *
 *	files         a mount namespace whose root is an empty, read-only tmpfs: nothing to open; what
 *	              is still written, the log, cannot grow beyond LOG_SIZE
 *	memory        locked, so that keys do not reach a swap device; no core dump holds them, and
 *	              no other process may trace or read this one. Not before: the files in /proc of a
 *	              process that nobody may trace are root's, and a user namespace is made by them
 *	capabilities  none, or the two of network_rights; no_new_privs
 *	system calls  those of engine_filter.c, which are what the event loop does
 *
 * Limits: the user id stays, but there is no file to open as that user and no kill() or ptrace() to
 * use it with. The filter sees numbers, not what pointers point to: who takes the engine over can
 * send UDP datagrams to any address, as the engine itself must. abort(), how a program without memory
 * ends (memory.h), makes calls of its own, which are not worth allowing: the process ends all the
 * same, but with SIGSYS; what it had to say is on stderr before. */
#include "wireguard/cage.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/process.h"
#include "kernel/syscall_filter.h"
#include "kernel/userns.h"
#include "wireguard/engine_filter.h"

#define LOG_SIZE (1 << 20) /* bytes */

/* A folder that every system has and that the engine has no more use for. */
#define ROOT_PLACE "/proc"

/* SO_MARK (Linux 5.17 takes CAP_NET_RAW for it) and ports below 1024. The list of system calls has
 * no raw sockets. */
static const cap_value_t network_rights[] = {CAP_NET_RAW, CAP_NET_BIND_SERVICE};

static int protect_memory(struct error *error)
{
	static const struct rlimit none = {0, 0}, all = {RLIM_INFINITY, RLIM_INFINITY};
	int future = 0;

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return error_errno(error, "cannot forbid core dumps");
	/* Under a limit, memory asked for later would be refused rather than not locked. */
	if (setrlimit(RLIMIT_MEMLOCK, &all) == 0)
		future = MCL_FUTURE;
	mlockall(MCL_CURRENT | MCL_ONFAULT | future);
	return 0;
}

/* Who has no right to make one has it in a user namespace of its own, and gives it up with the rest.
 */
static int make_mount_namespace(struct error *error)
{
	if (!process_may(CAP_SYS_ADMIN))
		return userns_unshare(CLONE_NEWNS, 0, 0, error);
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(error, "cannot make a mount namespace");
	return 0;
}

/* A stricter limit stays. */
static int bound_log(struct error *error)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return error_errno(error, "cannot tell the limit on files");
	if (limit.rlim_max > LOG_SIZE)
		limit.rlim_max = LOG_SIZE;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return error_errno(error, "cannot bound the size of the log");
	return 0;
}

int cage_leave_files(struct error *error)
{
	if (bound_log(error) < 0)
		return -error->code;
	if (make_mount_namespace(error) < 0)
		return -error->code;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(error, "cannot keep mounts from the machine's own");
	if (mount("none", ROOT_PLACE, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=4k,nr_inodes=1,mode=0555") < 0)
		return error_errno(error, "cannot make an empty file system");
	/* The old root comes to lie on the new one, and goes from there. */
	if (chdir(ROOT_PLACE) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_errno(error, "cannot leave the file system");
	return 0;
}

/* Of network_rights, those that the process has. */
static int keep_rights(struct error *error)
{
	CLEANUP(process_capabilities_free) cap_t had = cap_get_proc();
	CLEANUP(process_capabilities_free) cap_t kept = cap_init();
	cap_flag_value_t value = CAP_CLEAR;
	int code = had && kept ? 0 : -1;

	for (size_t i = 0; i < ARRAY_SIZE(network_rights) && code == 0; i++) {
		code = cap_get_flag(had, network_rights[i], CAP_PERMITTED, &value);
		if (code == 0 && value == CAP_SET)
			code = cap_set_flag(kept, CAP_PERMITTED, 1, &network_rights[i], CAP_SET) |
			       cap_set_flag(kept, CAP_EFFECTIVE, 1, &network_rights[i], CAP_SET);
	}
	if (code < 0 || cap_set_proc(kept) < 0 || cap_reset_ambient() < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(error, "cannot give up capabilities");
	return 0;
}

int cage_give_up_rights(bool keep_network_rights, struct error *error)
{
	int code = protect_memory(error);

	if (code < 0)
		return code;
	return keep_network_rights ? keep_rights(error) : process_drop_capabilities(error);
}

int cage_close(struct error *error)
{
	return syscall_filter_install(engine_filter, ARRAY_SIZE(engine_filter), error);
}
