/* The program of egress/ that judges options of sockets, on the running kernel, as root, in the place
 * of place.h: groups are joined on the tunnel or lo alone, and nothing else has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "egress/egress.h"
#include "egress/maps.h"
#include "egress/status.h"
#include "place.h"

#define LO   1
#define LONG 5000 /* more of an option than the kernel shows to a program */

static int install(const struct place *place)
{
	struct error error;

	return egress_install(PLACE_SUBU, place->cgroup, &place->config, &error);
}

static uint64_t stopped(const struct place *place, enum egress_reason reason)
{
	struct egress_status status;
	struct error error;

	assert_int_equal(egress_observe(PLACE_SUBU, place->cgroup, &status, &error), 0);
	return status.counters[reason];
}

/* What setsockopt() is given to join groups and the like, and how much of it there is. */
static const struct form {
	int family, first, last; /* options */
	socklen_t size, number;	 /* of it all; up to the end of the interface's number */
} forms[] = {
	{AF_INET, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, sizeof(struct ip_mreqn), 12},
	{AF_INET, MCAST_JOIN_GROUP, MCAST_LEAVE_SOURCE_GROUP, sizeof(struct group_source_req), 4},
	{AF_INET, MCAST_MSFILTER, MCAST_MSFILTER, GROUP_FILTER_SIZE(0), 4},
	{AF_INET6, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, sizeof(struct ipv6_mreq), 20},
	{AF_INET6, IPV6_JOIN_ANYCAST, IPV6_LEAVE_ANYCAST, sizeof(struct ipv6_mreq), 20},
	{AF_INET6, MCAST_JOIN_GROUP, MCAST_LEAVE_SOURCE_GROUP, sizeof(struct group_source_req), 4},
	{AF_INET6, MCAST_MSFILTER, MCAST_MSFILTER, GROUP_FILTER_SIZE(0), 4},
};

static bool joins(int option)
{
	return option == IP_ADD_MEMBERSHIP || option == IPV6_JOIN_GROUP ||
	       option == MCAST_JOIN_GROUP || option == MCAST_JOIN_SOURCE_GROUP;
}

/* What the child asks for. */
static struct {
	int family, option;
	uint32_t device;
	socklen_t size;
} asked;

union option_value {
	struct ip_mreqn number4;
	struct ipv6_mreq number6;
	struct group_source_req source;
	struct group_filter filter;
	uint8_t bytes[LONG];
};

static struct sockaddr_storage address(const char *ipv4, const char *ipv6)
{
	struct sockaddr_storage address = {.ss_family = (sa_family_t)asked.family};

	if (asked.family == AF_INET)
		inet_pton(AF_INET, ipv4, &((struct sockaddr_in *)&address)->sin_addr);
	else
		inet_pton(AF_INET6, ipv6, &((struct sockaddr_in6 *)&address)->sin6_addr);
	return address;
}

/* The address of an interface is the tunnel's throughout: it is the number that counts. */
static union option_value option_value(void)
{
	const struct sockaddr_storage group = address("239.1.2.3", "ff05::77");
	union option_value value = {};

	if (asked.option == MCAST_MSFILTER) {
		value.filter.gf_interface = asked.device;
		value.filter.gf_group = group;
		value.filter.gf_fmode = MCAST_EXCLUDE;
	} else if (asked.option >= MCAST_JOIN_GROUP) {
		value.source.gsr_interface = asked.device;
		value.source.gsr_group = group;
		value.source.gsr_source = address(PLACE_FAR, PLACE_FAR6);
	} else if (asked.family == AF_INET6) {
		value.number6.ipv6mr_multiaddr = ((const struct sockaddr_in6 *)&group)->sin6_addr;
		value.number6.ipv6mr_interface = asked.device;
	} else {
		value.number4.imr_multiaddr = ((const struct sockaddr_in *)&group)->sin_addr;
		inet_pton(AF_INET, "10.99.0.1", &value.number4.imr_address);
		value.number4.imr_ifindex = (int)asked.device;
	}
	return value;
}

static int set_membership(int fd)
{
	const int level = asked.family == AF_INET ? SOL_IP : SOL_IPV6;
	union option_value value = option_value();

	return setsockopt(fd, level, asked.option, &value, asked.size) < 0 ? errno : 0;
}

