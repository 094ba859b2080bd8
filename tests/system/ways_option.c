/* What an attacker sets on a socket before it sends. */
#include "ways.h"

#include <arpa/inet.h>
#include <linux/ipv6.h>
#include <linux/seg6.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define MARK	     77 /* of which the suite has a rule */
#define SEGMENT_SIZE 16

static int set(int fd, int level, int name, const void *value, socklen_t size)
{
	return answer(setsockopt(fd, level, name, value, size));
}

static int set_int(int fd, int level, int name, int value)
{
	return set(fd, level, name, &value, sizeof(value));
}

static bool is_v6(const struct target *target)
{
	return target->address.any.sa_family == AF_INET6;
}

int bind_device(int fd, const struct setting *setting, const struct target *target)
{
	return set(fd, SOL_SOCKET, SO_BINDTODEVICE, setting->lan, (socklen_t)strlen(setting->lan));
}

int bind_index(int fd, const struct setting *setting, const struct target *target)
{
	return set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)setting->lan_index);
}

int unbind(int fd, const struct setting *setting, const struct target *target)
{
	return set(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0);
}

static int bind_address(int fd, const struct setting *setting, const struct target *target,
			const char *key4, const char *key6)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = setting_in4(setting, key4)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = setting_in6(setting, key6)};

	return answer(is_v6(target) ? bind(fd, (struct sockaddr *)&v6, sizeof(v6))
				    : bind(fd, (struct sockaddr *)&v4, sizeof(v4)));
}

/* To the address that the namespace has on the LAN. */
int bind_own(int fd, const struct setting *setting, const struct target *target)
{
	return bind_address(fd, setting, target, "own4", "own6");
}

/* To an address that is nobody's, which IP_FREEBIND allows to all. */
int bind_foreign(int fd, const struct setting *setting, const struct target *target)
{
	int code = is_v6(target) ? set_int(fd, SOL_IPV6, IPV6_FREEBIND, 1)
				 : set_int(fd, SOL_IP, IP_FREEBIND, 1);

	return code < 0 ? code : bind_address(fd, setting, target, "free4", "free6");
}

int bind_any(int fd, const struct setting *setting, const struct target *target)
{
	return bind_address(fd, setting, target, "", "");
}

int set_transparent(int fd, const struct setting *setting, const struct target *target)
{
	return is_v6(target) ? set_int(fd, SOL_IPV6, IPV6_TRANSPARENT, 1)
			     : set_int(fd, SOL_IP, IP_TRANSPARENT, 1);
}

int set_unicast_if(int fd, const struct setting *setting, const struct target *target)
{
	int index = (int)htonl(setting->lan_index);

	return is_v6(target) ? set_int(fd, SOL_IPV6, IPV6_UNICAST_IF, index)
			     : set_int(fd, SOL_IP, IP_UNICAST_IF, index);
}

int set_multicast_if(int fd, const struct setting *setting, const struct target *target)
{
	struct ip_mreqn v4 = {.imr_ifindex = (int)setting->lan_index};

	return is_v6(target) ? set_int(fd, SOL_IPV6, IPV6_MULTICAST_IF, (int)setting->lan_index)
			     : set(fd, SOL_IP, IP_MULTICAST_IF, &v4, sizeof(v4));
}

/* The same by our address there, which names no device. */
int set_multicast_address(int fd, const struct setting *setting, const struct target *target)
{
	struct in_addr own = setting_in4(setting, "own4");

	return set(fd, SOL_IP, IP_MULTICAST_IF, &own, sizeof(own));
}

int set_dontroute(int fd, const struct setting *setting, const struct target *target)
{
	return set_int(fd, SOL_SOCKET, SO_DONTROUTE, 1);
}

int set_mark(int fd, const struct setting *setting, const struct target *target)
{
	return set_int(fd, SOL_SOCKET, SO_MARK, MARK);
}

int set_broadcast(int fd, const struct setting *setting, const struct target *target)
{
	return set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
}

int set_zerocopy(int fd, const struct setting *setting, const struct target *target)
{
	return set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
}

int set_segment(int fd, const struct setting *setting, const struct target *target)
{
	return set_int(fd, SOL_UDP, UDP_SEGMENT, SEGMENT_SIZE);
}

/* Off again: what has waited is sent. */
int set_cork(int fd, const struct setting *setting, const struct target *target)
{
	int code = set_int(fd, SOL_UDP, UDP_CORK, 1);

	if (code == 0)
		code = send_to(fd, setting, target);
	return code < 0 ? code : set_int(fd, SOL_UDP, UDP_CORK, 0);
}

int set_fastopen_connect(int fd, const struct setting *setting, const struct target *target)
{
	return set_int(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1);
}

/* The connection then looks for RDMA beside TCP. */
int set_smc(int fd, const struct setting *setting, const struct target *target)
{
	return set(fd, SOL_TCP, TCP_ULP, "smc", strlen("smc"));
}

