/* Packets of one flow put together, by the rules of the kernel's own receive offload
 * (tcp_gro_receive(), udp_gro_receive_segment()), or stricter: taken apart again, they are what they
 * were, but for the identification of IPv4 packets that must not be fragmented, which means nothing
 * (RFC 6864).
 *
 *	IP       no options, no extension headers, no fragments; all that routers and the receiver
 *	         look at is equal, ECN's bits too; identifications are consecutive unless DF is set
 *	TCP      ACK alone or with PSH, after which no packet follows; one byte after the other, with
 *	         equal acknowledgement, window and options
 *	UDP      of the same ports; with a checksum, without which none would be right
 *	payload  as much as in the first packet, or in the last one less, but some
 *
 * Checksums are compared when a second packet is about to join the first: whoever stays alone is the
 * kernel's to check. Peers need no comparison, since an inner source belongs to one of them. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include "wireguard/bytes.h"
#include "wireguard/checksum.h"
#include "wireguard/offload.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40

#define IP_DF 0x4000 /* RFC 791: do not fragment */

/* A packet of TCP or UDP, whose headers are all there. */
struct view {
	uint8_t *data;
	uint32_t transport; /* where its header begins */
	uint32_t headers;   /* bytes before the payload */
	uint32_t payload;   /* bytes */
	bool six, tcp;
	bool joins; /* is of the kind that can be put together */
};

static bool view_ipv4(const struct packet *packet, struct view *view, uint8_t *ret_protocol)
{
	const uint8_t *data = view->data;

	if (packet->length < IPV4_HEADER || data[0] != 0x45 ||
	    bytes_get_be16(data + 2) != packet->length ||
	    (bytes_get_be16(data + 6) & (uint16_t)~IP_DF))
		return false;
	view->transport = IPV4_HEADER;
	*ret_protocol = data[9];
	return true;
}

static bool view_ipv6(const struct packet *packet, struct view *view, uint8_t *ret_protocol)
{
	const uint8_t *data = view->data;

	if (packet->length < IPV6_HEADER || data[0] >> 4 != 6 ||
	    (uint32_t)IPV6_HEADER + bytes_get_be16(data + 4) != packet->length)
		return false;
	view->six = true;
	view->transport = IPV6_HEADER;
	*ret_protocol = data[6];
	return true;
}

static bool view_tcp(uint32_t size, struct view *view)
{
	const uint8_t *tcp = view->data + view->transport;
	uint32_t header;

	if (size < sizeof(struct tcphdr))
		return false;
	header = (uint32_t)(tcp[12] >> 4) * 4;
	if (header < sizeof(struct tcphdr) || header > size)
		return false;
	view->tcp = true;
	view->headers = view->transport + header;
	view->payload = size - header;
	view->joins = view->payload && (tcp[13] & ~TH_PUSH) == TH_ACK;
	return true;
}

static bool view_udp(uint32_t size, struct view *view)
{
	const uint8_t *udp = view->data + view->transport;

	if (size < sizeof(struct udphdr))
		return false;
	view->headers = view->transport + (uint32_t)sizeof(struct udphdr);
	view->payload = size - (uint32_t)sizeof(struct udphdr);
	view->joins = view->payload && bytes_get_be16(udp + 4) == size;
	return true;
}

/* False for all that has no flow that could be told from its headers. */
static bool view_packet(const struct packet *packet, bool udp, struct view *ret)
{
	struct view view = {.data = packet_data(packet)};
	uint8_t protocol;
	uint32_t size;

	if (!view_ipv4(packet, &view, &protocol) && !view_ipv6(packet, &view, &protocol))
		return false;
	size = packet->length - view.transport;
	if (protocol == IPPROTO_TCP ? !view_tcp(size, &view)
				    : protocol != IPPROTO_UDP || !view_udp(size, &view))
		return false;
	view.joins &= view.tcp || udp;
	*ret = view;
	return true;
}

/* The sum of the pseudo header of a packet with size bytes behind the IP header. */
static uint16_t pseudo_sum(const struct view *view, uint32_t size)
{
	uint16_t numbers[2] = {htobe16((uint16_t)size),
			       htobe16(view->tcp ? IPPROTO_TCP : IPPROTO_UDP)};
	uint16_t sum = checksum_join(numbers[0], numbers[1]);

	return view->six ? checksum_add(sum, view->data + 8, 32)
			 : checksum_add(sum, view->data + 12, 8);
}

static bool checksums_are_right(const struct view *view)
{
	uint32_t size = view->headers + view->payload - view->transport;

	return (view->six || checksum_add(0, view->data, IPV4_HEADER) == UINT16_MAX) &&
	       checksum_add(pseudo_sum(view, size), view->data + view->transport, size) ==
		       UINT16_MAX;
}

static bool is_same_flow(const struct view *a, const struct view *b)
{
	const uint8_t *p = a->data, *q = b->data;

	if (a->six != b->six || a->tcp != b->tcp ||
	    memcmp(p + a->transport, q + b->transport, 4) != 0)
		return false;
	return a->six ? memcmp(p + 8, q + 8, 32) == 0 : memcmp(p + 12, q + 12, 8) == 0;
}

