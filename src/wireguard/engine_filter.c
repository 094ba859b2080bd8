/* The system calls that the engine makes, and what it may do with them: all others end it. Run by the
 * build, which keeps the program that comes of it. */
#include <errno.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "kernel/syscall_filter_rules.h"

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

/* A call a packet: a tree finds each in few steps. */
const struct syscall_filter_rules syscall_filter_rules = {
	.otherwise = SCMP_ACT_KILL_PROCESS, .tree = true, .add = add_rules};
