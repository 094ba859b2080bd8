/* kernel/link, address, route, route_rule, tun, netlink and resolve on the running kernel, as root:
 *
 *	scratch namespace:  lo   tun0 (ours)   veth0 ── veth1
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/address.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "kernel/resolve.h"
#include "kernel/route.h"
#include "kernel/tun.h"
#include "scratch.h"

static int tun_open_inside(const struct scratch *scratch, const char *name, bool persistent,
			   int *ret_fd, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;

	assert_int_equal(netns_visit_begin(&visit, scratch->netns, error), 0);
	return tun_open(name, persistent, ret_fd, error);
}

/* Makes tun0, up, and returns its index. */
static unsigned int make_tun0(struct scratch *scratch)
{
	CLEANUP(fd_close) int fd = -1;
	struct link_info link;
	struct error error;

	assert_int_equal(tun_open_inside(scratch, "tun0", true, &fd, &error), 0);
	assert_int_equal(link_set_no_ipv6_autoconf(&scratch->netlink, "tun0", &error), 0);
	assert_int_equal(link_set_up(&scratch->netlink, "tun0", true, &error), 0);
	assert_int_equal(link_find(&scratch->netlink, "tun0", &link, &error), 0);
	return link.index;
}

static struct cidr cidr_of(const char *text)
{
	struct error error;
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr, &error), 0);
	return cidr;
}

static void test_links(void **state)
{
	struct scratch *scratch = *state;
	CLEANUP(memory_free) struct link_info *links = NULL;
	struct link_info link = {.index = 77};
	struct error error;
	size_t count;

	assert_true(scratch_run(scratch, "ip link add veth0 type veth peer name veth1"));
	assert_int_equal(link_find(&scratch->netlink, "none", &link, &error), -ENODEV);
	assert_int_equal(link_find(&scratch->netlink, "", &link, &error), -EINVAL);
	assert_int_equal(link_find(&scratch->netlink, "abcdefghijklmnop", &link, &error), -EINVAL);
	assert_int_equal(link.index, 77);
	make_tun0(scratch);
	assert_int_equal(link_set_mtu(&scratch->netlink, "tun0", 1420, &error), 0);
	assert_int_equal(link_set_mtu(&scratch->netlink, "tun0", 5, &error), -EINVAL);
	assert_non_null(strstr(error.text, "mtu less than device minimum"));
	assert_int_equal(link_list(&scratch->netlink, &links, &count, &error), 0);
	assert_int_equal(count, 4);
	assert_string_equal(links[0].name, "lo");
	assert_string_equal(links[0].kind, "");
	assert_false(links[0].up);
	assert_string_equal(links[1].kind, "veth");
	assert_string_equal(links[3].name, "tun0");
	assert_string_equal(links[3].kind, "tun");
	assert_int_equal(links[3].mtu, 1420);
	assert_true(links[3].up);
	assert_int_equal(link_set_up(&scratch->netlink, "tun0", false, &error), 0);
	assert_int_equal(link_find(&scratch->netlink, "tun0", &link, &error), 0);
	assert_false(link.up);
	assert_int_equal(link_delete(&scratch->netlink, "tun0", &error), 0);
	assert_int_equal(link_delete(&scratch->netlink, "tun0", &error), 0);
	assert_int_equal(link_set_up(&scratch->netlink, "tun0", true, &error), -ENODEV);
	assert_int_equal(link_set_mtu(&scratch->netlink, "tun0", 1420, &error), -ENODEV);
	assert_int_equal(link_set_no_ipv6_autoconf(&scratch->netlink, "tun0", &error), -ENODEV);
}

static void test_no_link_local_address(void **state)
{
	struct scratch *scratch = *state;
	struct error error;

	assert_true(scratch_run(scratch, "ip link add veth0 type veth peer name veth1"));
	assert_int_equal(link_set_no_ipv6_autoconf(&scratch->netlink, "veth0", &error), 0);
	assert_int_equal(link_set_up(&scratch->netlink, "veth0", true, &error), 0);
	assert_int_equal(link_set_up(&scratch->netlink, "veth1", true, &error), 0);
	assert_true(scratch_run(scratch, "grep -q veth1 /proc/net/if_inet6"));
	assert_false(scratch_run(scratch, "grep -q veth0 /proc/net/if_inet6"));
}

