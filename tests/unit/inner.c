#include "inner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

uint8_t inner_bytes[OFFLOAD_SIZE_MAX];

static void put16(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value & 0xffff);
}

uint16_t inner_sum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)sum;
}

size_t inner_transport(const struct inner *inner)
{
	return inner->six ? 40 : 20;
}

size_t inner_headers(const struct inner *inner)
{
	return inner_transport(inner) + (inner->tcp ? 20 + inner->options_size : 8);
}

size_t inner_checksum_field(const struct inner *inner)
{
	return inner->tcp ? 16 : 6;
}

void inner_fix_header(uint8_t *packet)
{
	put16(packet + 10, 0);
	put16(packet + 10, (uint16_t)~inner_sum(packet, 20));
}

static void write_ip(const struct inner *inner, size_t size, uint8_t *ret)
{
	uint8_t protocol = inner->tcp ? 6 : 17;

	if (inner->six) {
		ret[0] = (uint8_t)(0x60 | inner->tos >> 4);
		ret[1] = (uint8_t)(inner->tos << 4);
		put16(ret + 4, size - 40);
		ret[6] = protocol;
		ret[7] = inner->ttl;
		memset(ret + 8, 0xfd, 32);
		ret[23] = inner->hosts[0];
		ret[39] = inner->hosts[1];
		return;
	}
	ret[0] = 0x45;
	ret[1] = inner->tos;
	put16(ret + 2, size);
	put16(ret + 4, inner->id);
	put16(ret + 6, inner->fragment);
	ret[8] = inner->ttl;
	ret[9] = protocol;
	memset(ret + 12, 10, 8);
	ret[15] = inner->hosts[0];
	ret[19] = inner->hosts[1];
	inner_fix_header(ret);
}

static void write_tcp(const struct inner *inner, uint8_t *tcp)
{
	put32(tcp + 4, inner->sequence);
	put32(tcp + 8, inner->acknowledgement);
	tcp[12] = (uint8_t)((5 + inner->options_size / 4) << 4);
	tcp[13] = inner->flags;
	put16(tcp + 14, inner->window);
	put16(tcp + 18, inner->urgent);
	memcpy(tcp + 20, inner->options, inner->options_size);
}

size_t inner_write(const struct inner *inner, bool begun, uint8_t *ret)
{
	const size_t transport = inner_transport(inner), headers = inner_headers(inner);
	const size_t size = headers + inner->payload_size;
	uint8_t pseudo[40] = {};
	uint16_t sums[2], checksum;

	memset(ret, 0, headers);
	write_ip(inner, size, ret);
	put16(ret + transport, inner->ports[0]);
	put16(ret + transport + 2, inner->ports[1]);
	if (inner->tcp)
		write_tcp(inner, ret + transport);
	else
		put16(ret + transport + 4, size - transport);
	if (inner->payload_size)
		memcpy(ret + headers, inner->payload, inner->payload_size);
	memcpy(pseudo, ret + (inner->six ? 8 : 12), inner->six ? 32 : 8);
	put16(pseudo + 34, size - transport);
	pseudo[39] = inner->tcp ? 6 : 17;
	put16((uint8_t *)&sums[0], inner_sum(pseudo, sizeof(pseudo)));
	put16((uint8_t *)&sums[1], begun ? 0 : inner_sum(ret + transport, size - transport));
	checksum = inner_sum((uint8_t *)sums, sizeof(sums));
	if (!begun)
		checksum = checksum == 0xffff ? 0xffff : (uint16_t)~checksum;
	put16(ret + transport + inner_checksum_field(inner), checksum);
	return size;
}

uint32_t inner_below(uint32_t limit)
{
	return (uint32_t)random() % limit;
}

int inner_setup(void **state)
{
	struct error error;

	srandom(20260419);
	for (size_t i = 0; i < sizeof(inner_bytes); i++)
		inner_bytes[i] = (uint8_t)random();
	*state = packet_pool_create(INNER_PACKETS, OFFLOAD_SIZE_MAX, &error);
	return *state ? 0 : -1;
}

int inner_teardown(void **state)
{
	struct packet_pool *pool = *state;
	size_t count = 0;

	while (packet_get(pool))
		count++;
	packet_pool_free(&pool);
	return count == INNER_PACKETS ? 0 : -1;
}

struct inner inner_random(size_t size)
{
	struct inner inner = {
		.six = inner_below(2),
		.tcp = inner_below(2),
		.tos = (uint8_t)inner_below(256),
		.ttl = (uint8_t)inner_below(256),
		.flags = INNER_ACK,
		.id = (uint16_t)inner_below(65536),
		.fragment = inner_below(2) ? INNER_DF : 0,
		.ports = {(uint16_t)inner_below(65536), (uint16_t)inner_below(65536)},
		.window = (uint16_t)inner_below(65536),
		.sequence = (uint32_t)random() * 2,
		.acknowledgement = (uint32_t)random(),
		.options_size = inner_below(11) * 4,
		.payload = inner_bytes + inner_below(64),
		.payload_size = size,
	};

	memcpy(inner.options, inner_bytes + inner_below(1000), sizeof(inner.options));
	return inner;
}

struct virtio_net_hdr inner_header(const struct inner *inner, uint16_t segment)
{
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = !inner->tcp	 ? VIRTIO_NET_HDR_GSO_UDP_L4
			    : inner->six ? VIRTIO_NET_HDR_GSO_TCPV6
					 : VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = segment,
		.csum_start = (uint16_t)inner_transport(inner),
		.csum_offset = (uint16_t)inner_checksum_field(inner),
	};
}

struct inner inner_segment(const struct inner *whole, size_t segment, size_t i)
{
	struct inner part = *whole;
	size_t offset = segment * i, left = whole->payload_size - offset;

	part.payload += offset;
	part.payload_size = left < segment ? left : segment;
	part.id = (uint16_t)(whole->id + i);
	part.sequence += (uint32_t)offset;
	if (i > 0)
		part.flags &= (uint8_t)~INNER_CWR;
	if (left > segment)
		part.flags &= (uint8_t) ~(INNER_FIN | INNER_PSH);
	return part;
}

void inner_expect(const struct inner *expected, const struct packet *packet)
{
	uint8_t twin[2048];
	size_t size = inner_write(expected, false, twin);

	assert_int_equal(packet->length, size);
	assert_memory_equal(packet_data(packet), twin, size);
}