static int set_source_route(int fd, const struct setting *setting, uint8_t type)
{
	struct in_addr hop = setting_in4(setting, "lan4");
	uint8_t option[8] = {IPOPT_NOOP, type, 7, IPOPT_MINOFF};

	memcpy(option + 4, &hop, sizeof(hop));
	return set(fd, SOL_IP, IP_OPTIONS, option, sizeof(option));
}

/* By the host on the LAN, which is then the packet's destination. */
int set_loose_route(int fd, const struct setting *setting, const struct target *target)
{
	return set_source_route(fd, setting, IPOPT_LSRR);
}

int set_strict_route(int fd, const struct setting *setting, const struct target *target)
{
	return set_source_route(fd, setting, IPOPT_SSRR);
}

/* Type 2, of mobile IPv6; type 0 went with RFC 5095. */
int set_routing_header(int fd, const struct setting *setting, const struct target *target)
{
	struct {
		struct ipv6_rt_hdr head;
		uint32_t reserved;
		struct in6_addr hop;
	} header = {.head = {.hdrlen = 2, .type = 2, .segments_left = 1},
		    .hop = setting_in6(setting, "lan6")};

	return set(fd, SOL_IPV6, IPV6_RTHDR, &header, sizeof(header));
}

/* Type 4 (RFC 8754): the last segment is the first hop, the first is filled in with the target. */
int set_segment_routing(int fd, const struct setting *setting, const struct target *target)
{
	uint8_t bytes[sizeof(struct ipv6_sr_hdr) + 2 * sizeof(struct in6_addr)] = {};
	struct ipv6_sr_hdr head = {.hdrlen = 4, .type = 4, .segments_left = 1, .first_segment = 1};
	struct in6_addr hop = setting_in6(setting, "lan6");

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(bytes) - sizeof(hop), &hop, sizeof(hop));
	return set(fd, SOL_IPV6, IPV6_RTHDR, bytes, sizeof(bytes));
}

int set_sticky_pktinfo(int fd, const struct setting *setting, const struct target *target)
{
	struct in6_pktinfo info = {.ipi6_ifindex = setting->lan_index};

	return set(fd, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

int join_group(int fd, const struct setting *setting, const struct target *target)
{
	struct group_req request = {.gr_interface = setting->lan_index};

	memcpy(&request.gr_group, &target->address, target->length);
	return set(fd, is_v6(target) ? SOL_IPV6 : SOL_IP, MCAST_JOIN_GROUP, &request,
		   sizeof(request));
}

static int join_source(int fd, const struct setting *setting, const struct target *target,
		       const void *bytes)
{
	struct group_source_req request = {.gsr_interface = setting->lan_index};
	struct target source = *target;

	if (is_v6(target))
		memcpy(&source.address.v6.sin6_addr, bytes, sizeof(struct in6_addr));
	else
		memcpy(&source.address.v4.sin_addr, bytes, sizeof(struct in_addr));
	memcpy(&request.gsr_group, &target->address, target->length);
	memcpy(&request.gsr_source, &source.address, source.length);
	return set(fd, is_v6(target) ? SOL_IPV6 : SOL_IP, MCAST_JOIN_SOURCE_GROUP, &request,
		   sizeof(request));
}

/* The sources that a group is wanted from are reported with it: here they are the payload. */
int join_sources(int fd, const struct setting *setting, const struct target *target)
{
	size_t size = is_v6(target) ? sizeof(struct in6_addr) : sizeof(struct in_addr);
	int code = 0;

	for (size_t at = 0; at < setting->size && code == 0; at += size)
		code = join_source(fd, setting, target, setting->payload + at);
	return code;
}

/* A connection is given its time. */
int connect_target(int fd, const struct setting *setting, const struct target *target)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	int code = answer(connect(fd, &target->address.any, target->length)), reason;
	socklen_t size = sizeof(reason);

	if (code != -EINPROGRESS)
		return code;
	if (poll(&ready, 1, WAYS_PATIENCE) == 0)
		return -ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) < 0 ? -errno : -reason;
}

/* To ourselves, where no device is asked. */
int connect_loopback(int fd, const struct setting *setting, const struct target *target)
{
	struct target loopback = *target;

	if (is_v6(target))
		loopback.address.v6.sin6_addr = in6addr_loopback;
	else
		loopback.address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect_target(fd, setting, &loopback);
}

/* A datagram socket has then forgotten what it was bound to. */
int disconnect(int fd, const struct setting *setting, const struct target *target)
{
	static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	return answer(connect(fd, &nobody, sizeof(nobody)));
}

int become_v4(int fd, const struct setting *setting, const struct target *target)
{
	return set_int(fd, SOL_IPV6, IPV6_ADDRFORM, AF_INET);
}
