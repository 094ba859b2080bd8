/* What neither the network namespace nor a program on the control group can hold a command to.
 *
 * The filter lets through whatever it does not name: it closes ways around the others, and is no
 * sandbox. It refuses as a kernel does that was built without the thing, so that a program tries
 * what it would try there; and since it comes last, everything before it is free.
 *
 *	socket families     but for those below. No network namespace holds AF_VSOCK, which reaches
 *	                    the hypervisor, nor AF_QIPCRTR, which reaches the modem; and the programs on
 *	                    a control group see AF_INET and AF_INET6 alone. So nothing would bind
 *	                    AF_BLUETOOTH, AF_RXRPC, AF_TIPC or AF_SMC, or a family of later kernels, to
 *	                    the tunnel
 *	IPPROTO_SMC         AF_SMC under another name, since Linux 6.11
 *	io_uring            makes and connects sockets without a system call of that name
 *	clone3()            can start a process in any control group whose folder can be opened
 *	                    (CLONE_INTO_CGROUP): root needs no capability for that, and a read-only
 *	                    mount does not stop it. Where its flags are, no filter can see. The C
 *	                    library takes clone() instead
 *	request_key()       has the kernel start /sbin/request-key, as root outside, and that one may
 *	                    ask the machine's resolver for a name (the key type dns_resolver)
 *	setns()             enters the namespaces of others. Who owns a user namespace, as its account
 *	                    does that of a container outside, has every capability in it
 *	TIOCSTI, TIOCLINUX  type into the terminal, for the caller's shell to read
 *	other ABIs          such as i386 and x32 on x86-64, whose calls have other numbers. Their
 *	                    programs cannot run: the first call ends them with SIGSYS. Were every call
 *	                    refused instead, they could neither say so nor even exit
 *
 * The kernel looks at the lower half of an int that is passed in a 64-bit register, and so must the
 * filter: with the whole of it compared, a bit in the upper half is a way around.
 *
 * Limit: a socket that was made outside, and comes by a UNIX socket from a process there, is not
 * made in here. */
#include <errno.h>
#include <linux/tiocl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "kernel/syscall_filter_rules.h"

#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256
#endif

static const unsigned int families[] = {
	AF_UNIX,    /* no network; its names are the file system's, or the namespace's own */
	AF_INET,    /* held by the namespace, and by programs on the control group */
	AF_INET6,   /* likewise */
	AF_NETLINK, /* asks and sets up the namespace; carries nothing away */
	AF_PACKET,  /* takes CAP_NET_RAW: in a namespace of the command's own making alone */
	AF_ALG,	    /* the kernel's cryptography */
};

static const int socket_calls[] = {SCMP_SYS(socket), SCMP_SYS(socketpair)};

static const int absent_calls[] = {
	SCMP_SYS(io_uring_setup),    SCMP_SYS(io_uring_enter), /* a ring that was given */
	SCMP_SYS(io_uring_register), SCMP_SYS(clone3),	       SCMP_SYS(request_key),
};

static const uint32_t terminal_requests[] = {TIOCSTI, TIOCLINUX};

static bool has_allowed(uint32_t first, unsigned int bits_free)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if ((uint64_t)families[i] >> bits_free == (uint64_t)first >> bits_free)
			return true;
	return false;
}

/* Of the argument of that number, the bits in the mask are those of the value. */
static struct scmp_arg_cmp bits(unsigned int argument, uint32_t mask, uint32_t value)
{
	return (struct scmp_arg_cmp){
		.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

static int refuse(scmp_filter_ctx filter, int reason, int call, struct scmp_arg_cmp argument)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((unsigned int)reason), call, 1,
				      &argument);
}

/* libseccomp takes one comparison an argument, so "none of these" is said of blocks of the others:
 * those whose upper bits are the same. The whole is halved, down to blocks with none that is allowed.
 * bits_free: how many lower bits a block leaves open. */
static int refuse_families(scmp_filter_ctx filter, int call, uint32_t first, unsigned int bits_free)
{
	int code;

	if (!has_allowed(first, bits_free))
		return refuse(filter, EAFNOSUPPORT, call,
			      bits(0, (uint32_t)(UINT64_MAX << bits_free), first));
	if (bits_free == 0)
		return 0;
	code = refuse_families(filter, call, first, bits_free - 1);
	if (code < 0)
		return code;
	return refuse_families(filter, call, first + (1U << (bits_free - 1)), bits_free - 1);
}

static int refuse_smc(scmp_filter_ctx filter, int call, uint32_t family)
{
	const struct scmp_arg_cmp arguments[] = {bits(0, UINT32_MAX, family),
						 bits(2, UINT32_MAX, IPPROTO_SMC)};

	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), call,
				      ARRAY_SIZE(arguments), arguments);
}

static int add_rules(scmp_filter_ctx filter)
{
	int code = 0;

	for (size_t i = 0; i < ARRAY_SIZE(socket_calls) && code == 0; i++)
		code = refuse_families(filter, socket_calls[i], 0, 32);
	for (size_t i = 0; i < ARRAY_SIZE(socket_calls) && code == 0; i++)
		code = refuse_smc(filter, socket_calls[i], AF_INET);
	for (size_t i = 0; i < ARRAY_SIZE(socket_calls) && code == 0; i++)
		code = refuse_smc(filter, socket_calls[i], AF_INET6);
	for (size_t i = 0; i < ARRAY_SIZE(absent_calls) && code == 0; i++)
		code = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), absent_calls[i], 0,
					      NULL);
	if (code == 0)
		code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setns), 0);
	for (size_t i = 0; i < ARRAY_SIZE(terminal_requests) && code == 0; i++)
		code = refuse(filter, EPERM, SCMP_SYS(ioctl),
			      bits(1, UINT32_MAX, terminal_requests[i]));
	return code;
}

const struct syscall_filter_rules syscall_filter_rules = {.otherwise = SCMP_ACT_ALLOW,
							  .add = add_rules};