static int ask(const struct place *place)
{
	int fd = socket(asked.family, SOCK_DGRAM, 0);

	place_drop();
	return set_membership(fd);
}

/* The same in a namespace of its own, where it has the index of lo alone. */
static int ask_nested(const struct place *place)
{
	place_drop();
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0
		       ? 253
		       : set_membership(socket(asked.family, SOCK_DGRAM, 0));
}

/* Refused, and counted as what it is: where there is no such device the kernel would say the same. */
static bool is_refused(const struct place *place, int (*how)(const struct place *),
		       enum egress_reason reason)
{
	const uint64_t before = stopped(place, reason);
	const int code = place_run(place, how);
	const uint64_t more = stopped(place, reason) - before;

	assert_in_range(code, 0, 252);
	assert_int_equal(more, more ? 1 : 0);
	assert_int_equal(code == ENODEV, more == 1);
	return more == 1;
}

static bool refuses(const struct place *place, const struct form *form, int option, uint32_t device,
		    socklen_t size)
{
	asked = (typeof(asked)){form->family, option, device, size};
	return is_refused(place, ask, EGRESS_REFUSED_GROUP);
}

static void judge_form(const struct place *place, const struct form *form, int option)
{
	const uint32_t tunnel = place->config.tunnel;

	print_message("# IPv%d, option %d\n", form->family == AF_INET ? 4 : 6, option);
	assert_true(refuses(place, form, option, place->lan, form->size));
	assert_true(refuses(place, form, option, 0, form->size));
	assert_true(refuses(place, form, option, 77, form->size));
	assert_true(refuses(place, form, option, tunnel, form->number - 1));
	assert_true(refuses(place, form, option, tunnel, 0));
	assert_true(refuses(place, form, option, tunnel, LONG));
	assert_false(refuses(place, form, option, tunnel, form->number));
	assert_false(refuses(place, form, option, LO, form->size));
	assert_false(refuses(place, form, option, tunnel, form->size));
	if (joins(option))
		assert_int_equal(place_run(place, ask), 0);
}

static void test_groups_are_joined_on_the_tunnel_and_lo(void **state)
{
	const struct place *place = *state;

	asked = (typeof(asked)){AF_INET, MCAST_JOIN_SOURCE_GROUP, place->lan,
				sizeof(struct group_source_req)};
	assert_int_equal(place_run(place, ask), 0); /* while it is not steered */
	assert_int_equal(install(place), 0);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		for (int option = forms[i].first; option <= forms[i].last; option++)
			judge_form(place, &forms[i], option);
}

/* By an address, even by the tunnel's own. */
static void test_no_group_is_joined_by_an_address(void **state)
{
	static const struct form form = {AF_INET, IP_ADD_MEMBERSHIP, IP_MSFILTER, 0, 0};
	const struct place *place = *state;

	assert_int_equal(install(place), 0);
	for (int option = form.first; option <= form.last; option++) {
		assert_true(refuses(place, &form, option, 0, sizeof(struct ip_mreq)));
		assert_true(refuses(place, &form, option, 0, sizeof(struct ip_mreqn)));
	}
	for (int option = IP_UNBLOCK_SOURCE; option <= IP_MSFILTER; option++)
		assert_true(refuses(place, &form, option, place->config.tunnel,
				    sizeof(struct ip_mreqn)));
}

static void test_in_a_nested_namespace_groups_are_joined_on_lo(void **state)
{
	const struct place *place = *state;

	assert_int_equal(install(place), 0);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		asked = (typeof(asked)){forms[i].family, forms[i].first, place->config.tunnel,
					forms[i].size};
		assert_true(is_refused(place, ask_nested, EGRESS_REFUSED_GROUP));
		asked.device = LO;
		assert_false(is_refused(place, ask_nested, EGRESS_REFUSED_GROUP));
	}
}

/* The socket is one of before: there are no new ones. Other options are not held back. */
static int ask_without_configuration(const struct place *place)
{
	const struct egress_config none = {.layout = EGRESS_LAYOUT};
	CLEANUP(fd_close) int config = -1;
	CLEANUP(fd_close) int counters = -1;
	int fd = socket(asked.family, SOCK_DGRAM, 0), one = 1;
	struct error error;

	if (install(place) != 0 || maps_open(PLACE_SUBU, &config, &counters, &error) != 0 ||
	    maps_write_config(config, &none, &error) != 0)
		return 253;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return 254;
	return set_membership(fd);
}

