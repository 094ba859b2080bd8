/* The programs of egress/ on the running kernel, as root: what they do to packets and sockets, in the
 * place of place.h. The packets' program can be run alone (BPF_PROG_TEST_RUN); the others see real
 * sockets, of a child in the control group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "egress/egress.h"
#include "egress/maps.h"
#include "egress/pin.h"
#include "egress/programs.h"
#include "egress/status.h"
#include "kernel/netns.h"
#include "place.h"

#define LO 1

static int map_fd(const struct bpf_object *programs, const char *name)
{
	return bpf_object__find_map_fd_by_name(programs, name);
}

static void configure(const struct bpf_object *programs, const struct egress_config *config)
{
	struct error error;

	assert_int_equal(maps_write_config(map_fd(programs, "config"), config, &error), 0);
}

/* Is a packet of that protocol let out by the device? */
static bool passes(const struct place *place, const struct bpf_object *programs, uint32_t device,
		   uint16_t protocol)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	uint8_t packet[sizeof(struct ethhdr) + 40] = {};
	struct __sk_buff context = {.ifindex = device};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet),
		    .ctx_in = &context, .ctx_size_in = sizeof(context));
	struct error error;

	((struct ethhdr *)packet)->h_proto = htons(protocol);
	packet[sizeof(struct ethhdr)] = protocol == ETH_P_IP ? 0x45 : 0x60;
	assert_int_equal(netns_visit_begin(&visit, place->scratch.netns, &error), 0);
	assert_int_equal(bpf_prog_test_run_opts(program_fd(programs, &egress_hooks[0]), &options),
			 0);
	return options.retval;
}

static uint64_t stopped(int fd, enum egress_reason reason)
{
	uint64_t counters[EGRESS_REASON_COUNT];
	struct error error;

	assert_int_equal(maps_read_counters(fd, counters, &error), 0);
	return counters[reason];
}

static void test_packets_leave_by_the_tunnel_and_lo(void **state)
{
	static const uint16_t protocols[] = {ETH_P_IP, ETH_P_IPV6};
	const struct place *place = *state;
	CLEANUP(programs_close) struct bpf_object *programs = NULL;
	struct error error;
	int counters;

	assert_int_equal(programs_load(-1, -1, &programs, &error), 0);
	counters = map_fd(programs, "counters");
	configure(programs, &place->config);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		assert_true(passes(place, programs, place->config.tunnel, protocols[i]));
		assert_true(passes(place, programs, LO, protocols[i]));
		assert_int_equal(stopped(counters, EGRESS_DROPPED_INTERFACE), i);
		assert_false(passes(place, programs, place->lan, protocols[i]));
		assert_int_equal(stopped(counters, EGRESS_DROPPED_INTERFACE), i + 1);
	}
	assert_int_equal(stopped(counters, EGRESS_DROPPED_CONFIG), 0);
}

static void test_no_packet_leaves_without_a_configuration(void **state)
{
	const struct place *place = *state;
	const struct egress_config other = {EGRESS_LAYOUT + 1, place->config.tunnel,
					    place->config.netns_cookie};
	const struct egress_config none = {EGRESS_LAYOUT, 0, place->config.netns_cookie};
	const struct egress_config configs[] = {{}, other, none};
	const uint32_t devices[] = {place->config.tunnel, place->lan, LO};
	CLEANUP(programs_close) struct bpf_object *programs = NULL;
	struct error error;
	uint64_t count = 0;

	assert_int_equal(programs_load(-1, -1, &programs, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		configure(programs, &configs[i]);
		for (size_t j = 0; j < ARRAY_SIZE(devices); j++) {
			assert_false(passes(place, programs, devices[j], ETH_P_IP));
			assert_false(passes(place, programs, devices[j], ETH_P_IPV6));
			count += 2;
		}
	}
	assert_int_equal(stopped(map_fd(programs, "counters"), EGRESS_DROPPED_CONFIG), count);
	assert_int_equal(stopped(map_fd(programs, "counters"), EGRESS_DROPPED_INTERFACE), 0);
}

static void test_counters_add_up_over_processors(void **state)
{
	const struct place *place = *state;
	CLEANUP(programs_close) struct bpf_object *programs = NULL;
	struct error error;
	cpu_set_t all, one;
	uint64_t count = 0;

	assert_int_equal(programs_load(-1, -1, &programs, &error), 0);
	configure(programs, &place->config);
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
		for (int j = 0; j <= i; j++, count++)
			assert_false(passes(place, programs, place->lan, ETH_P_IP));
	}
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(stopped(map_fd(programs, "counters"), EGRESS_DROPPED_INTERFACE), count);
}

