/* Large packets from the kernel, taken apart as its tcp_gso_segment() and __udp_gso_segment() would.
 *
 * A large packet's checksum field has the sum of its pseudo header, with the length of the whole: so
 * does that of each packet whose checksum is left to the device (CHECKSUM_PARTIAL). The addresses are
 * thus not needed, nor is what stands between an IPv6 header and the transport's. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include "wireguard/bytes.h"
#include "wireguard/checksum.h"
#include "wireguard/offload.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40

#define TCP_CWR 0x80 /* RFC 3168 */

/* A large packet that has been found right. Offsets and sizes are in bytes. */
struct large {
	const uint8_t *data;
	uint32_t size;
	uint32_t transport; /* where its header begins */
	uint32_t checksum;  /* where that is, in the transport's header */
	uint32_t headers;   /* all that each segment has in front of its payload */
	uint32_t segment;   /* payload of each but the last */
	uint16_t pseudo;    /* the sum of the pseudo header without its length */
	bool tcp;
};

static uint16_t get_word(const uint8_t *from)
{
	uint16_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

static void put_word(uint8_t *to, uint16_t word)
{
	memcpy(to, &word, sizeof(word));
}

/* Stores the complement of the sum of what begins at start; a sum has been put in the field already.
 * Never 0, which in UDP means that there is none. */
static void complete(uint8_t *start, size_t size, uint32_t field)
{
	uint16_t checksum = checksum_complement(checksum_add(0, start, size));

	put_word(start + field, checksum ? checksum : UINT16_MAX);
}

/* Where the IP header says or allows that the transport's begins. */
static bool transport_is_at(const uint8_t *data, uint32_t transport, bool six, uint8_t protocol)
{
	if (data[0] >> 4 != (six ? 6 : 4))
		return false;
	if (six)
		return transport >= IPV6_HEADER;
	return transport >= IPV4_HEADER && (uint32_t)(data[0] & 15) * 4 == transport &&
	       data[9] == protocol;
}

/* Finds out the size of the headers; false when the packet is not what its header says. */
static bool inspect(const struct virtio_net_hdr *header, struct large *large)
{
	const uint8_t type = header->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	const bool six = type == VIRTIO_NET_HDR_GSO_TCPV6 ||
			 (type == VIRTIO_NET_HDR_GSO_UDP_L4 && large->data[0] >> 4 == 6);
	const uint32_t least = large->tcp ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	uint16_t length = htobe16((uint16_t)(large->size - large->transport));

	if (header->gso_size == 0 || !(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
	    header->csum_offset != large->checksum || large->transport + least > large->size)
		return false;
	if (!transport_is_at(large->data, large->transport, six,
			     large->tcp ? IPPROTO_TCP : IPPROTO_UDP))
		return false;
	large->headers = large->transport + least;
	if (large->tcp) {
		uint32_t tcp = (uint32_t)(large->data[large->transport + 12] >> 4) * 4;

		if (tcp < least || large->transport + tcp > large->size)
			return false;
		large->headers = large->transport + tcp;
	}
	large->pseudo = checksum_join(get_word(large->data + large->transport + large->checksum),
				      checksum_complement(length));
	return true;
}

static void finish_ip(const struct large *large, uint8_t *data, uint32_t size, uint16_t number)
{
	if (data[0] >> 4 == 6) {
		bytes_put_be16(data + 4, (uint16_t)(size - IPV6_HEADER));
		return;
	}
	bytes_put_be16(data + 2, (uint16_t)size);
	bytes_put_be16(data + 4, (uint16_t)(bytes_get_be16(data + 4) + number));
	put_word(data + 10, 0);
	complete(data, large->transport, 10);
}

/* CWR is said once, FIN and PSH are for when all has come. */
static void finish_tcp(uint8_t *tcp, uint32_t sent, bool last)
{
	bytes_put_be32(tcp + 4, bytes_get_be32(tcp + 4) + sent);
	if (!last)
		tcp[13] &= (uint8_t) ~(TH_FIN | TH_PUSH);
	if (sent)
		tcp[13] &= (uint8_t)~TCP_CWR;
}

/* The packet of number i, with the payload that begins at offset. */
static void make_segment(const struct large *large, uint32_t offset, uint16_t i,
			 struct packet *packet)
{
	const uint32_t left = large->size - offset;
	const uint32_t payload = left < large->segment ? left : large->segment;
	uint8_t *data = packet_data(packet), *transport = data + large->transport;
	uint16_t length;

	memcpy(data, large->data, large->headers);
	memcpy(data + large->headers, large->data + offset, payload);
	packet->length = large->headers + payload;
	length = (uint16_t)(packet->length - large->transport);
	finish_ip(large, data, packet->length, i);
	if (large->tcp)
		finish_tcp(transport, offset - large->headers, payload == left);
	else
		bytes_put_be16(transport + 4, length);
	put_word(transport + large->checksum, checksum_join(large->pseudo, htobe16(length)));
	complete(transport, length, large->checksum);
}

static void split_large(struct large *large, const struct virtio_net_hdr *header,
			struct packet_pool *pool, struct packet_queue *packets)
{
	struct packet *packet;
	uint32_t offset;
	uint16_t i = 0;

	if (!inspect(header, large))
		return;
	large->segment = large->size - large->headers;
	if (large->segment > header->gso_size)
		large->segment = header->gso_size;
	if (large->headers + large->segment > packet_pool_room(pool))
		return;
	offset = large->headers;
	do {
		packet = packet_get(pool);
		if (!packet)
			return;
		make_segment(large, offset, i++, packet);
		packet_queue_push(packets, packet);
		offset += large->segment;
	} while (offset < large->size);
}

/* A packet of the ordinary kind, whose checksum may be left to do. */
static void copy(const struct virtio_net_hdr *header, const uint8_t *data, size_t size,
		 struct packet_pool *pool, struct packet_queue *packets)
{
	const bool unfinished = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	const uint32_t start = header->csum_start, field = header->csum_offset;
	struct packet *packet;

	if (size > packet_pool_room(pool) ||
	    (unfinished && (start < IPV4_HEADER || start + field + sizeof(uint16_t) > size)))
		return;
	packet = packet_get(pool);
	if (!packet)
		return;
	memcpy(packet_data(packet), data, size);
	packet->length = (uint32_t)size;
	if (unfinished)
		complete(packet_data(packet) + start, size - start, field);
	packet_queue_push(packets, packet);
}

void offload_split(const struct virtio_net_hdr *header, const uint8_t *data, size_t size,
		   struct packet_pool *pool, struct packet_queue *packets)
{
	struct large large = {
		.data = data, .size = (uint32_t)size, .transport = header->csum_start};

	if (size < IPV4_HEADER || size > OFFLOAD_SIZE_MAX)
		return;
	switch (header->gso_type) {
	case VIRTIO_NET_HDR_GSO_NONE:
		copy(header, data, size, pool, packets);
		break;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN:
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN:
		large.tcp = true;
		large.checksum = offsetof(struct tcphdr, th_sum);
		split_large(&large, header, pool, packets);
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		large.checksum = offsetof(struct udphdr, uh_sum);
		split_large(&large, header, pool, packets);
		break;
	}
}
