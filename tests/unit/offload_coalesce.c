/* wireguard/offload, putting together: what has been is taken apart into what it was, and no two packets
 * go together that differ in what matters. Taking apart has its own tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "inner.h"

#define ROUNDS 1000

static uint8_t large[OFFLOAD_SIZE_MAX + 64];

/* Appends the packet to the queue. */
static struct packet *add(struct packet_pool *pool, const struct inner *inner,
			  struct packet_queue *queue)
{
	struct packet *packet = packet_get(pool);

	packet->length = (uint32_t)inner_write(inner, false, packet_data(packet));
	packet_queue_push(queue, packet);
	return packet;
}

/* What is written of a group, as the kernel sees it, split again; the group's packets go back. */
static void split_again(struct packet_pool *pool, struct offload_group *group,
			struct packet_queue *packets)
{
	struct packet *packet;
	size_t size = 0;

	while ((packet = packet_queue_pop(&group->packets))) {
		memcpy(large + size, packet_data(packet), packet->length);
		size += packet->length;
		packet_put(pool, packet);
	}
	if (group->header.gso_type)
		assert_int_equal(inner_sum(large, large[0] == 0x45 ? 20 : 0),
				 large[0] == 0x45 ? 0xffff : 0);
	offload_split(&group->header, large, size, pool, packets);
}

/* One flow as a sender would have it: one group, whose header says all. */
static void test_coalesce_flow(void **state)
{
	struct packet_pool *pool = *state;

	for (int kind = 0; kind < 4; kind++) {
		struct inner whole = inner_random(29 * 1000 + 1);
		struct offload_group groups[OFFLOAD_GROUPS];
		struct packet_queue queue = {}, again = {};
		struct virtio_net_hdr header;
		struct packet *packet;

		whole.six = kind & 1;
		whole.tcp = kind & 2;
		whole.fragment = 0;
		whole.flags = INNER_ACK | INNER_PSH;
		for (size_t i = 0; i < 30; i++) {
			struct inner part = inner_segment(&whole, 1000, i);

			add(pool, &part, &queue);
		}
		assert_int_equal(offload_coalesce(&queue, true, groups), 1);
		assert_int_equal(queue.count, 0);
		assert_int_equal(groups[0].packets.count, 30);
		header = inner_header(&whole, 1000);
		header.hdr_len = (uint16_t)inner_headers(&whole);
		assert_memory_equal(&groups[0].header, &header, sizeof(header));
		packet = groups[0].packets.first;
		inner_write(&whole, true, large);
		assert_memory_equal(packet_data(packet), large, packet->length);
		split_again(pool, &groups[0], &again);
		for (size_t i = 0; (packet = packet_queue_pop(&again)); i++) {
			struct inner part = inner_segment(&whole, 1000, i);

			inner_expect(&part, packet);
			packet_put(pool, packet);
		}
	}
}

/* How many groups two packets give; damage: the byte of the one or the other with a wrong bit. */
static size_t groups_of_two(struct packet_pool *pool, const struct inner two[2], int damage)
{
	struct offload_group groups[OFFLOAD_GROUPS];
	struct packet_queue queue = {};
	struct packet *packets[2] = {add(pool, &two[0], &queue), add(pool, &two[1], &queue)};
	const struct virtio_net_hdr none = {};
	size_t count;

	if (damage >= 0)
		packet_data(packets[damage & 1])[damage >> 1] ^= 1;
	count = offload_coalesce(&queue, true, groups);
	assert_in_range(count, 1, 2);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(groups[i].packets.count, 3 - count);
		if (count == 2)
			assert_memory_equal(&groups[i].header, &none, sizeof(none));
		packet_put_all(pool, &groups[i].packets);
	}
	return count;
}

/* Fields of the second packet that have another value than to join takes, and the kinds for which
 * that is no matter: a bit for each, those of UDP first, IPv6 behind IPv4. */