static void test_addresses(void **state)
{
	static const char *const texts[] = {"10.1.2.3/24", "10.1.2.4/32", "2001:db8::1/64",
					    "fd00::5/128"};
	struct scratch *scratch = *state;
	CLEANUP(cidr_list_clear) struct cidr_list list = {};
	unsigned int tun0 = make_tun0(scratch);
	struct cidr cidr;
	struct error error;

	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			cidr = cidr_of(texts[i]);
			assert_int_equal(address_add(&scratch->netlink, tun0, &cidr, &error), 0);
		}
	}
	assert_true(scratch_run(scratch, "ip address add 10.9.9.1 peer 10.9.9.2 dev tun0"));
	assert_true(scratch_run(scratch, "ip address add fe80::1/64 dev tun0")); /* scope link */
	assert_true(scratch_run(scratch, "ip address add 10.8.8.8/32 dev lo"));
	assert_false(scratch_run(scratch,
				 "sh -c '{ ip route; ip -6 route; } | grep -v fe80 | "
				 "grep -v 10.9.9.2 | grep -q .'"));
	assert_false(scratch_run(scratch, "grep -q ' 40 00 40 .*tun0' /proc/net/if_inet6"));
	assert_int_equal(address_list(&scratch->netlink, tun0, &list, &error), 0);
	assert_int_equal(list.count, ARRAY_SIZE(texts) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cidr = cidr_of(texts[i]);
		assert_true(cidr_list_holds(&list, &cidr));
		for (size_t round = 0; round < 2; round++)
			assert_int_equal(address_delete(&scratch->netlink, tun0, &cidr, &error), 0);
	}
	cidr_list_clear(&list);
	assert_int_equal(address_list(&scratch->netlink, tun0, &list, &error), 0);
	assert_int_equal(list.count, 1);
	cidr = cidr_of("10.9.9.1/32"); /* the local end, not the peer */
	assert_true(cidr_list_holds(&list, &cidr));
	assert_int_equal(address_add(&scratch->netlink, 9999, &cidr, &error), -ENODEV);
	assert_int_equal(address_list(&scratch->netlink, 9999, &list, &error), -ENODEV);
	assert_int_equal(address_delete(&scratch->netlink, 9999, &cidr, &error), 0);
}

static bool lists_route(struct scratch *scratch, const struct route *route, size_t *ret_count)
{
	CLEANUP(memory_free) struct route *routes = NULL;
	struct error error;
	bool found = false;

	assert_int_equal(route_list(&scratch->netlink, &routes, ret_count, &error), 0);
	for (size_t i = 0; i < *ret_count; i++)
		found |= routes[i].table == route->table &&
			 routes[i].link_index == route->link_index &&
			 cidr_equal(&routes[i].destination, &route->destination);
	return found;
}

static void test_routes(void **state)
{
	static const struct {
		uint32_t table;
		const char *destination;
	} cases[] = {
		{ROUTE_TABLE_MAIN, "10.0.0.0/8"},
		{ROUTE_TABLE_MAIN, "2001:db8::/32"},
		{255, "10.1.0.0/16"},
		{52001, "0.0.0.0/0"},
		{52001, "::/0"},
		{UINT32_MAX - 1, "192.0.2.1/32"},
		{UINT32_MAX - 1, "fd00::1/128"},
	};
	struct scratch *scratch = *state;
	struct route route = {.link_index = make_tun0(scratch)};
	struct error error;
	size_t count;

	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			route.table = cases[i].table;
			route.destination = cidr_of(cases[i].destination);
			assert_int_equal(route_add(&scratch->netlink, &route, &error), 0);
			assert_true(lists_route(scratch, &route, &count));
		}
		assert_int_equal(count, ARRAY_SIZE(cases));
	}
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			route.table = cases[i].table;
			route.destination = cidr_of(cases[i].destination);
			assert_int_equal(route_delete(&scratch->netlink, &route, &error), 0);
			assert_false(lists_route(scratch, &route, &count));
		}
		assert_int_equal(count, 0);
	}
}

/* A kernel that finds a route to the same place answers EEXIST, whatever way that one goes. */
static void test_another_route_is_in_the_way(void **state)
{
	struct scratch *scratch = *state;
	struct route route = {.table = 52001, .link_index = make_tun0(scratch)};
	struct error error;
	size_t count;

	route.destination = cidr_of("0.0.0.0/0");
	assert_true(scratch_run(scratch, "ip link set lo up"));
	assert_true(scratch_run(scratch, "ip route add default dev lo table 52001"));
	assert_int_equal(route_add(&scratch->netlink, &route, &error), -EEXIST);
	route.link_index = 1;
	assert_true(lists_route(scratch, &route, &count));
	route.link_index = 9999;
	assert_int_equal(route_add(&scratch->netlink, &route, &error), -ENODEV);
}

