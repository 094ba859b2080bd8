/* Segmentation offload on real TUN devices: streams of TCP and large datagrams of UDP through the engine,
 * both ways, to and from wireguard-go (world.h), and how large the packets were that the kernel handed
 * the engine and took from it. One process has the sockets at both ends, each made in its namespace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/memory.h"
#include "kernel/netns.h"
#include "kernel/tun.h"
#include "wireguard/tun_queue.h"
#include "world.h"

#define STREAM	      (16 << 20) /* bytes */
#define MTU	      1420
#define WAIT	      5000 /* milliseconds */
#define DATAGRAM      1000
#define DATAGRAMS     30 /* in one call */
#define ROUNDS	      40
#define REFUSE_UDP    "TEST_REFUSE_UDP" /* in the environment: this kernel is older than 6.2 */
#define TUN_F_USO_ALL 0x60		/* TUN_F_USO4 | TUN_F_USO6 */

/* In the place of libc's, for the engine too. */
int ioctl(int fd, unsigned long request, ...)
{
	typeof(ioctl) *libc_ioctl = dlsym(RTLD_NEXT, "ioctl");
	unsigned long argument;
	va_list arguments;

	va_start(arguments, request);
	argument = va_arg(arguments, unsigned long);
	va_end(arguments);
	if (request == TUNSETOFFLOAD && (argument & TUN_F_USO_ALL) && getenv(REFUSE_UDP)) {
		errno = EINVAL;
		return -1;
	}
	return libc_ioctl(fd, request, argument);
}

/* What the engine's device has been handed and has taken, from the kernel's side. */
struct traffic {
	unsigned long long read_bytes, read_packets, written_bytes, written_packets;
};

static struct traffic traffic(const struct world *world)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	CLEANUP(file_close) FILE *file = NULL;
	struct traffic traffic;
	struct error error;
	char line[512];

	assert_int_equal(netns_visit_begin(&visit, world->inside.netns, &error), 0);
	file = fopen("/proc/thread-self/net/dev", "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		const char *name = strstr(line, world_device);

		if (name && sscanf(name + strlen(world_device),
				   ": %llu %llu %*u %*u %*u %*u %*u %*u %llu %llu",
				   &traffic.written_bytes, &traffic.written_packets,
				   &traffic.read_bytes, &traffic.read_packets) == 4)
			return traffic;
	}
	fail_msg("the device has no statistics");
	return traffic;
}

static int socket_in(const struct scratch *scratch, int family, int type)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	struct error error;
	int fd;

	assert_int_equal(netns_visit_begin(&visit, scratch->netns, &error), 0);
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	return fd;
}

/* An end of the tunnel, at a port that is free instead of the one of the text. */
static union socket_address bind_at(int fd, const char *text)
{
	union socket_address address;
	socklen_t size = sizeof(address);
	struct error error;

	assert_int_equal(socket_address_parse(text, &address, &error), 0);
	address.v4.sin_port = 0; /* in the same place in both families */
	assert_int_equal(bind(fd, &address.any, socket_address_size(&address)), 0);
	assert_int_equal(getsockname(fd, &address.any, &size), 0);
	return address;
}

/* Which byte stands at a place of a stream: none of the periods that packets could have. */
static uint8_t byte_at(size_t place)
{
	return (uint8_t)((place * 2654435761U) >> 13);
}

static void fill(uint8_t *bytes, size_t place, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_at(place + i);
}

static void expect_bytes(const uint8_t *bytes, size_t place, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != byte_at(place + i))
			fail_msg("another byte at %zu", place + i);
}

/* Sends and receives as it goes, until all has come. */
static void pass_stream(int from, int to)
{
	static uint8_t sent[1 << 16], received[1 << 16];
	size_t out = 0, in = 0, filled = 0;

	while (in < STREAM) {
		struct pollfd fds[] = {{from, out < STREAM ? POLLOUT : 0, 0}, {to, POLLIN, 0}};
		ssize_t size;

		assert_true(poll(fds, 2, WAIT) > 0);
		if (fds[0].revents & POLLOUT) {
			if (filled == out) {
				fill(sent, out, sizeof(sent));
				filled = out + sizeof(sent);
			}
			size = send(from, sent + sizeof(sent) - (filled - out), filled - out,
				    MSG_DONTWAIT);
			assert_true(size > 0);
			out += (size_t)size;
		}
		if (fds[1].revents & POLLIN) {
			size = recv(to, received, sizeof(received), MSG_DONTWAIT);
			assert_true(size > 0);
			expect_bytes(received, in, (size_t)size);
			in += (size_t)size;
		}
	}
}

