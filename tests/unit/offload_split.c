/* wireguard/offload, taking apart: a large packet becomes what inner.c makes of the same fields, one
 * packet after another; and wireguard/checksum, against a naive sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "inner.h"
#include "wireguard/checksum.h"

#define ROUNDS 3000

static uint8_t large[OFFLOAD_SIZE_MAX + 64];

static void test_checksum(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t from = inner_below(64), size = inner_below(i % 2 ? 40 : 3000),
		       cut = inner_below(9) * (size_t)2;
		uint16_t sum;
		uint8_t stored[2];

		cut = cut < size ? cut : 0;
		sum = checksum_add(checksum_add(0, inner_bytes + from, cut),
				   inner_bytes + from + cut, size - cut);
		memcpy(stored, &sum, sizeof(stored));
		assert_int_equal(inner_sum(stored, 2), inner_sum(inner_bytes + from, size));
	}
}

static void test_split(void **state)
{
	struct packet_pool *pool = *state;

	for (int round = 0; round < ROUNDS / 3; round++) {
		uint16_t segment = (uint16_t)(inner_below(8) ? 48 + inner_below(1400) : 48);
		struct inner whole = inner_random(1 + inner_below(inner_below(4) ? 5000 : 65000));
		struct virtio_net_hdr header = inner_header(&whole, segment);
		struct packet_queue packets = {};
		struct packet *packet;
		size_t i = 0;

		whole.flags = (uint8_t)inner_below(256);
		if (whole.tcp && inner_below(2))
			header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
		offload_split(&header, large, inner_write(&whole, true, large), pool, &packets);
		assert_int_equal(packets.count, (whole.payload_size + segment - 1) / segment);
		for (; (packet = packet_queue_pop(&packets)); i++) {
			struct inner part = inner_segment(&whole, segment, i);

			inner_expect(&part, packet);
			packet_put(pool, packet);
		}
	}
}

/* What stands between the headers stays: options of IPv4, extension headers of IPv6. */
static void test_split_with_options(void **state)
{
	struct packet_pool *pool = *state;

	for (int six = 0; six < 2; six++) {
		struct inner whole = {
			.tcp = true, .six = six, .payload = inner_bytes, .payload_size = 30};
		struct virtio_net_hdr header = inner_header(&whole, 20);
		struct packet_queue packets = {};
		size_t size = inner_write(&whole, true, large), ip = inner_transport(&whole);
		const uint8_t *data;

		memmove(large + ip + 8, large + ip, size - ip);
		memset(large + ip, 1, 8); /* no operation; of IPv6: the next is 1 */
		header.csum_start += 8;
		if (!six)
			large[0] = 0x47;
		offload_split(&header, large, size + 8, pool, &packets);
		assert_int_equal(packets.count, 2);
		data = packet_data(packets.first);
		assert_int_equal(packets.first->length, ip + 8 + 20 + 20);
		assert_memory_equal(data + ip, large + ip, 8);
		assert_memory_equal(packet_data(packets.last) + ip + 28, inner_bytes + 20, 10);
		if (!six)
			assert_int_equal(inner_sum(data, ip + 8), 0xffff);
		packet_put_all(pool, &packets);
	}
}

/* A packet that is not large is as it was, or gets its checksum. */
static void test_ordinary(void **state)
{
	struct packet_pool *pool = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct inner inner = inner_random(inner_below(1200));
		struct virtio_net_hdr header = inner_header(&inner, 0);
		struct packet_queue packets = {};
		bool begun = inner_below(2);

		header.gso_type = VIRTIO_NET_HDR_GSO_NONE;
		if (!begun)
			header.flags = 0;
		offload_split(&header, large, inner_write(&inner, begun, large), pool, &packets);
		assert_int_equal(packets.count, 1);
		inner_expect(&inner, packets.first);
		packet_put_all(pool, &packets);
	}
}

/* A checksum of 0 would say in UDP that there is none. */
static void test_zero(void **state)
{
	struct inner inner = inner_random(2);
	struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_offset = 6};
	struct packet_queue packets = {};
	uint8_t payload[2] = {}, *checksum;

	inner.tcp = false;
	inner.payload = payload;
	header.csum_start = (uint16_t)inner_transport(&inner);
	checksum = large + header.csum_start + header.csum_offset;
	inner_write(&inner, false, large);
	memcpy(payload, checksum, 2); /* which is what was missing */
	offload_split(&header, large, inner_write(&inner, true, large), *state, &packets);
	assert_int_equal(packets.count, 1);
	assert_memory_equal(packet_data(packets.first) + (checksum - large), "\xff\xff", 2);
	inner_expect(&inner, packets.first);
	packet_put_all(*state, &packets);
}

