/* The ways a socket can be made to send. */
#include "ways.h"

#include <fcntl.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/ip.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/memory.h"

/* A message with one piece of ancillary data, if its size is not zero. */
static int send_with(int fd, const struct setting *setting, const struct target *target, int level,
		     int type, const void *data, size_t size)
{
	struct iovec vector = {(void *)setting->payload, setting->size};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(64)];
	} control = {};
	struct msghdr message = {
		.msg_name = (void *)&target->address,
		.msg_namelen = target->length,
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};

	if (size > 0) {
		control.align = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type};
		memcpy(CMSG_DATA(&control.align), data, size);
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(size);
	}
	return answer(sendmsg(fd, &message, MSG_NOSIGNAL));
}

static int send_flags(int fd, const struct setting *setting, const struct target *target, int flags)
{
	return answer(sendto(fd, setting->payload, setting->size, flags | MSG_NOSIGNAL,
			     &target->address.any, target->length));
}

/* Sends nothing, and leaves the kernel time to. */
int stay(int fd, const struct setting *setting, const struct target *target)
{
	return answer(poll(NULL, 0, WAYS_PATIENCE));
}

/* To whom it is connected. */
int send_plain(int fd, const struct setting *setting, const struct target *target)
{
	return answer(send(fd, setting->payload, setting->size, MSG_NOSIGNAL));
}

int send_to(int fd, const struct setting *setting, const struct target *target)
{
	return send_flags(fd, setting, target, 0);
}

int send_msg(int fd, const struct setting *setting, const struct target *target)
{
	return send_with(fd, setting, target, 0, 0, NULL, 0);
}

int send_mmsg(int fd, const struct setting *setting, const struct target *target)
{
	struct iovec vector = {(void *)setting->payload, setting->size};
	struct mmsghdr messages[2] = {};

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = (void *)&target->address,
			.msg_namelen = target->length,
			.msg_iov = &vector,
			.msg_iovlen = 1,
		};
	return answer(sendmmsg(fd, messages, ARRAY_SIZE(messages), MSG_NOSIGNAL));
}

int send_dontroute(int fd, const struct setting *setting, const struct target *target)
{
	return send_flags(fd, setting, target, MSG_DONTROUTE);
}

/* Left to wait for more: the route is chosen already. */
int send_more(int fd, const struct setting *setting, const struct target *target)
{
	return send_flags(fd, setting, target, MSG_MORE);
}

/* Data in the SYN. Where it is connected already, as in later rounds, plainly. */
int send_fastopen(int fd, const struct setting *setting, const struct target *target)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	int code = send_flags(fd, setting, target, MSG_FASTOPEN);

	if (code == -EINPROGRESS)
		poll(&ready, 1, WAYS_PATIENCE);
	return code == -EISCONN ? send_plain(fd, setting, target) : code;
}

/* An address without a family is one of IPv4 for such a socket. */
int send_unspec(int fd, const struct setting *setting, const struct target *target)
{
	struct target unspec = *target;

	unspec.address.any.sa_family = AF_UNSPEC;
	return send_to(fd, setting, &unspec);
}

/* A socket of IPv6 with an address of IPv4, not even mapped. */
int send_as_v4(int fd, const struct setting *setting, const struct target *target)
{
	struct target v4 = {.length = sizeof(v4.address.v4)};

	v4.address.v4 = (struct sockaddr_in){.sin_family = AF_INET,
					     .sin_port = target->address.v6.sin6_port};
	memcpy(&v4.address.v4.sin_addr, target->address.v6.sin6_addr.s6_addr + 12,
	       sizeof(v4.address.v4.sin_addr));
	return send_to(fd, setting, &v4);
}

static bool is_mapped(const struct target *target)
{
	return target->address.any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_V4MAPPED(&target->address.v6.sin6_addr);
}

/* To a mapped address one sends from a mapped one; the unspecified one is then mapped too. */
static int send_from(int fd, const struct setting *setting, const struct target *target,
		     unsigned int index, const char *key4, const char *key6)
{
	struct in_pktinfo v4 = {.ipi_ifindex = (int)index,
				.ipi_spec_dst = setting_in4(setting, key4)};
	struct in6_pktinfo v6 = {.ipi6_ifindex = index, .ipi6_addr = setting_in6(setting, key6)};

	if (target->address.any.sa_family == AF_INET)
		return send_with(fd, setting, target, SOL_IP, IP_PKTINFO, &v4, sizeof(v4));
	if (is_mapped(target)) {
		v6.ipi6_addr = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
		memcpy(v6.ipi6_addr.s6_addr + 12, &v4.ipi_spec_dst, sizeof(v4.ipi_spec_dst));
	}
	return send_with(fd, setting, target, SOL_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
}

int send_pktinfo(int fd, const struct setting *setting, const struct target *target)
{
	return send_from(fd, setting, target, setting->lan_index, "", "");
}

int send_pktinfo_own(int fd, const struct setting *setting, const struct target *target)
{
	return send_from(fd, setting, target, setting->lan_index, "own4", "own6");
}

int send_own_only(int fd, const struct setting *setting, const struct target *target)
{
	return send_from(fd, setting, target, 0, "own4", "own6");
}

/* A loose source route for this one datagram. */
int send_retopts(int fd, const struct setting *setting, const struct target *target)
{
	struct in_addr hop = setting_in4(setting, "lan4");
	uint8_t option[8] = {IPOPT_NOOP, IPOPT_LSRR, 7, IPOPT_MINOFF};

	memcpy(option + 4, &hop, sizeof(hop));
	return send_with(fd, setting, target, SOL_IP, IP_RETOPTS, option, sizeof(option));
}

/* An echo request: the kernel numbers it. */
int send_ping(int fd, const struct setting *setting, const struct target *target)
{
	bool v6 = target->address.any.sa_family == AF_INET6;
	struct setting ping = *setting;
	struct icmphdr head = {.type = v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO};
	struct target silent = *target;

	memcpy(ping.payload, &head, sizeof(head));
	memcpy(ping.payload + sizeof(head), setting->payload, sizeof(ping.payload) - sizeof(head));
	ping.size = setting->size + sizeof(head);
	/* Neither a port nor an address is what this kind of socket wants from a connected one. */
	silent.address.v4.sin_port = 0;
	return send_to(fd, &ping, &silent);
}

int send_zerocopy(int fd, const struct setting *setting, const struct target *target)
{
	return send_flags(fd, setting, target, MSG_ZEROCOPY);
}

int send_splice(int fd, const struct setting *setting, const struct target *target)
{
	CLEANUP(fd_close) int to = -1;
	CLEANUP(fd_close) int from = -1;
	int ends[2];

	if (pipe(ends) < 0)
		return -errno;
	from = ends[0];
	to = ends[1];
	if (write(to, setting->payload, setting->size) < 0)
		return -errno;
	return answer(splice(from, NULL, fd, NULL, setting->size, 0));
}

int send_file(int fd, const struct setting *setting, const struct target *target)
{
	CLEANUP(fd_close) int file = memfd_create("payload", MFD_CLOEXEC);
	off_t start = 0;

	if (file < 0 || write(file, setting->payload, setting->size) < 0)
		return -errno;
	return answer(sendfile(fd, file, &start, setting->size));
}

/* More than fits into one packet: fragments. */
int send_large(int fd, const struct setting *setting, const struct target *target)
{
	char bytes[8192] = {};

	memcpy(bytes, setting->payload, setting->size);
	return answer(sendto(fd, bytes, sizeof(bytes), MSG_NOSIGNAL, &target->address.any,
			     target->length));
}