/* What follows runs in a child, which answers with a number: a device's, or a positive errno. */

static int bound_to(int fd)
{
	socklen_t size = sizeof(int);
	int device = 253;

	getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, &size);
	return device;
}

static struct sockaddr_storage far(int family)
{
	struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&address;

	if (family == AF_INET) {
		ipv4->sin_port = htons(9);
		inet_pton(AF_INET, PLACE_FAR, &ipv4->sin_addr);
	} else {
		ipv6->sin6_port = htons(9);
		inet_pton(AF_INET6, PLACE_FAR6, &ipv6->sin6_addr);
	}
	return address;
}

/* Sends one packet, connected or not. */
static int use(int fd, int family, bool connected)
{
	struct sockaddr_storage address = far(family);
	const struct sockaddr *to = (const struct sockaddr *)&address;

	if (connected && connect(fd, to, sizeof(address)) < 0)
		return errno;
	if (connected)
		return send(fd, "x", 1, 0) < 0 ? errno : 0;
	return sendto(fd, "x", 1, 0, to, sizeof(address)) < 0 ? errno : 0;
}

static int install(const struct place *place)
{
	struct error error;

	return egress_install(PLACE_SUBU, place->cgroup, &place->config, &error);
}

static int make_sockets(const struct place *place)
{
	static const int kinds[] = {SOCK_DGRAM, SOCK_STREAM, SOCK_RAW};
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t j = 0; j < ARRAY_SIZE(families); j++) {
			int fd = socket(families[j], kinds[i], kinds[i] == SOCK_RAW ? 254 : 0);

			if (fd < 0 || bound_to(fd) != (int)place->config.tunnel)
				return 253;
		}
	return bound_to(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)) == (int)place->config.tunnel
		       ? 0
		       : 252;
}

static int make_local_sockets(const struct place *place)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || socket(AF_NETLINK, SOCK_RAW, 0) < 0
		       ? errno
		       : 0;
}

static void test_sockets_are_bound_when_they_are_made(void **state)
{
	const struct place *place = *state;

	assert_true(scratch_run(&place->scratch, "sysctl net.ipv4.ping_group_range='0 65535'"));
	assert_int_equal(install(place), 0);
	assert_int_equal(place_run(place, make_sockets), 0);
	assert_int_equal(place_run(place, make_local_sockets), 0);
}

static int make_socket(const struct place *place)
{
	return socket(AF_INET6, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static void test_no_socket_without_a_configuration(void **state)
{
	const struct place *place = *state;
	CLEANUP(fd_close) int config = -1;
	CLEANUP(fd_close) int counters = -1;
	struct error error;

	assert_int_equal(install(place), 0);
	assert_int_equal(maps_open(PLACE_SUBU, &config, &counters, &error), 0);
	assert_int_equal(maps_write_config(config, &(struct egress_config){}, &error), 0);
	assert_int_equal(place_run(place, make_socket), ENETUNREACH);
	assert_int_equal(stopped(counters, EGRESS_REFUSED_CONFIG), 1);
	assert_int_equal(place_run(place, make_local_sockets), 0);
}

/* Of a socket that was made in the group before the programs came: by the family and the call. */
static int adopt(const struct place *place, int family, bool connected)
{
	int fd = socket(family, SOCK_DGRAM, 0), code;

	if (bound_to(fd) != 0 || install(place) != 0)
		return 253;
	place_drop();
	code = use(fd, family, connected);
	/* The kernel has chosen the way of this very packet before it asked. */
	if (!connected && code == EPERM)
		code = use(fd, family, connected);
	return code ? code : bound_to(fd);
}

static int adopt_sendto(const struct place *place)
{
	return adopt(place, AF_INET, false);
}

static int adopt_sendto6(const struct place *place)
{
	return adopt(place, AF_INET6, false);
}

static int adopt_connect(const struct place *place)
{
	return adopt(place, AF_INET, true);
}

static int adopt_connect6(const struct place *place)
{
	return adopt(place, AF_INET6, true);
}

static void test_older_sockets_are_bound_when_they_are_used(void **state)
{
	static int (*const ways[])(const struct place *) = {adopt_sendto, adopt_sendto6,
							    adopt_connect, adopt_connect6};
	const struct place *place = *state;
	struct error error;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		assert_int_equal(place_run(place, ways[i]), place->config.tunnel);
		assert_int_equal(egress_remove(PLACE_SUBU, &error), 0);
	}
	assert_int_equal(place_sent(place, "lan0"), 0);
	assert_true(place_sent(place, "tunnel0") >= ARRAY_SIZE(ways));
}

/* Of a socket that was connected before, which neither connect() nor sendmsg() shows again. */
static int send_on(const struct place *place)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (use(fd, AF_INET, true) != 0 || install(place) != 0)
		return 253;
	place_drop();
	return send(fd, "x", 1, 0) < 0 ? errno : 0;
}

