/* Sockets that come about otherwise than by a plain socket(2). */
#include "ways.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

#define I386_SOCKET 359
#define X32_BIT	    0x40000000
#define FAMILIES    64 /* more than any kernel has */
#define GIFTS	    4

/* The system call of a 32-bit program, which a filter for one architecture may not see. */
int open_int80(const struct setting *setting, int family, int type, int protocol)
{
#ifdef __x86_64__
	long code = I386_SOCKET;

	__asm__ volatile("int $0x80"
			 : "+a"(code)
			 : "b"((long)family), "c"((long)type), "d"((long)protocol)
			 : "memory", "r8", "r9", "r10", "r11");
	if (code >= 0)
		return (int)code;
	errno = (int)-code;
#else
	errno = ENOSYS;
#endif
	return -1;
}

/* The same kernel's third kind of call. */
int open_x32(const struct setting *setting, int family, int type, int protocol)
{
#ifdef __x86_64__
	return (int)syscall(SYS_socket | X32_BIT, family, type, protocol);
#else
	errno = ENOSYS;
	return -1;
#endif
}

/* Passes a descriptor on, or takes one when *fd is negative. */
static int pass(int over, int *fd)
{
	char byte = 0;
	struct iovec vector = {&byte, 1};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(*fd))];
	} control = {.align = {CMSG_LEN(sizeof(*fd)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	if (*fd >= 0) {
		memcpy(CMSG_DATA(&control.align), fd, sizeof(*fd));
		return answer(sendmsg(over, &message, 0));
	}
	if (recvmsg(over, &message, MSG_CMSG_CLOEXEC) < 1)
		return -errno;
	if (message.msg_controllen < sizeof(control.align))
		return -ENOMSG;
	memcpy(fd, CMSG_DATA(&control.align), sizeof(*fd));
	return 0;
}

/* Made by a child that has gone to a network namespace of its own. */
int open_nested(const struct setting *setting, int family, int type, int protocol)
{
	int ends[2], fd = -1;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		if (nest() < 0)
			_exit(1);
		fd = socket(family, type, protocol);
		_exit(fd < 0 || pass(ends[1], &fd) < 0);
	}
	close(ends[1]);
	errno = -pass(ends[0], &fd);
	close(ends[0]);
	waitpid(child, NULL, 0);
	return fd;
}

static int unix_socket(const struct setting *setting, bool listening)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = setting_value(setting, "path");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errno = ENAMETOOLONG;
	else if (stpcpy(address.sun_path, path) &&
		 (listening ? bind(fd, (struct sockaddr *)&address, sizeof(address))
			    : connect(fd, (struct sockaddr *)&address, sizeof(address))) == 0 &&
		 (!listening || listen(fd, 8) == 0))
		return fd;
	fd_close(&fd);
	return -1;
}

/* Hands sockets to whoever asks at the Unix socket of path=, for as many as there are targets. */
void run_give(const struct setting *setting)
{
	CLEANUP(fd_close) int listener = unix_socket(setting, true);

	chmod(setting_value(setting, "path"), 0777);
	say(setting, NULL, "give", answer(listener));
	for (int i = 0; i < GIFTS && listener >= 0; i++) {
		CLEANUP(fd_close) int over = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		CLEANUP(fd_close) int fd = -1;
		int kind[3];

		if (recv(over, kind, sizeof(kind), MSG_WAITALL) == (ssize_t)sizeof(kind))
			fd = socket(kind[0], kind[1], kind[2]);
		if (fd >= 0)
			pass(over, &fd);
	}
}

/* One that run_give() has made, wherever it runs. */
int open_taken(const struct setting *setting, int family, int type, int protocol)
{
	CLEANUP(fd_close) int over = unix_socket(setting, false);
	int kind[] = {family, type, protocol}, fd = -1;

	if (send(over, kind, sizeof(kind), MSG_NOSIGNAL) == (ssize_t)sizeof(kind))
		errno = -pass(over, &fd);
	return fd;
}

static bool is_ordinary(int family)
{
	static const int ordinary[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG};

	for (size_t i = 0; i < ARRAY_SIZE(ordinary); i++) {
		if (ordinary[i] == family)
			return true;
	}
	return false;
}

/* Names what can be opened of families that no barrier knows, or that are refused otherwise than for
 * being such a family. Nothing is sent. */
void run_families(const struct setting *setting)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_RDM};
	char text[64];

	for (int family = 0; family < FAMILIES; family++) {
		for (size_t i = 0; i < ARRAY_SIZE(types) && !is_ordinary(family); i++) {
			CLEANUP(fd_close) int fd = socket(family, types[i] | SOCK_CLOEXEC, 0);

			if (fd < 0 && errno == EAFNOSUPPORT)
				continue;
			snprintf(text, sizeof(text), "family %d type %d", family, types[i]);
			say(setting, NULL, text, answer(fd));
		}
	}
}

/* Whatever kind of socket IP has beside TCP and UDP, and what it can be made to send. */
void run_protocols(const struct setting *setting)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_DCCP, SOCK_RDM};
	static const int protocols[] = {IPPROTO_IP,   IPPROTO_ICMP, IPPROTO_TCP,     IPPROTO_UDP,
					IPPROTO_DCCP, IPPROTO_ESP,  115 /* L2TP */,  IPPROTO_ICMPV6,
					IPPROTO_SCTP, IPPROTO_RAW,  IPPROTO_UDPLITE, 256 /* SMC */,
					262 /* MPTCP */};
	struct target targets[TARGETS_MAX];
	size_t count = setting_targets(setting, TARGETS_ALL, targets);
	char text[64];

	for (size_t i = 0; i < count * ARRAY_SIZE(types) * ARRAY_SIZE(protocols); i++) {
		const struct target *target = &targets[i % count];
		int type = types[i / count % ARRAY_SIZE(types)];
		int protocol = protocols[i / count / ARRAY_SIZE(types)];
		CLEANUP(fd_close)
		int fd = socket(target->address.any.sa_family, type | SOCK_NONBLOCK, protocol);

		if (fd < 0)
			continue;
		snprintf(text, sizeof(text), "type %d protocol %d", type, protocol);
		say(setting, target, text, send_to(fd, setting, target));
		connect(fd, &target->address.any, target->length);
		send_plain(fd, setting, target);
	}
}
