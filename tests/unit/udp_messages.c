/* wireguard/udp, the datagrams: what is sent through sockets of this machine arrives whole and in its
 * order, many a message or one by one, and what a kernel refuses is sent in another way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "wireguard/udp.h"

#define PACKETS 1000
#define WAIT	1000 /* milliseconds */

static unsigned int messages_sent, segmented, refused;
static int refuse_segments, refuse_source; /* the errno for them; 0: none */
static size_t refuse_from;		   /* segments of this size are too large */

static bool has_control(const struct msghdr *header, int level, int type)
{
	struct msghdr copy = *header;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c; c = CMSG_NXTHDR(&copy, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return true;
	return false;
}

/* In the place of libc's: a message a call, so that each can be refused. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	typeof(sendmmsg) *libc_sendmmsg = dlsym(RTLD_NEXT, "sendmmsg");
	const struct msghdr *header = &messages->msg_hdr;
	bool segments = has_control(header, SOL_UDP, UDP_SEGMENT);

	(void)count;
	errno = 0;
	if (refuse_source && has_control(header, IPPROTO_IP, IP_PKTINFO))
		errno = refuse_source;
	else if (refuse_segments && segments && header->msg_iov->iov_len >= refuse_from)
		errno = refuse_segments;
	if (errno) {
		refused++;
		return -1;
	}
	messages_sent++;
	segmented += segments;
	return libc_sendmmsg(fd, messages, 1, flags);
}

struct pair {
	struct packet_pool *pool;
	struct udp *from, *to;
};

static int setup(void **state)
{
	struct pair *pair = memory_zalloc(sizeof(*pair));
	struct error error;

	*state = pair;
	messages_sent = segmented = refused = 0;
	refuse_segments = refuse_source = 0;
	refuse_from = 0;
	pair->pool = packet_pool_create(PACKETS, 2000, &error);
	pair->from = udp_create(pair->pool, 0, &error);
	pair->to = udp_create(pair->pool, 0, &error);
	return udp_bind(pair->from, 0, &error) | udp_bind(pair->to, 0, &error);
}

/* Every packet must have come back. */
static int teardown(void **state)
{
	struct pair *pair = *state;
	size_t count = 0;

	udp_free(&pair->from);
	udp_free(&pair->to);
	while (packet_get(pair->pool))
		count++;
	packet_pool_free(&pair->pool);
	memory_free(state);
	return count == PACKETS ? 0 : -1;
}

/* A datagram of its number, to this machine: to 127.0.0.HOST, or ::1 for 0. */
static void add(struct pair *pair, struct packet_queue *queue, uint8_t number, uint8_t host,
		uint32_t size)
{
	struct packet *packet = packet_get(pair->pool);

	packet->length = size;
	memset(packet_data(packet), number, size);
	if (host) {
		packet->address.v4.sin_family = AF_INET;
		packet->address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
	} else {
		packet->address.v6.sin6_family = AF_INET6;
		packet->address.v6.sin6_addr = in6addr_loopback;
	}
	packet->address.v4.sin_port = htons(udp_port(pair->to)); /* as in IPv6 */
	packet_queue_push(queue, packet);
}

/* Sends them, and receives as many; the sizes and numbers are as they were. */
static void send_and_expect(struct pair *pair, struct packet_queue *queue, unsigned int family)
{
	struct pollfd wait = {udp_fd(pair->to, family), POLLIN, 0};
	struct packet_queue received = {};
	size_t count = queue->count;
	uint8_t numbers[PACKETS];
	uint32_t sizes[PACKETS], i = 0;

	for (struct packet *packet = queue->first; packet; packet = packet->next) {
		sizes[i] = packet->length;
		numbers[i++] = packet->length ? packet_data(packet)[0] : 0;
	}
	udp_send(pair->from, queue);
	assert_int_equal(queue->count, 0);
	while (received.count < count) {
		assert_int_equal(poll(&wait, 1, WAIT), 1);
		udp_receive(pair->to, family, &received);
	}
	assert_int_equal(received.count, count);
	i = 0;
	for (struct packet *packet = received.first; packet; packet = packet->next, i++) {
		assert_int_equal(packet->length, sizes[i]);
		for (uint32_t j = 0; j < packet->length; j++)
			assert_int_equal(packet_data(packet)[j], numbers[i]);
		assert_int_equal(ntohs(packet->address.v4.sin_port), udp_port(pair->from));
		if (family == 0)
			assert_int_not_equal(packet->source.v4.ipi_addr.s_addr, 0);
		else
			assert_true(IN6_IS_ADDR_LOOPBACK(&packet->source.v6.ipi6_addr));
	}
	packet_put_all(pair->pool, &received);
}

static void send_alike(struct pair *pair, size_t count, uint8_t host, uint32_t size)
{
	struct packet_queue queue = {};

	for (size_t i = 0; i < count; i++)
		add(pair, &queue, (uint8_t)i, host, size);
	send_and_expect(pair, &queue, host ? 0 : 1);
}

/* Many a message, of which the kernel takes 65507 bytes. */
static void test_together(void **state)
{
	for (uint8_t host = 0; host < 2; host++) {
		messages_sent = segmented = 0;
		send_alike(*state, 150, host, 1452);
		assert_int_equal(messages_sent, 5); /* 45 and 19, twice, and 22 */
		assert_int_equal(segmented, 5);
		send_alike(*state, 64, host, 32);
		assert_int_equal(messages_sent, 6);
		send_alike(*state, 1, host, 32);
		assert_int_equal(messages_sent, 7);
		assert_int_equal(segmented, 6);
	}
}

/* However few a message, a call receives UDP_BATCH of them, and leaves the rest for another. */
static void test_one_a_message(void **state)
{
	struct pair *pair = *state;
	struct packet_queue queue = {};

	refuse_segments = EIO;
	for (uint8_t i = 0; i < UDP_BATCH + 10; i++)
		add(pair, &queue, i, 1, 1000);
	udp_send(pair->from, &queue);
	assert_int_equal(messages_sent, UDP_BATCH + 10);
	udp_receive(pair->to, 0, &queue);
	assert_int_equal(queue.count, UDP_BATCH);
	udp_receive(pair->to, 0, &queue);
	assert_int_equal(queue.count, UDP_BATCH + 10);
	packet_put_all(pair->pool, &queue);
}

/* What differs in address, or is larger than the first, begins another message; what is smaller ends
 * one; and nothing at all is a datagram too. */
static void test_apart(void **state)
{
	static const struct {
		uint8_t host;
		uint16_t size;
	} datagrams[] = {{1, 100}, {1, 100}, {1, 50}, {1, 50}, {1, 50}, {1, 51}, {2, 51},
			 {2, 51},  {3, 51},  {1, 0},  {1, 0},  {1, 20}, {1, 20}, {1, 0}};
	struct packet_queue queue = {};

	for (size_t i = 0; i < ARRAY_SIZE(datagrams); i++)
		add(*state, &queue, (uint8_t)i, datagrams[i].host, datagrams[i].size);
	send_and_expect(*state, &queue, 0);
	assert_int_equal(messages_sent, 9);
	assert_int_equal(segmented, 4);
}

/* Those of different sources, too; in IPv6 there is one, and none. */
static void test_sources(void **state)
{
	for (uint8_t host = 0; host < 2; host++) {
		struct packet_queue queue = {};
		unsigned int i = 0;

		messages_sent = segmented = 0;
		for (uint8_t j = 0; j < 4; j++)
			add(*state, &queue, j, host, 100);
		for (struct packet *packet = queue.first; packet; packet = packet->next, i++) {
			if (host)
				packet->source.v4.ipi_spec_dst.s_addr =
					htonl(INADDR_LOOPBACK + i / 2);
			else if (i / 2)
				packet->source.v6.ipi6_addr = in6addr_loopback;
		}
		send_and_expect(*state, &queue, host ? 0 : 1);
		assert_int_equal(messages_sent, 2);
		assert_int_equal(segmented, 2);
	}
}

/* A device that computes no checksums: all one by one, for good. */
static void test_device_refuses(void **state)
{
	refuse_segments = EIO;
	send_alike(*state, 100, 1, 1000);
	assert_int_equal(refused, 1);
	assert_int_equal(messages_sent, 100);
	refuse_segments = 0;
	send_alike(*state, 10, 1, 30);
	assert_int_equal(messages_sent, 110);
}

/* A path that is narrower: what is as large, one by one. */
static void test_path_refuses(void **state)
{
	static const int errors[] = {EINVAL, EMSGSIZE};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		refuse_segments = errors[i];
		refuse_from = 1000 - i;
		messages_sent = refused = 0;
		send_alike(*state, 64, 1, 1000 - (uint32_t)i);
		assert_int_equal(refused, 1);
		assert_int_equal(messages_sent, 64);
		send_alike(*state, 10, 1, 1001);
		assert_int_equal(messages_sent, 74);
		send_alike(*state, 10, 1, 998);
		assert_int_equal(messages_sent, 75);
		assert_int_equal(refused, 1);
	}
}

