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
 *	system calls  those below, which are what the event loop does
 *
 * Limits: the user id stays, but there is no file to open as that user and no kill() or ptrace() to
 * use it with. The filter sees numbers, not what pointers point to: who takes the engine over can
 * send UDP datagrams to any address, as the engine itself must. abort(), how a program without memory
 * ends (memory.h), makes calls of its own, which are not worth allowing: the process ends all the
 * same, but with SIGSYS; what it had to say is on stderr before. */
#include "wireguard/cage.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/process.h"
#include "kernel/userns.h"

#define LOG_SIZE (1 << 20) /* bytes */

/* A folder that every system has and that the engine has no more use for. */
#define ROOT_PLACE "/proc"

/* SO_MARK (Linux 5.17 takes CAP_NET_RAW for it) and ports below 1024. The list of system calls has
 * no raw sockets. */
static const cap_value_t network_rights[] = {CAP_NET_RAW, CAP_NET_BIND_SERVICE};

/* Allowed whatever their arguments. */
static const int plain_calls[] = {
	/* packets */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendmmsg),
	/* waiting; the clocks, where the vDSO does not read them */
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(restart_syscall),
	/* clients of the UAPI socket, news of the link */
	SCMP_SYS(accept4),
	SCMP_SYS(recvfrom),
	SCMP_SYS(close),
	/* another UDP port */
	SCMP_SYS(bind),
	SCMP_SYS(getsockname),
	/* ephemeral keys, cookies */
	SCMP_SYS(getrandom),
	/* memory for requests and peers */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* the end */
	SCMP_SYS(exit_group),
};

#define EQUALS(argument, value)                                                                    \
	{                                                                                          \
		.arg = (argument), .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)(value)             \
	}
#define EQUALS_BUT_FOR(argument, flags, value)                                                     \
	{                                                                                          \
		.arg = (argument), .op = SCMP_CMP_MASKED_EQ, .datum_a = ~(scmp_datum_t)(flags),    \
		.datum_b = (scmp_datum_t)(value)                                                   \
	}
#define WITHOUT(argument, flags)                                                                   \
	{                                                                                          \
		.arg = (argument), .op = SCMP_CMP_MASKED_EQ, .datum_a = (scmp_datum_t)(flags)      \
	}

#define SOCKET_OPTION(level, option)                                                               \
	{                                                                                          \
		SCMP_SYS(setsockopt), 2,                                                           \
		{                                                                                  \
			EQUALS(1, level), EQUALS(2, option)                                        \
		}                                                                                  \
	}
#define UDP_SOCKET(family)                                                                         \
	{                                                                                          \
		SCMP_SYS(socket), 3,                                                               \
		{                                                                                  \
			EQUALS(0, family),                                                         \
				EQUALS_BUT_FOR(1, SOCK_CLOEXEC | SOCK_NONBLOCK, SOCK_DGRAM),       \
				EQUALS(2, 0)                                                       \
		}                                                                                  \
	}

/* Allowed with these arguments. */
static const struct {
	int call;
	unsigned int count;
	struct scmp_arg_cmp arguments[3];
} calls_with_arguments[] = {
	/* another UDP port: new sockets as udp.c makes them */
	UDP_SOCKET(AF_INET),
	UDP_SOCKET(AF_INET6),
	SOCKET_OPTION(SOL_SOCKET, SO_RCVBUF),
	SOCKET_OPTION(SOL_SOCKET, SO_SNDBUF),
	SOCKET_OPTION(SOL_SOCKET, SO_RCVBUFFORCE),
	SOCKET_OPTION(SOL_SOCKET, SO_SNDBUFFORCE),
	SOCKET_OPTION(SOL_SOCKET, SO_MARK),
	SOCKET_OPTION(SOL_UDP, UDP_GRO),
	SOCKET_OPTION(IPPROTO_IP, IP_PKTINFO),
	SOCKET_OPTION(IPPROTO_IP, IP_MTU_DISCOVER),
	SOCKET_OPTION(IPPROTO_IPV6, IPV6_V6ONLY),
	SOCKET_OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO),
	/* if_nametoindex(), for the scope of a link-local endpoint */
	{SCMP_SYS(ioctl), 1, {EQUALS(1, SIOCGIFINDEX)}},
	/* an answer to a client, a question to rtnetlink: only where the socket leads to */
	{SCMP_SYS(sendto), 1, {EQUALS(4, 0)}},
	/* memory that is never executed */
	{SCMP_SYS(mmap), 1, {WITHOUT(2, PROT_EXEC)}},
	/* pthread_once() within libcrypto wakes those who wait, of whom there are none */
	{SCMP_SYS(futex), 1, {EQUALS(1, FUTEX_WAKE_PRIVATE)}},
};

static int add_rules(scmp_filter_ctx filter)
{
	/* if_nametoindex() tries this first, and then what it may have. */
	const struct scmp_arg_cmp unix_socket = EQUALS(0, AF_UNIX);
	int code = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
					  &unix_socket);

	for (size_t i = 0; i < ARRAY_SIZE(plain_calls) && code == 0; i++)
		code = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, plain_calls[i], 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(calls_with_arguments) && code == 0; i++)
		code = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls_with_arguments[i].call,
					      calls_with_arguments[i].count,
					      calls_with_arguments[i].arguments);
	return code;
}

static void filter_release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int filter_system_calls(struct error *error)
{
	CLEANUP(filter_release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int code = filter ? 0 : -ENOMEM;

	if (code == 0)
		code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A call a packet: a tree finds each in few steps. */
	if (code == 0)
		code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (code == 0)
		code = add_rules(filter);
	if (code == 0)
		code = seccomp_load(filter);
	if (code < 0)
		return error_code(error, code, "cannot filter system calls");
	return 0;
}

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

int cage_leave_files(struct error *error)
{
	static const struct rlimit log_size = {LOG_SIZE, LOG_SIZE};

	if (setrlimit(RLIMIT_FSIZE, &log_size) < 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return error_errno(error, "cannot bound the size of the log");
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

int cage_close(bool keep_network_rights, struct error *error)
{
	int code = protect_memory(error);

	if (code == 0)
		code = keep_network_rights ? keep_rights(error) : process_drop_capabilities(error);
	if (code == 0)
		code = filter_system_calls(error);
	return code;
}
