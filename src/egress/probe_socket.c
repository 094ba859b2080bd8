/* Ways out by a socket that any program may make. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "egress/probe_ways.h"
#include "kernel/route.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define DISCARD 9 /* the port that nobody listens on (RFC 863) */

/* Fresh sockets. To connect a socket of datagrams sends nothing, but asks for the way all the same;
 * one of a stream that cannot get away at once leaves one SYN, to an address that is nobody's. */
static const struct kind {
	const char *way;
	int family, type, protocol;
	const char *destination;
} kinds[] = {
	{"UDP", AF_INET, SOCK_DGRAM, 0, "192.0.2.1"},
	{"UDP over IPv6", AF_INET6, SOCK_DGRAM, 0, "2001:db8::1"},
	{"UDP, IPv4 in an IPv6 socket", AF_INET6, SOCK_DGRAM, 0, "::ffff:192.0.2.1"},
	{"UDP to a multicast group", AF_INET, SOCK_DGRAM, 0, "233.252.0.1"},
	{"UDP to a multicast group, IPv6", AF_INET6, SOCK_DGRAM, 0, "ff0e::db8:0:1"},
	{"UDP-Lite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, "192.0.2.1"},
	{"ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "192.0.2.1"},
	{"ping over IPv6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, "2001:db8::1"},
	{"TCP", AF_INET, SOCK_STREAM, 0, "192.0.2.1"},
	{"TCP over IPv6", AF_INET6, SOCK_STREAM, 0, "2001:db8::1"},
	{"MPTCP", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, "192.0.2.1"},
	{"SCTP", AF_INET, SOCK_STREAM, IPPROTO_SCTP, "192.0.2.1"},
};

static union socket_address address_of(int family, const char *text)
{
	union socket_address address = {.any.sa_family = (sa_family_t)family};

	if (family == AF_INET)
		inet_pton(AF_INET, text, &address.v4.sin_addr);
	else
		inet_pton(AF_INET6, text, &address.v6.sin6_addr);
	if (family == AF_INET)
		address.v4.sin_port = htons(DISCARD);
	else
		address.v6.sin6_port = htons(DISCARD);
	return address;
}

/* Would a socket that is not bound find a way out that is not the tunnel's? Not by the main table,
 * if the namespace is as it should be. */
static bool route_is_other(const struct probe *probe, const struct kind *kind)
{
	CLEANUP(netlink_close) struct netlink netlink = {};
	struct error error;
	struct ip destination;
	unsigned int index;
	const char *text = kind->destination;

	if (strncmp(text, "::ffff:", 7) == 0)
		text += 7;
	if (ip_parse(text, &destination, &error) < 0 ||
	    netlink_open(NETLINK_ROUTE, -1, &netlink, &error) < 0)
		return true;
	return route_find(&netlink, &destination, &index, &error) == 0 &&
	       probe_is_other(probe, index);
}

static bool is_bound(const struct probe *probe, int fd)
{
	int device = 0;
	socklen_t size = sizeof(device);

	return getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, &size) == 0 && device &&
	       !probe_is_other(probe, (unsigned int)device);
}

static void try_fresh(const struct probe *probe, const struct kind *kind)
{
	CLEANUP(fd_close)
	int fd = socket(kind->family, kind->type | SOCK_NONBLOCK | SOCK_CLOEXEC, kind->protocol);
	union socket_address address = address_of(kind->family, kind->destination);
	unsigned int barriers = route_is_other(probe, kind) ? 0 : PROBE_BY_NAMESPACE;
	bool bound;

	if (fd < 0) {
		probe_tell(probe, kind->way, PROBE_STOPPED, PROBE_BY_NAMESPACE, "no socket: %s",
			   strerror(errno));
		return;
	}
	bound = is_bound(probe, fd);
	if (bound)
		barriers |= PROBE_BY_STEERING;
	if (connect(fd, &address.any, socket_address_size(&address)) < 0 && errno != EINPROGRESS)
		probe_tell(probe, kind->way, PROBE_STOPPED, barriers, "%s", strerror(errno));
	else
		probe_tell(probe, kind->way, barriers ? PROBE_TUNNEL : PROBE_OPEN, barriers,
			   bound ? "bound to %s" : "not bound to %s",
			   *probe->device ? probe->device : "a tunnel");
}

static void try_unbind(const struct probe *probe)
{
	static const char way[] = "unbinding a socket";
	CLEANUP(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!is_bound(probe, fd))
		probe_tell(probe, way, PROBE_NOTE, 0, "sockets are not bound");
	else if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0) < 0)
		probe_tell(probe, way, PROBE_STOPPED, PROBE_BY_STEERING, "%s", strerror(errno));
	else
		probe_tell(probe, way, PROBE_OPEN, 0, "it can be done");
}

/* One byte to an address that is nobody's, by an interface of the sender's choice. */
static int send_by(unsigned int index)
{
	CLEANUP(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union socket_address address = address_of(AF_INET, "192.0.2.1");
	char nothing = 0;
	struct iovec byte = {.iov_base = &nothing, .iov_len = 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = {.header = {.cmsg_level = IPPROTO_IP,
				.cmsg_type = IP_PKTINFO,
				.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo))}};
	const struct in_pktinfo info = {.ipi_ifindex = (int)index};
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = sizeof(address.v4),
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
	return sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int bind_to(const char *name)
{
	CLEANUP(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union socket_address address = address_of(AF_INET, "192.0.2.1");

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ||
	    connect(fd, &address.any, sizeof(address.v4)) < 0)
		return -errno;
	return 0;
}

/* -EPERM is what the programs' refusals look like, and the kernel's to rebind a bound socket; any
 * other is a route that is not there. */
static void tell_other(const struct probe *probe, const char *how, const char *name, int code)
{
	char way[64];

	snprintf(way, sizeof(way), "%s %s", how, name);
	if (code == 0)
		probe_tell(probe, way, PROBE_OPEN, 0, "it can be done");
	else
		probe_tell(probe, way, PROBE_STOPPED,
			   code == -EPERM ? PROBE_BY_STEERING : PROBE_BY_NAMESPACE, "%s",
			   strerror(-code));
}

static void try_others(const struct probe *probe)
{
	bool any = false;

	for (const struct if_nameindex *other = probe->interfaces; other->if_index; other++) {
		if (!probe_is_other(probe, other->if_index))
			continue;
		any = true;
		tell_other(probe, "a socket bound to", other->if_name, bind_to(other->if_name));
		tell_other(probe, "a packet by", other->if_name, send_by(other->if_index));
	}
	if (!any)
		probe_tell(probe, "another interface", PROBE_STOPPED, PROBE_BY_NAMESPACE,
			   "there is none");
}

void probe_sockets(const struct probe *probe)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		try_fresh(probe, &kinds[i]);
	try_unbind(probe);
	try_others(probe);
}