static const struct {
	const char *what;
	size_t at; /* its low byte */
	uint8_t flip;
	uint8_t joins;
} rules[] = {
	{"nothing", 0, 0, 15},
	{"version", offsetof(struct inner, six), 1, 0},
	{"protocol", offsetof(struct inner, tcp), 1, 0},
	{"DSCP", offsetof(struct inner, tos), 4, 0},
	{"ECN", offsetof(struct inner, tos), 1, 0},
	{"CE", offsetof(struct inner, tos), 2, 0},
	{"TTL", offsetof(struct inner, ttl), 1, 0},
	{"source", offsetof(struct inner, hosts), 1, 0},
	{"destination", offsetof(struct inner, hosts) + 1, 1, 0},
	{"source port", offsetof(struct inner, ports), 1, 0},
	{"destination port", offsetof(struct inner, ports) + 2, 1, 0},
	{"longer", offsetof(struct inner, payload_size), 1, 0},
	{"empty", offsetof(struct inner, payload_size), 200, 0},
	{"identification", offsetof(struct inner, id), 1, 2 | 8},
	{"DF", offsetof(struct inner, fragment) + 1, INNER_DF >> 8, 2 | 8},
	{"more fragments", offsetof(struct inner, fragment) + 1, 0x20, 2 | 8},
	{"fragment", offsetof(struct inner, fragment), 1, 2 | 8},
	{"sequence", offsetof(struct inner, sequence), 1, 1 | 2},
	{"acknowledgement", offsetof(struct inner, acknowledgement), 1, 1 | 2},
	{"window", offsetof(struct inner, window), 1, 1 | 2},
	{"urgent", offsetof(struct inner, urgent), 1, 1 | 2},
	{"options", offsetof(struct inner, options) + 11, 1, 1 | 2},
	{"fewer options", offsetof(struct inner, options_size), 4, 1 | 2},
	{"FIN", offsetof(struct inner, flags), INNER_FIN, 1 | 2},
	{"ECE", offsetof(struct inner, flags), INNER_ECE, 1 | 2},
	{"CWR", offsetof(struct inner, flags), INNER_CWR, 1 | 2},
	{"no ACK", offsetof(struct inner, flags), INNER_ACK, 1 | 2},
	{"PSH", offsetof(struct inner, flags), INNER_PSH, 15},
};

/* Two packets of one flow that would join. */
static void two_of_a_kind(int kind, uint16_t fragment, struct inner ret[2])
{
	struct inner whole = inner_random(400);

	whole.six = kind & 1;
	whole.tcp = kind & 2;
	whole.fragment = fragment;
	whole.options_size = 12;
	ret[0] = inner_segment(&whole, 200, 0);
	ret[1] = inner_segment(&whole, 200, 1);
}

static void test_rules(void **state)
{
	for (int kind = 0; kind < 4; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
			bool joins = rules[i].joins & 1 << kind;
			struct inner two[2];

			two_of_a_kind(kind, 0, two);
			((uint8_t *)&two[1])[rules[i].at] ^= rules[i].flip;
			if (groups_of_two(*state, two, -1) != (joins ? 1 : 2))
				fail_msg("kind %d, %s: is not as it should be", kind,
					 rules[i].what);
		}
}

/* What both packets have in common and what keeps both alone; checksums are right all the same. */
static void test_kinds(void **state)
{
	static const struct {
		const char *what;
		size_t at; /* in a packet of UDP in IPv4 */
		uint8_t flip;
	} kinds[] = {
		{"nothing", 0, 0},
		{"options of IPv4", 0, 3},
		{"less than the packet", 3, 4},
		{"more fragments", 6, 0x20},
		{"more than the packet", 25, 4},
	};
	struct offload_group groups[OFFLOAD_GROUPS];
	struct packet_queue queue = {};
	struct inner two[2];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		two_of_a_kind(0, 0, two);
		for (int j = 0; j < 2; j++) {
			uint8_t *data = packet_data(add(*state, &two[j], &queue));
			uint8_t before = data[kinds[i].at];
			uint8_t sum[4] = {data[26], data[27]};

			data[kinds[i].at] ^= kinds[i].flip;
			inner_fix_header(data);
			/* What the length of UDP has more, its checksum has less. */
			assert_true(kinds[i].at != 25 || data[25] > before);
			sum[3] = kinds[i].at == 25 ? (uint8_t)~kinds[i].flip : 0xff;
			sum[2] = 0xff;
			data[26] = (uint8_t)(inner_sum(sum, 4) >> 8);
			data[27] = (uint8_t)inner_sum(sum, 4);
		}
		if (offload_coalesce(&queue, true, groups) != (i == 0 ? 1 : 2))
			fail_msg("%s: is not as it should be", kinds[i].what);
		packet_put_all(*state, &groups[0].packets);
		if (i > 0)
			packet_put_all(*state, &groups[1].packets);
	}
}

