/* Headers of our own making, for raw sockets and packet sockets. Checksums are left out: what counts
 * is what arrives, not what is then made of it. */
#include "ways.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/memory.h"

struct packet {
	uint8_t bytes[256];
	size_t size;
};

static void put(struct packet *packet, const void *bytes, size_t size)
{
	memcpy(packet->bytes + packet->size, bytes, size);
	packet->size += size;
}

static void put_udp(struct packet *packet, const struct setting *setting)
{
	struct udphdr udp = {
		.source = htons(setting->port),
		.dest = htons(setting->port),
		.len = htons((uint16_t)(sizeof(udp) + setting->size)),
	};

	put(packet, &udp, sizeof(udp));
	put(packet, setting->payload, setting->size);
}

static void put_ip(struct packet *packet, const struct setting *setting,
		   const struct target *target)
{
	uint16_t size = (uint16_t)(sizeof(struct udphdr) + setting->size);
	struct ip v4 = {
		.ip_v = 4,
		.ip_hl = 5,
		.ip_len = htons((uint16_t)(sizeof(v4) + size)),
		.ip_ttl = 64,
		.ip_p = IPPROTO_UDP,
		.ip_src = setting_in4(setting, "own4"),
		.ip_dst = target->address.v4.sin_addr,
	};
	struct ip6_hdr v6 = {
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons(size),
		.ip6_nxt = IPPROTO_UDP,
		.ip6_hlim = 64,
		.ip6_src = setting_in6(setting, "own6"),
		.ip6_dst = target->address.v6.sin6_addr,
	};

	if (target->address.any.sa_family == AF_INET)
		put(packet, &v4, sizeof(v4));
	else
		put(packet, &v6, sizeof(v6));
}

static int send_packet(int fd, const struct packet *packet, const struct target *target)
{
	return answer(sendto(fd, packet->bytes, packet->size, MSG_NOSIGNAL, &target->address.any,
			     target->length));
}

/* A raw socket has protocols, and no ports. */
static struct target without_port(const struct target *target)
{
	struct target ret = *target;

	ret.address.v4.sin_port = 0;
	return ret;
}

int send_raw_udp(int fd, const struct setting *setting, const struct target *target)
{
	struct target to = without_port(target);
	struct packet packet = {};

	put_udp(&packet, setting);
	return send_packet(fd, &packet, &to);
}

/* On a socket of IPPROTO_RAW, whose user writes the IP header too. */
int send_raw_header(int fd, const struct setting *setting, const struct target *target)
{
	struct target to = without_port(target);
	struct packet packet = {};

	put_ip(&packet, setting, target);
	put_udp(&packet, setting);
	return send_packet(fd, &packet, &to);
}

/* To all stations on the LAN's wire, so that no neighbour need be known. */
static int send_frame(const struct setting *setting, const struct target *target, int type)
{
	uint16_t protocol = htons(target->address.any.sa_family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	struct sockaddr_ll wire = {
		.sll_family = AF_PACKET,
		.sll_protocol = protocol,
		.sll_ifindex = (int)setting->lan_index,
		.sll_halen = ETH_ALEN,
	};
	struct ethhdr head = {.h_source = {2}, .h_proto = protocol};
	CLEANUP(fd_close) int fd = socket(AF_PACKET, type | SOCK_CLOEXEC, 0);
	struct packet packet = {};

	memset(wire.sll_addr, 0xff, ETH_ALEN);
	memset(head.h_dest, 0xff, ETH_ALEN);
	if (type == SOCK_RAW)
		put(&packet, &head, sizeof(head));
	put_ip(&packet, setting, target);
	put_udp(&packet, setting);
	return answer(
		sendto(fd, packet.bytes, packet.size, 0, (struct sockaddr *)&wire, sizeof(wire)));
}

static void run_frames(const struct setting *setting, int type)
{
	struct target targets[TARGETS_MAX];
	size_t count = setting_targets(setting, TARGETS_ALL, targets);
	int fd = socket(AF_PACKET, type, 0);

	say(setting, NULL, "socket", answer(fd));
	if (fd < 0)
		return;
	close(fd);
	for (size_t i = 0; i < count; i++)
		say(setting, &targets[i], "send", send_frame(setting, &targets[i], type));
}

void run_packet(const struct setting *setting)
{
	run_frames(setting, SOCK_RAW);
}

void run_packet_cooked(const struct setting *setting)
{
	run_frames(setting, SOCK_DGRAM);
}
