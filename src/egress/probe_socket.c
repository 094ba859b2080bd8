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

/* Which barriers give that errno, to a socket that steering has bound or not and for which there is
 * another route or none. */
static unsigned int refused_by(int code, unsigned int barriers)
{
	switch (-code) {
	case EPERM:
		return barriers & PROBE_BY_STEERING;
	case ENETUNREACH:
		return barriers;
	case EACCES: /* a route that prohibits */
	case EHOSTUNREACH:
	case EADDRNOTAVAIL: /* the tunnel has no address of the family */
		return barriers & PROBE_BY_NAMESPACE;
	default:
		return 0;
	}
}

/* The kernel has not got the protocol, as exec forbids none of these. */
static void tell_no_socket(const struct probe *probe, const char *way, int code)
{
	unsigned int barriers = 0;

	switch (-code) {
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case EAFNOSUPPORT:
	case ENOPROTOOPT: /* MPTCP, turned off */
		probe_tell(probe, way, PROBE_ABSENT, 0, "%s", strerror(-code));
		return;
	case EACCES: /* net.ipv4.ping_group_range, of the namespace */
		barriers = PROBE_BY_NAMESPACE;
		break;
	case EPERM:
	case ENETUNREACH:
		barriers = PROBE_BY_STEERING;
		break;
	}
	probe_tell_code(probe, way, code, barriers);
}

static void tell_away(const struct probe *probe, const char *way, unsigned int device,
		      unsigned int barriers)
{
	char name[IF_NAMESIZE], seen[64] = "not bound to an interface";

	if (device)
		snprintf(seen, sizeof(seen), "bound to %s",
			 if_indextoname(device, name) ? name : "an interface that is gone");
	if (device && device != probe->tunnel && barriers & PROBE_BY_STEERING)
		probe_tell(probe, way, PROBE_STOPPED, PROBE_BY_STEERING, "%s", seen);
	else
		probe_tell(probe, way, barriers ? PROBE_TUNNEL : PROBE_OPEN, barriers, "%s", seen);
}

static void try_fresh(const struct probe *probe, const struct kind *kind)
{
	CLEANUP(fd_close)
	int fd = socket(kind->family, kind->type | SOCK_NONBLOCK | SOCK_CLOEXEC, kind->protocol);
	union socket_address address = address_of(kind->family, kind->destination);
	unsigned int barriers = 0, device;

	if (fd < 0) {
		tell_no_socket(probe, kind->way, -errno);
		return;
	}
	if (!route_is_other(probe, kind))
		barriers |= PROBE_BY_NAMESPACE;
	device = probe_bound_to(fd);
	if (device && !probe_is_other(probe, device))
		barriers |= PROBE_BY_STEERING;
	if (connect(fd, &address.any, socket_address_size(&address)) < 0 && errno != EINPROGRESS)
		probe_tell_code(probe, kind->way, -errno, refused_by(-errno, barriers));
	else
		tell_away(probe, kind->way, device, barriers);
}

static void try_unbind(const struct probe *probe)
{
	static const char way[] = "unbinding a socket";
	CLEANUP(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!probe_bound_to(fd))
		probe_tell(probe, way, PROBE_NOTE, 0, "sockets are not bound");
	else if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0) < 0)
		probe_tell_code(probe, way, -errno, errno == EPERM ? PROBE_BY_STEERING : 0);
	else
		probe_tell_code(probe, way, 0, 0);
}

void probe_sockets(const struct probe *probe)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		try_fresh(probe, &kinds[i]);
	try_unbind(probe);
}