/* Of a packet of the same flow, which would be the one of number count. */
static bool ip_follows(const uint8_t *first, const uint8_t *next, bool six, size_t count)
{
	if (six)
		return memcmp(first, next, 4) == 0 && first[7] == next[7];
	if (memcmp(first, next, 2) != 0 || memcmp(first + 6, next + 6, 3) != 0)
		return false;
	return (bytes_get_be16(first + 6) & IP_DF) ||
	       bytes_get_be16(next + 4) == (uint16_t)(bytes_get_be16(first + 4) + count);
}

/* Flags are ACK, and PSH or not. */
static bool tcp_follows(const uint8_t *first, const uint8_t *next, uint32_t size, uint32_t sent)
{
	return bytes_get_be32(next + 4) == bytes_get_be32(first + 4) + sent &&
	       memcmp(first + 8, next + 8, 5) == 0 && memcmp(first + 14, next + 14, 2) == 0 &&
	       memcmp(first + 18, next + 18, size - 18) == 0;
}

static bool ends_group(const struct offload_group *group, const struct view *last)
{
	return last->payload < group->segment || group->packets.count == OFFLOAD_MOST ||
	       (last->tcp && (last->data[last->transport + 13] & TH_PUSH));
}

/* May the packet join the group of its flow? */
static bool follows(struct offload_group *group, const struct view *first, const struct view *next)
{
	if (!next->joins || next->payload > group->segment ||
	    group->headers + group->payload + next->payload > OFFLOAD_SIZE_MAX ||
	    !ip_follows(first->data, next->data, first->six, group->packets.count))
		return false;
	if (first->tcp && !tcp_follows(first->data + first->transport, next->data + next->transport,
				       first->headers - first->transport, group->payload))
		return false;
	if (!group->verified && !checksums_are_right(first))
		return false;
	group->verified = true;
	return checksums_are_right(next);
}

static void begin_group(struct offload_group *group, const struct view *view, struct packet *packet)
{
	*group = (struct offload_group){};
	packet_queue_push(&group->packets, packet);
	if (!view || !view->joins)
		return;
	group->headers = view->headers;
	group->segment = group->payload = view->payload;
	group->open = !ends_group(group, view);
}

static void join_group(struct offload_group *group, const struct view *view, struct packet *packet)
{
	packet->offset += view->headers;
	packet->length -= view->headers;
	packet_queue_push(&group->packets, packet);
	group->payload += view->payload;
	group->open = !ends_group(group, view);
	if (view->tcp)
		packet_data(group->packets.first)[view->transport + 13] |=
			view->data[view->transport + 13];
}

/* Puts the packet where it belongs; false when that takes another group. */
static bool find_group(struct offload_group *groups, size_t count, const struct view *view,
		       struct packet *packet)
{
	for (size_t i = count; i-- > 0;) {
		struct offload_group *group = &groups[i];
		struct view first;

		if (!group->open)
			continue;
		view_packet(group->packets.first, true, &first);
		if (!is_same_flow(&first, view))
			continue;
		if (follows(group, &first, view)) {
			join_group(group, view, packet);
			return true;
		}
		group->open = false;
		return false;
	}
	return false;
}

/* Headers for the whole. The checksum is begun with the sum of the pseudo header, and left to who
 * takes the packets apart. */
static void finish_group(struct offload_group *group)
{
	uint8_t *data = packet_data(group->packets.first), *transport;
	struct view view;
	uint16_t size, sum;
	uint32_t field;

	if (group->packets.count < 2 || !view_packet(group->packets.first, true, &view))
		return;
	transport = data + view.transport;
	field = view.tcp ? offsetof(struct tcphdr, th_sum) : offsetof(struct udphdr, uh_sum);
	size = (uint16_t)(group->headers + group->payload - view.transport);
	sum = pseudo_sum(&view, size);
	memcpy(transport + field, &sum, sizeof(sum));
	if (!view.tcp)
		bytes_put_be16(transport + 4, size);
	if (view.six) {
		bytes_put_be16(data + 4, size);
	} else {
		bytes_put_be16(data + 2, (uint16_t)(size + IPV4_HEADER));
		memset(data + 10, 0, sizeof(sum));
		sum = checksum_complement(checksum_add(0, data, IPV4_HEADER));
		memcpy(data + 10, &sum, sizeof(sum));
	}
	group->header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = !view.tcp  ? VIRTIO_NET_HDR_GSO_UDP_L4
			    : view.six ? VIRTIO_NET_HDR_GSO_TCPV6
				       : VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = (uint16_t)group->headers,
		.gso_size = (uint16_t)group->segment,
		.csum_start = (uint16_t)view.transport,
		.csum_offset = (uint16_t)field,
	};
}

size_t offload_coalesce(struct packet_queue *packets, bool udp,
			struct offload_group groups[static OFFLOAD_GROUPS])
{
	size_t count = 0;

	while (packets->first && count < OFFLOAD_GROUPS) {
		struct packet *packet = packet_queue_pop(packets);
		struct view view;
		bool known = view_packet(packet, udp, &view);

		if (known && find_group(groups, count, &view, packet))
			continue;
		/* It may be of any flow: nothing that comes later may go before it. */
		for (size_t i = 0; i < count && !known; i++)
			groups[i].open = false;
		begin_group(&groups[count++], known ? &view : NULL, packet);
	}
	for (size_t i = 0; i < count; i++)
		finish_group(&groups[i]);
	return count;
}