static void test_routes_of_others(void **state)
{
	struct scratch *scratch = *state;
	struct route route = {.table = 77, .link_index = make_tun0(scratch)};
	struct error error;
	size_t count;

	assert_true(scratch_run(scratch, "ip address add 10.0.0.1/24 dev tun0")); /* kernel's */
	assert_true(scratch_run(scratch, "ip route add 10.7.0.0/16 dev tun0 proto bird"));
	assert_true(scratch_run(scratch, "ip route add blackhole 10.8.0.0/16"));
	route.destination = cidr_of("172.16.0.0/12");
	assert_false(lists_route(scratch, &route, &count));
	assert_int_equal(count, 0);
	assert_true(scratch_run(scratch, "ip route add 172.16.0.0/12 via 10.0.0.2 table 77"));
	assert_true(lists_route(scratch, &route, &count));
	assert_int_equal(route_delete(&scratch->netlink, &route, &error), 0);
	assert_true(scratch_run(scratch,
				"ip route add 172.16.0.0/12 table 77 "
				"nexthop via 10.0.0.2 nexthop via 10.0.0.3"));
	assert_true(lists_route(scratch, &route, &count));
	assert_int_equal(count, 1);
}

/* More than any one datagram holds. */
static void test_many_routes(void **state)
{
	struct scratch *scratch = *state;
	struct route route = {.table = 52001, .link_index = make_tun0(scratch)};
	struct error error;
	size_t count;

	route.destination = cidr_of("10.0.0.0/32");
	for (unsigned int i = 0; i < 3000; i++) {
		route.destination.ip.bytes[2] = (uint8_t)(i >> 8);
		route.destination.ip.bytes[3] = (uint8_t)i;
		assert_int_equal(route_add(&scratch->netlink, &route, &error), 0);
	}
	assert_true(lists_route(scratch, &route, &count));
	assert_int_equal(count, 3000);
}

static void test_rules(void **state)
{
	static const struct route_rule rules[] = {
		{AF_INET, 1000, 52001, "tun0", 0},	  {AF_INET6, 1000, 52001, "tun0", 0},
		{AF_INET, 1001, 100, "not_there_yet", 0}, {AF_INET, 1001, 0, "", IPPROTO_ICMP},
		{AF_INET6, 1001, 0, "", IPPROTO_TCP},
	};
	struct scratch *scratch = *state;
	struct error error;

	assert_true(scratch_run(scratch, "ip rule add from 10.0.0.0/8 oif tun0 lookup 7"));
	assert_true(scratch_run(scratch, "ip rule add fwmark 5 oif tun0 lookup 7"));
	assert_true(scratch_run(scratch, "ip rule add not oif tun0 lookup 7"));
	assert_true(scratch_run(scratch, "ip rule add iif tun0 lookup 7"));
	for (size_t round = 0; round < 2; round++) {
		CLEANUP(memory_free) struct route_rule *listed = NULL;
		size_t count, found = 0;

		for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
			assert_int_equal(route_rule_add(&scratch->netlink, &rules[i], &error), 0);
		assert_int_equal(route_rule_list(&scratch->netlink, &listed, &count, &error), 0);
		assert_int_equal(count, ARRAY_SIZE(rules));
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < ARRAY_SIZE(rules); j++)
				found += listed[i].family == rules[j].family &&
					 listed[i].priority == rules[j].priority &&
					 listed[i].table == rules[j].table &&
					 strcmp(listed[i].oif, rules[j].oif) == 0;
		assert_int_equal(found, ARRAY_SIZE(rules));
	}
	for (size_t round = 0; round < 2; round++) {
		CLEANUP(memory_free) struct route_rule *listed = NULL;
		size_t count;

		for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
			assert_int_equal(route_rule_delete(&scratch->netlink, &rules[i], &error),
					 0);
		assert_int_equal(route_rule_list(&scratch->netlink, &listed, &count, &error), 0);
		assert_int_equal(count, 0);
	}
}