/* A source that has gone is left out, and segments stay. */
static void test_source_is_refused(void **state)
{
	struct packet_queue queue = {};

	refuse_source = EINVAL;
	for (uint8_t i = 0; i < 10; i++)
		add(*state, &queue, i, 1, 100);
	for (struct packet *packet = queue.first; packet; packet = packet->next)
		packet->source.v4.ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK);
	send_and_expect(*state, &queue, 0);
	assert_int_equal(refused, 1);
	assert_int_equal(messages_sent, 1);
	assert_int_equal(segmented, 1);
}

/* Any other error is the end of a message, and of nothing else. */
static void test_other_errors(void **state)
{
	struct packet_queue queue = {};

	refuse_segments = ENETUNREACH;
	for (uint8_t i = 0; i < 10; i++)
		add(*state, &queue, i, 1, 100);
	udp_send(((struct pair *)*state)->from, &queue);
	assert_int_equal(messages_sent, 0);
	assert_int_equal(refused, 1);
	refuse_segments = 0;
	send_alike(*state, 10, 1, 100);
	assert_int_equal(messages_sent, 1);
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pair(test_together),
		with_pair(test_one_a_message),
		with_pair(test_apart),
		with_pair(test_sources),
		with_pair(test_device_refuses),
		with_pair(test_path_refuses),
		with_pair(test_source_is_refused),
		with_pair(test_other_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
