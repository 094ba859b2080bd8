/* Ways out by an interface of the sender's choice, of those by which nothing may leave. With one at
 * hand the namespace alone holds little: Linux looks on its link for any IPv4 address. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "egress/probe_ways.h"

#define DISCARD 9 /* the port that nobody listens on (RFC 863) */

/* Addresses that are nobody's: of documentation (RFC 5737, RFC 3849, RFC 6676). */
static union socket_address nobody(int family, bool group)
{
	union socket_address address = {.any.sa_family = (sa_family_t)family};

	if (family == AF_INET) {
		address.v4.sin_port = htons(DISCARD);
		inet_pton(AF_INET, group ? "233.252.0.1" : "192.0.2.1", &address.v4.sin_addr);
	} else {
		address.v6.sin6_port = htons(DISCARD);
		inet_pton(AF_INET6, group ? "ff0e::db8:0:1" : "2001:db8::1", &address.v6.sin6_addr);
	}
	return address;
}

static int make_socket(int family)
{
	return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int send_to(int fd, const union socket_address *address)
{
	return sendto(fd, "", 1, MSG_DONTWAIT, &address->any, socket_address_size(address)) < 0
		       ? -errno
		       : 0;
}

static int bind_to(int fd, const char *name)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
}

static int send_bound(int family, const struct if_nameindex *other)
{
	CLEANUP(fd_close) int fd = make_socket(family);
	const union socket_address address = nobody(family, false);

	if (fd < 0 || bind_to(fd, other->if_name) < 0)
		return -errno;
	return send_to(fd, &address);
}

/* To disconnect a socket unbinds it, too, whether or not it was connected. */
static int send_disconnected(int family, const struct if_nameindex *other)
{
	const union socket_address address = nobody(family, false);
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	CLEANUP(fd_close) int fd = make_socket(family);

	if (fd < 0)
		return -errno;
	(void)connect(fd, &address.any, socket_address_size(&address));
	if (connect(fd, &none, sizeof(none)) < 0 || bind_to(fd, other->if_name) < 0)
		return -errno;
	return send_to(fd, &address);
}

/* The interface is named with the packet. */
static int send_by(int family, const struct if_nameindex *other)
{
	CLEANUP(fd_close) int fd = make_socket(family);
	union socket_address address = nobody(family, false);
	const struct in_pktinfo v4 = {.ipi_ifindex = (int)other->if_index};
	const struct in6_pktinfo v6 = {.ipi6_ifindex = other->if_index};
	const size_t size = family == AF_INET ? sizeof(v4) : sizeof(v6);
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = {.header = {.cmsg_level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
				.cmsg_type = family == AF_INET ? IP_PKTINFO : IPV6_PKTINFO,
				.cmsg_len = CMSG_LEN(size)}};
	char nothing = 0;
	struct iovec byte = {.iov_base = &nothing, .iov_len = 1};
	const struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = socket_address_size(&address),
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(size),
	};

	memcpy(CMSG_DATA(&control.header), family == AF_INET ? (const void *)&v4 : &v6, size);
	return fd < 0 || sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_to_group(int family, const struct if_nameindex *other)
{
	CLEANUP(fd_close) int fd = make_socket(family);
	const union socket_address address = nobody(family, true);
	const struct ip_mreqn v4 = {.imr_ifindex = (int)other->if_index};
	const int v6 = (int)other->if_index;

	if (fd < 0)
		return -errno;
	if (family == AF_INET
		    ? setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof(v4)) < 0
		    : setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &v6, sizeof(v6)) < 0)
		return -errno;
	return send_to(fd, &address);
}

/* The kernel itself tells the routers on the link who joins and leaves. */
static int join_group(int family, const struct if_nameindex *other)
{
	CLEANUP(fd_close) int fd = make_socket(family);
	const union socket_address group = nobody(family, true);
	const struct ip_mreqn v4 = {.imr_multiaddr = group.v4.sin_addr,
				    .imr_ifindex = (int)other->if_index};
	const struct ipv6_mreq v6 = {.ipv6mr_multiaddr = group.v6.sin6_addr,
				     .ipv6mr_interface = other->if_index};

	if (fd < 0)
		return -errno;
	if (family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof(v4)) < 0
			      : setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &v6, sizeof(v6)) < 0)
		return -errno;
	return 0;
}

/* The same by the call that is for both families. */
static int join_any_group(int family, const struct if_nameindex *other)
{
	CLEANUP(fd_close) int fd = make_socket(family);
	const union socket_address group = nobody(family, true);
	struct group_req request = {.gr_interface = other->if_index};

	memcpy(&request.gr_group, &group, socket_address_size(&group));
	if (fd < 0 || setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
				 MCAST_JOIN_GROUP, &request, sizeof(request)) < 0)
		return -errno;
	return 0;
}

static const struct {
	const char *way;
	int (*act)(int family, const struct if_nameindex *other); /* 0 or a negative errno */
} ways[] = {
	{"a socket bound to", send_bound},  {"a disconnected socket bound to", send_disconnected},
	{"a packet by", send_by},	    {"a packet to a group by", send_to_group},
	{"joining a group by", join_group}, {"MCAST_JOIN_GROUP by", join_any_group},
};

/* Where sockets are steered the programs come before the route: theirs is ENETUNREACH, and EPERM for
 * a packet that is dropped. Of a bound socket the kernel itself refuses another interface, by EPERM
 * or EINVAL. */
static unsigned int refused_by(const struct probe *probe, int code)
{
	switch (-code) {
	case EPERM:
	case EINVAL:
	case ENODEV:
		return probe->steered ? PROBE_BY_STEERING : 0;
	case ENETUNREACH:
		return probe->steered ? PROBE_BY_STEERING : PROBE_BY_NAMESPACE;
	case EHOSTUNREACH:
	case EADDRNOTAVAIL: /* no address to send from */
		return PROBE_BY_NAMESPACE;
	default:
		return 0;
	}
}

static void try_all(const struct probe *probe, const struct if_nameindex *other, int family)
{
	char way[64];
	int code;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		snprintf(way, sizeof(way), "%s %s%s", ways[i].way, other->if_name,
			 family == AF_INET ? "" : ", IPv6");
		code = ways[i].act(family, other);
		if (code == -EAFNOSUPPORT)
			probe_tell(probe, way, PROBE_ABSENT, 0, "%s", strerror(-code));
		else
			probe_tell_code(probe, way, code, refused_by(probe, code));
	}
}

void probe_interfaces(const struct probe *probe)
{
	bool any = false;

	for (const struct if_nameindex *other = probe->interfaces; other->if_index; other++) {
		if (!probe_is_other(probe, other->if_index))
			continue;
		any = true;
		try_all(probe, other, AF_INET);
		try_all(probe, other, AF_INET6);
	}
	if (!any)
		probe_tell(probe, "another interface", PROBE_STOPPED, PROBE_BY_NAMESPACE,
			   "there is none");
}