/* What a process in the namespace gets that has no capability: the positive errno. */
static int attach_without_rights(const struct scratch *scratch, const char *name)
{
	struct error error;
	int status, fd;
	pid_t child = fork();

	if (child == 0) {
		if (netns_enter(scratch->netns, &error) < 0 ||
		    process_drop_capabilities(&error) < 0)
			_exit(255);
		_exit(-tun_open(name, false, &fd, &error));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static void test_tun(void **state)
{
	struct scratch *scratch = *state;
	CLEANUP(fd_close) int first = -1, second = -1, none = -1;
	struct link_info link;
	struct error error;

	assert_true(scratch_run(scratch, "ip tuntap add tap0 mode tap"));
	assert_int_equal(tun_open_inside(scratch, "passing", false, &first, &error), 0);
	assert_int_equal(tun_open_inside(scratch, "lasting", true, &second, &error), 0);
	assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
	assert_int_equal(tun_open_inside(scratch, "lasting", true, &none, &error), -EBUSY);
	assert_int_equal(tun_open_inside(scratch, "lo", true, &none, &error), -EEXIST);
	assert_int_equal(tun_open_inside(scratch, "tap0", true, &none, &error), -EEXIST);
	assert_int_equal(tun_open_inside(scratch, "x%d", true, &none, &error), -EINVAL);
	assert_int_equal(tun_open_inside(scratch, "a/b", true, &none, &error), -EINVAL);
	assert_int_equal(tun_open_inside(scratch, "", true, &none, &error), -EINVAL);
	assert_int_equal(tun_open_inside(scratch, "abcdefghijklmnop", true, &none, &error),
			 -EINVAL);
	assert_int_equal(none, -1);
	fd_close(&first);
	fd_close(&second);
	assert_int_equal(attach_without_rights(scratch, "lasting"), EPERM);
	assert_int_equal(link_find(&scratch->netlink, "passing", &link, &error), -ENODEV);
	assert_int_equal(link_find(&scratch->netlink, "lasting", &link, &error), 0);
	assert_int_equal(tun_open_inside(scratch, "lasting", false, &first, &error), 0);
	fd_close(&first);
	assert_int_equal(link_find(&scratch->netlink, "lasting", &link, &error), -ENODEV);
}

/* Opens a device in a child that lacks something: 0, or the child's positive errno. The child says
 * what in words that hold the given ones. */
static int tun_open_lacking(void (*lack)(void), const char *words)
{
	struct error error;
	int status, fd;
	pid_t child = fork();

	if (child == 0) {
		lack();
		if (tun_open("lacking", false, &fd, &error) == 0)
			_exit(0);
		_exit(strstr(error.text, words) ? error.code : 255);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void lack_the_device(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/dev/net", "tmpfs", 0, NULL) < 0)
		_exit(254);
}

static void lack_the_right(void)
{
	lack_the_device();
	if (mknod("/dev/net/tun", S_IFCHR | 0600, makedev(10, 200)) < 0 || setgid(65534) < 0 ||
	    setuid(65534) < 0)
		_exit(254);
}

/* As the devices of a control group refuse it. */
static void lack_the_permission(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
			     SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDWR)) < 0 ||
	    seccomp_load(filter) < 0)
		_exit(254);
	seccomp_release(filter);
}

static void lack_capabilities(void)
{
	struct error error;

	if (unshare(CLONE_NEWNET) < 0 || process_drop_capabilities(&error) < 0)
		_exit(254);
}

static void test_tun_is_missing(void **state)
{
	(void)state;
	assert_int_equal(tun_open_lacking(lack_the_device, "modprobe tun"), ENOENT);
	assert_int_equal(tun_open_lacking(lack_the_device, "--device /dev/net/tun"), ENOENT);
	assert_int_equal(tun_open_lacking(lack_the_right, "no right to open /dev/net/tun"), EACCES);
	assert_int_equal(tun_open_lacking(lack_the_right, "`chmod 0666 /dev/net/tun`"), EACCES);
	assert_int_equal(tun_open_lacking(lack_the_right, "KERNEL==\"tun\", MODE=\"0666\""),
			 EACCES);
	assert_int_equal(tun_open_lacking(lack_the_permission, "does not allow /dev/net/tun"),
			 EPERM);
	assert_int_equal(tun_open_lacking(lack_capabilities, "CAP_NET_ADMIN"), EPERM);
}

static void test_netlink_families(void **state)
{
	CLEANUP(netlink_close) struct netlink netlink = {};
	struct error error;
	uint16_t family = 77;

	(void)state;
	assert_int_equal(netlink_open(NETLINK_GENERIC, -1, &netlink, &error), 0);
	assert_int_equal(netlink_family(&netlink, "no_such", &family, &error), -ENOENT);
	assert_int_equal(family, 77);
	assert_int_equal(netlink_family(&netlink, "nlctrl", &family, &error), 0);
	assert_int_equal(family, GENL_ID_CTRL);
}

static void test_resolve(void **state)
{
	union socket_address address = {};
	char text[SOCKET_TEXT_MAX];
	struct error error;

	(void)state;
	assert_int_equal(resolve_host("192.0.2.7", 51820, &address, &error), 0);
	assert_string_equal(socket_address_format(&address, text), "192.0.2.7:51820");
	assert_int_equal(resolve_host("2001:db8::7", 1, &address, &error), 0);
	assert_string_equal(socket_address_format(&address, text), "[2001:db8::7]:1");
	assert_int_equal(resolve_host("localhost", 1, &address, &error), 0);
	assert_true(resolve_host("no-such-host.invalid", 1, &address, &error) < 0);
	assert_non_null(strstr(error.text, "'no-such-host.invalid'"));
}

#define with_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_scratch(test_links),
		with_scratch(test_no_link_local_address),
		with_scratch(test_addresses),
		with_scratch(test_routes),
		with_scratch(test_another_route_is_in_the_way),
		with_scratch(test_routes_of_others),
		with_scratch(test_many_routes),
		with_scratch(test_rules),
		with_scratch(test_tun),
		cmocka_unit_test(test_tun_is_missing),
		cmocka_unit_test(test_netlink_families),
		cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