static void test_no_group_without_a_configuration(void **state)
{
	const struct place *place = *state;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct error error;

		asked = (typeof(asked)){forms[i].family, forms[i].first, LO, forms[i].size};
		assert_int_equal(place_run(place, ask_without_configuration), ENODEV);
		assert_int_equal(stopped(place, EGRESS_REFUSED_CONFIG), 1);
		assert_int_equal(egress_remove(PLACE_SUBU, &error), 0);
	}
}

static bool is_membership(int level, int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (level == (forms[i].family == AF_INET ? SOL_IP : SOL_IPV6) &&
		    option >= forms[i].first && option <= forms[i].last)
			return true;
	return level == SOL_IP && option >= IP_UNBLOCK_SOURCE && option <= IP_MSFILTER;
}

#define OPTIONS 100 /* of each level; the highest one in use is below */

/* What the kernel says to every option, whose value is 1, for each length. */
static void try_options(int fd, int8_t ret[])
{
	static const int levels[] = {SOL_SOCKET, SOL_IP, SOL_IPV6, SOL_TCP};
	static const socklen_t sizes[] = {0, 1, sizeof(int), LONG};
	static const uint8_t value[LONG] = {1};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		for (int option = 0; option < OPTIONS; option++)
			for (size_t j = 0; j < ARRAY_SIZE(sizes); j++)
				if (!is_membership(levels[i], option) &&
				    !(levels[i] == SOL_TCP && option == TCP_ULP))
					*ret++ = setsockopt(fd, levels[i], option, value,
							    sizes[j]) < 0
							 ? (int8_t)errno
							 : 0;
}

/* By two sockets that are alike, of before. */
static int compare_options(const struct place *place)
{
	int plain = socket(AF_INET6, SOCK_STREAM, 0), judged = socket(AF_INET6, SOCK_STREAM, 0);
	int8_t before[4 * 4 * OPTIONS] = {}, after[4 * 4 * OPTIONS] = {};

	try_options(plain, before);
	if (install(place) != 0)
		return 253;
	try_options(judged, after);
	return memcmp(before, after, sizeof(before)) == 0 ? 0 : 1;
}

static int set_long_option(const struct place *place)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), value[LONG / sizeof(int)] = {9000}, now;
	socklen_t size = sizeof(now);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, sizeof(value)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &now, &size) < 0)
		return errno;
	return now == 2 * value[0] ? 0 : 253;
}

static void test_other_options_are_what_they_were(void **state)
{
	const struct place *place = *state;

	assert_int_equal(place_run(place, compare_options), 0);
	assert_int_equal(place_run(place, set_long_option), 0);
}

static int ask_for(const char *protocol, socklen_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	place_drop(); /* the kernel loads no module for nobody */
	return setsockopt(fd, SOL_TCP, TCP_ULP, protocol, size) < 0 ? errno : 0;
}

static int ask_for_smc(const struct place *place)
{
	return ask_for("smc", 3);
}

static int ask_for_smc_at_length(const struct place *place)
{
	return ask_for((const char[LONG]){"smc"}, LONG);
}

static int ask_for_another(const struct place *place)
{
	return ask_for("none", 4);
}

static void test_no_smc_beside_tcp(void **state)
{
	const struct place *place = *state;

	assert_int_not_equal(place_run(place, ask_for_smc), EPERM); /* the kernel's own word */
	assert_int_equal(install(place), 0);
	assert_int_equal(place_run(place, ask_for_smc), EPERM);
	assert_int_equal(place_run(place, ask_for_smc_at_length), EPERM);
	assert_int_equal(place_run(place, ask_for_another), ENOENT);
}

#define with_place(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_place(test_groups_are_joined_on_the_tunnel_and_lo),
		with_place(test_no_group_is_joined_by_an_address),
		with_place(test_in_a_nested_namespace_groups_are_joined_on_lo),
		with_place(test_no_group_without_a_configuration),
		with_place(test_other_options_are_what_they_were),
		with_place(test_no_smc_beside_tcp),
	};

	return place_unshare() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