/* Where DF is set, identifications may be any. */
static void test_identification(void **state)
{
	struct inner two[2];

	for (int kind = 0; kind < 4; kind++) {
		two_of_a_kind(kind, INNER_DF, two);
		two[1].id ^= 5;
		assert_int_equal(groups_of_two(*state, two, -1), 1);
	}
}

/* One bit that is wrong anywhere in either packet, and they stay alone. */
static void test_damage(void **state)
{
	struct inner two[2];

	for (int kind = 0; kind < 4; kind++) {
		two_of_a_kind(kind, INNER_DF, two);
		assert_int_equal(groups_of_two(*state, two, -1), 1);
		for (int at = 0; at < (int)(inner_headers(two) + two[0].payload_size) * 2; at++)
			if (groups_of_two(*state, two, at) != 2)
				fail_msg("kind %d: damage at byte %d of packet %d is passed on",
					 kind, at / 2, at % 2);
	}
}

/* Puts count packets of a flow of TCP together, the one of number pushed with PSH: the groups' counts
 * are as given, to the 0. */
static void expect_groups(struct packet_pool *pool, size_t count, size_t size, size_t pushed,
			  const size_t *expected)
{
	struct inner inner = inner_random(size);
	struct offload_group groups[OFFLOAD_GROUPS];
	struct packet_queue queue = {};
	size_t made;

	inner.six = false;
	inner.tcp = true;
	inner.fragment = INNER_DF;
	inner.payload = inner_bytes;
	for (size_t i = 0; i < count; i++) {
		inner.flags = i == pushed ? INNER_ACK | INNER_PSH : INNER_ACK;
		inner.payload_size = i + 1 < count ? size : size / 2;
		add(pool, &inner, &queue);
		inner.sequence += (uint32_t)inner.payload_size;
	}
	/* It would be the next, but for the shorter one before it. */
	add(pool, &inner, &queue);
	made = offload_coalesce(&queue, true, groups);
	for (size_t i = 0; i < made; i++) {
		assert_int_equal(groups[i].packets.count, expected[i]);
		packet_put_all(pool, &groups[i].packets);
	}
	assert_int_equal(expected[made], 0);
}

/* After PSH and after a shorter packet a group ends, as it does when it is full. */
static void test_ends(void **state)
{
	expect_groups(*state, 10, 700, 4, (const size_t[]){5, 5, 1, 0});
	expect_groups(*state, 10, 700, 0, (const size_t[]){1, 9, 1, 0});
	expect_groups(*state, 140, 700, 140, (const size_t[]){64, 64, 12, 1, 0});
	/* 18 of 3500, and headers, are less than 65535 bytes; so much more is not. */
	expect_groups(*state, 22, 3500, 22, (const size_t[]){18, 4, 1, 0});
}

