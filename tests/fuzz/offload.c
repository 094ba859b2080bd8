/* Segmentation offload: any header before any bytes, and any packets to be put together.
 *
 * The first byte says which. Split: a struct virtio_net_hdr, and a large packet. Put together: a list of
 * packets, each with a length of two bytes, the first bit of which asks for right checksums, without
 * which nothing would ever be joined. Whatever comes of either is put together and split again, and must
 * then be what it was, in any order of the flows. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "wireguard/bytes.h"
#include "wireguard/checksum.h"
#include "wireguard/offload.h"

#define PACKETS 300

static void put_sum(uint8_t *to, uint16_t sum)
{
	memcpy(to, &sum, sizeof(sum));
}

/* Where the checksum of TCP or UDP is, behind a header without options; NULL: nowhere. */
static uint8_t *find_checksum(uint8_t *data, size_t size)
{
	size_t transport = data[0] >> 4 == 6 ? 40 : 20;
	uint8_t protocol = size < 40 ? 0 : data[0] >> 4 == 6 ? data[6] : data[9];

	if (protocol == IPPROTO_TCP && transport + 20 <= size)
		return data + transport + 16;
	return protocol == IPPROTO_UDP && transport + 8 <= size ? data + transport + 6 : NULL;
}

static void put_checksums(uint8_t *data, size_t size)
{
	bool six = data[0] >> 4 == 6;
	size_t transport = six ? 40 : 20;
	uint8_t *checksum = find_checksum(data, size);
	uint8_t tail[4] = {(uint8_t)((size - transport) >> 8), (uint8_t)(size - transport), 0,
			   data[six ? 6 : 9]};
	uint16_t sum;

	if (!checksum)
		return;
	put_sum(data + 10, six ? data[10] : 0);
	if (!six)
		put_sum(data + 10, checksum_complement(checksum_add(0, data, 20)));
	put_sum(checksum, 0);
	sum = checksum_add(0, tail, 4);
	sum = six ? checksum_add(sum, data + 8, 32) : checksum_add(sum, data + 12, 8);
	put_sum(checksum,
		checksum_complement(checksum_add(sum, data + transport, size - transport)));
}

/* A number for the packet, but for what may change: 0 and 0xffff are the same checksum, and where DF is
 * set the identification is nothing. */
static uint64_t fingerprint(const struct packet *packet)
{
	static uint8_t data[OFFLOAD_SIZE_MAX];
	uint64_t hash = 14695981039346656037U;
	uint8_t *checksum;

	memcpy(data, packet_data(packet), packet->length);
	checksum = find_checksum(data, packet->length);
	if (checksum && bytes_get_be16(checksum) == 0)
		put_sum(checksum, UINT16_MAX);
	if (packet->length >= 20 && data[0] == 0x45) {
		if (data[6] & 0x40)
			put_sum(data + 4, 0);
		put_sum(data + 10, 0);
	}
	for (uint32_t i = 0; i < packet->length; i++)
		hash = (hash ^ data[i]) * 1099511628211U;
	return hash;
}

static uint64_t fingerprints(const struct packet_queue *packets)
{
	uint64_t sum = 0;

	for (const struct packet *packet = packets->first; packet; packet = packet->next)
		sum += fingerprint(packet);
	return sum;
}

/* As the device is given it: one block of memory with an end. */
static void split_group(struct packet_pool *pool, struct offload_group *group,
			struct packet_queue *ret)
{
	uint8_t *block;
	size_t size = 0, filled = 0;

	for (const struct packet *packet = group->packets.first; packet; packet = packet->next)
		size += packet->length;
	block = malloc(size + 1);
	for (struct packet *packet; (packet = packet_queue_pop(&group->packets));) {
		memcpy(block + filled, packet_data(packet), packet->length);
		filled += packet->length;
		packet_put(pool, packet);
	}
	offload_split(&group->header, block, size, pool, ret);
	free(block);
}

static void put_together_and_split(struct packet_pool *pool, struct packet_queue *packets, bool udp)
{
	uint64_t before = fingerprints(packets);
	struct offload_group groups[OFFLOAD_GROUPS];
	struct packet_queue again = {};
	size_t count = packets->count;

	while (packets->first) {
		size_t made = offload_coalesce(packets, udp, groups);

		for (size_t i = 0; i < made; i++)
			split_group(pool, &groups[i], &again);
	}
	if (again.count != count || fingerprints(&again) != before)
		abort();
	packet_put_all(pool, &again);
}

static void read_packets(struct packet_pool *pool, const uint8_t *data, size_t size,
			 struct packet_queue *ret)
{
	while (size > 2 && ret->count < PACKETS / 2) {
		uint16_t number = bytes_get_be16(data);
		size_t length = number & 0x7ff;
		struct packet *packet;

		data += 2;
		size -= 2;
		length = length < size ? length : size;
		/* Shorter ones are not read from a device, nor do they come out of a tunnel. */
		if (length >= 20) {
			packet = packet_get(pool);
			memcpy(packet_data(packet), data, length);
			packet->length = (uint32_t)length;
			if (number & 0x8000)
				put_checksums(packet_data(packet), length);
			packet_queue_push(ret, packet);
		}
		data += length;
		size -= length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet_pool *pool;
	struct virtio_net_hdr header;
	struct packet_queue packets = {};
	struct error error;

	if (!pool)
		pool = packet_pool_create(PACKETS, OFFLOAD_SIZE_MAX, &error);
	if (size < 1 + sizeof(header))
		return 0;
	if (data[0] & 1) {
		memcpy(&header, data + 1, sizeof(header));
		offload_split(&header, data + 1 + sizeof(header), size - 1 - sizeof(header), pool,
			      &packets);
	} else {
		read_packets(pool, data + 1, size - 1, &packets);
	}
	put_together_and_split(pool, &packets, data[0] & 2);
	return 0;
}