/* Headers that cannot be right; in the middle of the packet stands nothing that could be. */
static void test_hostile(void **state)
{
	const struct inner inner = {.tcp = true, .payload = inner_bytes, .payload_size = 1000};
	const struct {
		struct virtio_net_hdr header;
		size_t size;
	} cases[] = {
		{{0, 9, 0, 100, 20, 16}, 1040},	  /* a type that there is not */
		{{1, 3, 0, 100, 20, 16}, 1040},	  /* fragments of UDP, not asked for */
		{{1, 128, 0, 100, 20, 16}, 1040}, /* ECN of nothing */
		{{1, 5 | 128, 0, 100, 20, 6}, 1040},
		{{0, 1, 0, 100, 20, 16}, 1040}, /* large, but its checksum is done */
		{{1, 1, 0, 0, 20, 16}, 1040},	/* segments of nothing */
		{{1, 1, 0, 100, 0, 16}, 1040},	/* a header of TCP that begins elsewhere */
		{{1, 1, 0, 100, 24, 16}, 1040},
		{{1, 1, 0, 100, 1036, 16}, 1040},
		{{1, 1, 0, 100, 65535, 16}, 1040},
		{{1, 1, 0, 100, 20, 6}, 1040}, /* a checksum in another place */
		{{1, 1, 0, 100, 20, 65535}, 1040},
		{{1, 4, 0, 100, 40, 16}, 1040}, /* another version of IP */
		{{1, 5, 0, 100, 20, 6}, 1040},	/* another protocol */
		{{1, 1, 0, 100, 20, 16}, 39},	/* less than the headers */
		{{1, 1, 0, 100, 20, 16}, 20},
		{{1, 1, 0, 100, 20, 16}, 0},
		{{1, 0, 0, 0, 20, 16}, 37}, /* a checksum past the end */
		{{1, 0, 0, 0, 65535, 65535}, 1040},
		{{1, 0, 0, 0, 0, 16}, 1040}, /* and one in the IP header */
		{{0}, 19},
		{{0}, OFFLOAD_SIZE_MAX + 1},
		{{1, 1, 0, 100, 20, 16}, OFFLOAD_SIZE_MAX + 1},
	};
	struct packet_queue packets = {};

	inner_write(&inner, true, large);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		offload_split(&cases[i].header, large, cases[i].size, *state, &packets);
		if (packets.count)
			fail_msg("case %zu gave %zu packets", i, packets.count);
	}
}

/* Packets that are not what a header that would do says of them. */
static void test_hostile_packets(void **state)
{
	const struct inner inner = {.tcp = true, .payload = inner_bytes, .payload_size = 1000};
	const struct inner six = {
		.six = true, .hosts = {1, 1}, .payload = inner_bytes, .payload_size = 1000};
	const struct virtio_net_hdr good = inner_header(&inner, 100);
	const struct virtio_net_hdr in_six = {1, 4, 0, 100, 20, 16};
	const struct virtio_net_hdr elsewhere = {1, 1, 0, 100, 24, 16};
	const struct virtio_net_hdr datagram = {1, 5, 0, 1, 20, 6};
	const uint8_t udp[28] = {0x45, [9] = 17};
	struct packet_queue packets = {};

	inner_write(&six, true, large);
	offload_split(&in_six, large, 1000, *state, &packets); /* in the header of IPv6 */
	inner_write(&inner, true, large);
	large[32] = 0xf0; /* a header of TCP that is longer than the packet */
	offload_split(&good, large, 40, *state, &packets);
	large[32] = 0x40; /* or shorter than any */
	offload_split(&good, large, 1040, *state, &packets);
	large[32] = 0x50;
	large[36] = 0x50; /* a header that would do, were it where IP says that it is */
	offload_split(&elsewhere, large, 1040, *state, &packets);
	offload_split(&datagram, udp, 27, *state, &packets); /* half a header of UDP */
	assert_int_equal(packets.count, 0);
	offload_split(&good, large, 1040, *state, &packets);
	assert_int_equal(packets.count, 10);
	packet_put_all(*state, &packets);
}

/* A pool without enough for all gives what it has; packets too small get nothing. */
static void test_pool_is_empty(void **state)
{
	const struct inner inner = {.tcp = true, .payload = inner_bytes, .payload_size = 1000};
	struct virtio_net_hdr header = inner_header(&inner, 100);
	struct packet_queue packets = {};
	struct packet_pool *pool;
	struct error error;

	(void)state;
	pool = packet_pool_create(3, 139, &error);
	offload_split(&header, large, inner_write(&inner, true, large), pool, &packets);
	assert_int_equal(packets.count, 0);
	packet_pool_free(&pool);
	pool = packet_pool_create(3, 140, &error);
	offload_split(&header, large, 1040, pool, &packets);
	assert_int_equal(packets.count, 3);
	assert_int_equal(packets.last->length, 140);
	header = (struct virtio_net_hdr){};
	offload_split(&header, large, 100, pool, &packets);
	assert_int_equal(packets.count, 3);
	packet_put_all(pool, &packets);
	offload_split(&header, large, 141, pool, &packets);
	assert_int_equal(packets.count, 0);
	packet_pool_free(&pool);
}

#define with_pool(test) cmocka_unit_test_setup_teardown(test, inner_setup, inner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pool(test_checksum),
		with_pool(test_split),
		with_pool(test_split_with_options),
		with_pool(test_ordinary),
		with_pool(test_zero),
		with_pool(test_hostile),
		with_pool(test_hostile_packets),
		with_pool(test_pool_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