/* Without udp none of UDP, and no fewer of TCP. */
static void test_without_udp(void **state)
{
	struct packet_pool *pool = *state;

	for (int tcp = 0; tcp < 2; tcp++) {
		struct inner whole = inner_random(4 * 700);
		struct offload_group groups[OFFLOAD_GROUPS];
		struct packet_queue queue = {};
		size_t count;

		whole.tcp = tcp;
		for (size_t i = 0; i < 4; i++) {
			struct inner part = inner_segment(&whole, 700, i);

			add(pool, &part, &queue);
		}
		count = offload_coalesce(&queue, false, groups);
		assert_int_equal(count, tcp ? 1 : 4);
		for (size_t i = 0; i < count; i++)
			packet_put_all(pool, &groups[i].packets);
	}
}
/* What is the same in a packet and in what has become of it. */
static void normalize(uint8_t *packet)
{
	if (packet[0] == 0x45 && packet[6] == INNER_DF >> 8) {
		memset(packet + 4, 0, 2);
		memset(packet + 10, 0, 2);
	}
}

struct sent {
	uint8_t data[2048];
	size_t size;
	uint32_t flow; /* the source port */
	bool found;
};

/* The next packet of a flow, now and then one that is somehow else, with damage or in fragments. */
static void send_one(struct packet_pool *pool, struct inner *flow, struct sent *sent,
		     struct packet_queue *queue)
{
	struct inner inner = *flow;
	struct packet *packet;

	inner.payload = inner_bytes + inner_below(50000);
	if (!inner_below(10))
		inner.payload_size = inner_below(900);
	if (!inner_below(10))
		inner.flags = (uint8_t)inner_below(256);
	if (!inner_below(20))
		inner.fragment = 0x2000;
	if (!inner_below(20))
		inner.tos ^= 3;
	packet = add(pool, &inner, queue);
	if (!inner_below(10))
		packet_data(packet)[packet->length - 1] ^= 4;
	if (!inner.tcp && !inner_below(20))
		memset(packet_data(packet) + inner_transport(&inner) + 6, 0, 2);
	flow->id++;
	flow->sequence += (uint32_t)inner.payload_size;
	*sent = (struct sent){.size = packet->length, .flow = flow->ports[0]};
	memcpy(sent->data, packet_data(packet), packet->length);
	normalize(sent->data);
}

/* It must be the first of its flow that has not been found yet. */
static void find_sent(struct sent *sent, size_t count, struct packet *packet)
{
	uint8_t *data = packet_data(packet), *port = data + (data[0] == 0x45 ? 20 : 40);
	size_t i = 0;

	while (i < count && (sent[i].found || sent[i].flow != (uint32_t)(port[0] << 8 | port[1])))
		i++;
	assert_true(i < count);
	normalize(data);
	assert_int_equal(packet->length, sent[i].size);
	assert_memory_equal(data, sent[i].data, sent[i].size);
	sent[i].found = true;
}

/* Flows in a medley come out as they went in, each in its order. */
static void test_medley(void **state)
{
	static struct sent sent[150];
	struct packet_pool *pool = *state;
	size_t groups_made = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct offload_group groups[OFFLOAD_GROUPS];
		struct packet_queue queue = {}, again = {};
		struct inner flows[4];
		struct packet *packet;

		for (uint16_t i = 0; i < 4; i++) {
			flows[i] = inner_random(400 + inner_below(300));
			flows[i].ports[0] = i;
		}
		for (size_t i = 0; i < ARRAY_SIZE(sent); i++)
			send_one(pool, &flows[inner_below(4)], &sent[i], &queue);
		while (queue.first) {
			size_t count = offload_coalesce(&queue, true, groups);

			groups_made += count;
			for (size_t i = 0; i < count; i++)
				split_again(pool, &groups[i], &again);
		}
		assert_int_equal(again.count, ARRAY_SIZE(sent));
		while ((packet = packet_queue_pop(&again))) {
			find_sent(sent, ARRAY_SIZE(sent), packet);
			packet_put(pool, packet);
		}
	}
	/* Most packets are not alone. */
	assert_true(groups_made < ROUNDS * ARRAY_SIZE(sent) * 3 / 4);
}

#define with_pool(test) cmocka_unit_test_setup_teardown(test, inner_setup, inner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pool(test_coalesce_flow),	with_pool(test_rules),	with_pool(test_kinds),
		with_pool(test_identification), with_pool(test_damage), with_pool(test_ends),
		with_pool(test_without_udp),	with_pool(test_medley),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