static void test_older_connections_are_cut(void **state)
{
	const struct place *place = *state;
	CLEANUP(fd_close) int counters = -1;
	struct error error;

	assert_int_equal(place_run(place, send_on), EPERM);
	assert_int_equal(place_sent(place, "lan0"), 1); /* of before */
	assert_int_equal(pin_open(PLACE_SUBU, "counters", &counters, &error), 0);
	assert_int_equal(stopped(counters, EGRESS_DROPPED_INTERFACE), 1);
}

static int use_bound_elsewhere(const struct place *place, int family, bool connected)
{
	int fd = socket(family, SOCK_DGRAM, 0), device = (int)place->lan;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)) < 0 ||
	    install(place) != 0)
		return 253;
	place_drop();
	return use(fd, family, connected);
}

static int elsewhere_sendto(const struct place *place)
{
	return use_bound_elsewhere(place, AF_INET, false);
}

static int elsewhere_connect(const struct place *place)
{
	return use_bound_elsewhere(place, AF_INET6, true);
}

static void test_sockets_bound_elsewhere_are_refused(void **state)
{
	const struct place *place = *state;
	CLEANUP(fd_close) int counters = -1;
	struct error error;

	assert_int_equal(place_run(place, elsewhere_sendto), ENETUNREACH);
	assert_int_equal(place_run(place, elsewhere_connect), ENETUNREACH);
	assert_int_equal(place_sent(place, "lan0"), 0);
	assert_int_equal(pin_open(PLACE_SUBU, "counters", &counters, &error), 0);
	assert_int_equal(stopped(counters, EGRESS_REFUSED_DEVICE), 2);
}

static int bind_anew(const struct place *place)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), device = (int)place->lan;

	place_drop();
	return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)) < 0 ? errno
											 : 0;
}

static void test_nobody_binds_anew(void **state)
{
	const struct place *place = *state;

	assert_int_equal(install(place), 0);
	assert_int_equal(place_run(place, bind_anew), EPERM);
}

static int nest(const struct place *place)
{
	return unshare(CLONE_NEWNET) < 0 ? 253 : bound_to(socket(AF_INET, SOCK_DGRAM, 0));
}

static int nest_as_nobody(const struct place *place)
{
	place_drop();
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? 253
							 : bound_to(socket(AF_INET, SOCK_DGRAM, 0));
}

/* A device of its own there may have the number that the tunnel has here. */
static void test_in_a_nested_namespace_there_is_lo(void **state)
{
	const struct place *place = *state;

	assert_int_equal(install(place), 0);
	assert_int_equal(place_run(place, nest), LO);
	assert_int_equal(place_run(place, nest_as_nobody), LO);
}

#define with_place(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_place(test_packets_leave_by_the_tunnel_and_lo),
		with_place(test_no_packet_leaves_without_a_configuration),
		with_place(test_counters_add_up_over_processors),
		with_place(test_sockets_are_bound_when_they_are_made),
		with_place(test_no_socket_without_a_configuration),
		with_place(test_older_sockets_are_bound_when_they_are_used),
		with_place(test_older_connections_are_cut),
		with_place(test_sockets_bound_elsewhere_are_refused),
		with_place(test_nobody_binds_anew),
		with_place(test_in_a_nested_namespace_there_is_lo),
	};

	return place_unshare() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