static void stream(const struct scratch *from, const char *source, const struct scratch *to,
		   const char *destination)
{
	const int family = *source == '[' ? AF_INET6 : AF_INET;
	CLEANUP(fd_close) int listening = socket_in(to, family, SOCK_STREAM);
	CLEANUP(fd_close) int sending = socket_in(from, family, SOCK_STREAM);
	CLEANUP(fd_close) int receiving = -1;
	union socket_address address = bind_at(listening, destination);

	bind_at(sending, source);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(connect(sending, &address.any, socket_address_size(&address)), 0);
	receiving = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	assert_true(receiving >= 0);
	pass_stream(sending, receiving);
}

/* Sends bytes in datagrams: handed to the kernel at once, or one by one. A device that leaves checksums
 * to the kernel, as wireguard-go's does, cannot have them at once before Linux 6.11 (EIO). */
static void send_datagrams(int fd, bool at_once, const uint8_t *bytes, size_t size)
{
	const int segment = DATAGRAM;

	if (at_once) {
		assert_int_equal(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)),
				 0);
		assert_int_equal(send(fd, bytes, size, 0), size);
		return;
	}
	for (size_t i = 0; i < size; i += DATAGRAM) {
		size_t left = size - i < DATAGRAM ? size - i : DATAGRAM;

		assert_int_equal(send(fd, bytes + i, left, 0), left);
	}
}

/* Datagrams of which all of a round are received before the next. */
static void datagrams(const struct scratch *from, const char *source, const struct scratch *to,
		      const char *destination, bool at_once)
{
	const int family = *source == '[' ? AF_INET6 : AF_INET;
	CLEANUP(fd_close) int sending = socket_in(from, family, SOCK_DGRAM);
	CLEANUP(fd_close) int receiving = socket_in(to, family, SOCK_DGRAM);
	union socket_address address = bind_at(receiving, destination);
	uint8_t bytes[DATAGRAM * DATAGRAMS - 100];
	struct pollfd fds = {receiving, POLLIN, 0};

	bind_at(sending, source);
	assert_int_equal(connect(sending, &address.any, socket_address_size(&address)), 0);
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t place = round * sizeof(bytes);

		fill(bytes, place, sizeof(bytes));
		send_datagrams(sending, at_once, bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes);) {
			ssize_t size;

			if (poll(&fds, 1, WAIT) <= 0)
				fail_msg("round %zu: %zu bytes have come", round, i);
			size = recv(receiving, bytes, sizeof(bytes), 0);
			assert_int_equal(size, i + DATAGRAM < sizeof(bytes) ? DATAGRAM
									    : sizeof(bytes) - i);
			expect_bytes(bytes, place + i, (size_t)size);
			i += (size_t)size;
		}
	}
}

static void start(const struct world *world)
{
	world_must_start(world, 0);
	world_connect(world);
	assert_true(scratch_run(&world->inside, "ping -q -c 1 -W 5 10.79.0.2"));
	assert_true(scratch_run(&world->inside, "ping -q -c 1 -W 5 fd79::2"));
}

/* Were no packet larger than the MTU, there would be more. TCP makes few larger than two segments where
 * all is slow, and acknowledgements of the other way count too. */
static bool most_are_large(unsigned long long packets)
{
	return packets * MTU * 5 < STREAM * 4ULL;
}

/* The stream is large packets on the engine's side. */
static void expect_large_streams(const struct world *world, const char *inside, const char *outside)
{
	struct traffic before = traffic(world), after;

	stream(&world->inside, inside, &world->outside, outside);
	after = traffic(world);
	assert_true(after.read_bytes - before.read_bytes > STREAM);
	assert_true(most_are_large(after.read_packets - before.read_packets));
	before = after;
	stream(&world->outside, outside, &world->inside, inside);
	after = traffic(world);
	assert_true(after.written_bytes - before.written_bytes > STREAM);
	assert_true(most_are_large(after.written_packets - before.written_packets));
}

static void test_streams(void **state)
{
	start(*state);
	expect_large_streams(*state, "10.79.0.1:1", "10.79.0.2:1");
	expect_large_streams(*state, "[fd79::1]:1", "[fd79::2]:1");
}

/* Large or not, as it is to be. */
static void expect_datagrams(const struct world *world, const char *inside, const char *outside,
			     bool large)
{
	const unsigned long long count = ROUNDS * (unsigned long long)DATAGRAMS;
	struct traffic before = traffic(world), after;

	datagrams(&world->inside, inside, &world->outside, outside, true);
	after = traffic(world);
	if (large)
		assert_in_range(after.read_packets - before.read_packets, ROUNDS, 2 * ROUNDS);
	else
		assert_in_range(after.read_packets - before.read_packets, count, count + ROUNDS);
	before = after;
	datagrams(&world->outside, outside, &world->inside, inside, false);
	after = traffic(world);
	if (large)
		assert_in_range(after.written_packets - before.written_packets, ROUNDS, count - 1);
	else
		assert_in_range(after.written_packets - before.written_packets, count,
				count + ROUNDS);
}

/* Linux 6.2 and later. */
static bool kernel_has_udp(const struct world *world)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	CLEANUP(fd_close) int fd = -1;
	struct error error;

	assert_int_equal(netns_visit_begin(&visit, world->inside.netns, &error), 0);
	assert_int_equal(tun_open("asked", false, &fd, &error), 0);
	return ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_USO_ALL) == 0;
}

static void test_datagrams(void **state)
{
	bool udp = kernel_has_udp(*state);

	start(*state);
	expect_datagrams(*state, "10.79.0.1:1", "10.79.0.2:1", udp);
	expect_datagrams(*state, "[fd79::1]:1", "[fd79::2]:1", udp);
}

/* A kernel before 6.2 has large packets of TCP alone. */
static void test_without_udp(void **state)
{
	assert_int_equal(setenv(REFUSE_UDP, "", true), 0);
	assert_false(kernel_has_udp(*state));
	start(*state);
	unsetenv(REFUSE_UDP);
	expect_large_streams(*state, "10.79.0.1:1", "10.79.0.2:1");
	expect_datagrams(*state, "10.79.0.1:1", "10.79.0.2:1", false);
}

/* What stands there since before there was any offload, with its addresses. */
static void test_older_device(void **state)
{
	const struct world *world = *state;

	assert_true(scratch_run(&world->inside, "ip tuntap add %s mode tun", world_device));
	assert_true(
		scratch_run(&world->inside, "ip address add 10.79.9.9/32 dev %s", world_device));
	start(world);
	assert_true(
		scratch_run(&world->inside, "ip address show dev %s to 10.79.9.9", world_device));
	expect_large_streams(world, "10.79.0.1:1", "10.79.0.2:1");
}

/* And what has been used with a header of another size, by a program that knows more of them. */
static void test_other_header(void **state)
{
	const struct world *world = *state;
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	CLEANUP(fd_close) int fd = -1;
	struct error error;
	int size = 12;

	assert_int_equal(netns_visit_begin(&visit, world->inside.netns, &error), 0);
	assert_int_equal(tun_open(world_device, true, &fd, &error), 0);
	assert_int_equal(ioctl(fd, TUNSETVNETHDRSZ, &size), 0);
	fd_close(&fd);
	netns_visit_end(&visit);
	start(world);
}

static void test_state(void **state)
{
	const struct world *world = *state;
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	CLEANUP(packet_pool_free) struct packet_pool *pool = NULL;
	CLEANUP(tun_queue_free) struct tun_queue *queue = NULL;
	CLEANUP(fd_close) int fd = -1;
	struct packet_queue packets = {};
	struct error error;

	pool = packet_pool_create(4, 1500, &error);
	assert_int_equal(netns_visit_begin(&visit, world->inside.netns, &error), 0);
	assert_int_equal(tun_open(world_device, false, &fd, &error), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	queue = tun_queue_create(fd, pool, &error);
	assert_non_null(queue);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tun_queue_state(queue), 0);
		assert_true(scratch_run(&world->inside, "ip link set %s up", world_device));
		assert_int_equal(tun_queue_state(queue), 1);
		assert_int_equal(tun_queue_read(queue, &packets), 0);
		packet_put_all(pool, &packets);
		assert_true(scratch_run(&world->inside, "ip link set %s down", world_device));
	}
	assert_true(scratch_run(&world->inside, "ip link set %s up netns %s", world_device,
				world->outside.name));
	assert_true(scratch_run(&world->outside, "ip link set %s up", world_device));
	assert_int_equal(tun_queue_state(queue), 1);
	assert_true(scratch_run(&world->outside, "ip link del %s", world_device));
	assert_int_equal(tun_queue_state(queue), -EBADFD);
	assert_int_equal(tun_queue_read(queue, &packets), -EBADFD);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_streams, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_datagrams, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_without_udp, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_older_device, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_other_header, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_state, world_setup, world_teardown),
	};

	if (argc > 2 && strcmp(argv[1], "engine") == 0)
		return world_live_as_engine(argc, argv);
	world_name_devices("so");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
