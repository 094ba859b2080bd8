/* An attacker for ways.bats: tries one way out of a sub-user, by name, and goes on whatever it is
 * told. What each attempt got is said on stdout; whether it got out is for others to see.
 *
 *	ways NAME [KEY=VALUE...]
 *
 *	lan=IFNAME              the device that nothing may leave by
 *	tunnel=IFNAME           the one that everything may
 *	lan4= lan6= link6=      addresses of the host on the LAN
 *	far4= far6=             addresses behind it, and behind the tunnel
 *	own4= own6=             ours on the LAN
 *	free4= free6=           nobody's
 *	broad4=                 the LAN's broadcast address
 *	port=                   of everything that is sent (4242)
 *	word=                   what makes the payload, "subu-way-WORD-NAME", this call's
 *	group= groups=          folders of control groups: ours, and a list of others with colons
 *	path=                   of a Unix socket
 *	hold=1                  send once, say "ready", and go on at a line on stdin
 *
 * A way opens a socket for each of its targets, prepares each, and sends some rounds on each; or it
 * is a function of its own. It ends by itself within seconds. */
#include "ways.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define LIMIT_SECONDS 20
#define MPTCP	      262
#define SMC	      256
#define DCCP	      33

struct way {
	const char *name;
	int type;
	int protocol;
	unsigned int targets;
	int (*before)(const struct setting *setting);
	int (*open)(const struct setting *setting, int family, int type, int protocol);
	step *prepare[4];
	step *send;
	step *pending; /* with hold=1, last before the wait */
	void (*run)(const struct setting *setting);
};

#define UDP	SOCK_DGRAM, IPPROTO_UDP
#define TCP	SOCK_STREAM, IPPROTO_TCP
#define UDPLITE SOCK_DGRAM, IPPROTO_UDPLITE
#define ALL	TARGETS_ALL

static const struct way ways[] = {
	/* Datagrams, plainly. */
	{"udp-sendto", UDP, ALL, .send = send_to},
	{"udp-sendmsg", UDP, ALL, .send = send_msg},
	{"udp-sendmmsg", UDP, ALL, .send = send_mmsg},
	{"udp-connect", UDP, ALL, .prepare = {connect_target}, .send = send_plain},
	{"udp-segment", UDP, ALL, .prepare = {set_segment}, .send = send_to},
	{"udp-large", UDP, ALL, .send = send_large},
	{"udp-zerocopy", UDP, ALL, .prepare = {set_zerocopy}, .send = send_zerocopy},
	{"udp-splice", UDP, ALL, .prepare = {connect_target}, .send = send_splice},
	{"udp-sendfile", UDP, ALL, .prepare = {connect_target}, .send = send_file},
	{"udp-cork", UDP, ALL, .prepare = {set_cork}, .send = send_to, .pending = send_more},
	{"udp-unspec", UDP, TARGETS_4, .send = send_unspec},
	{"udp-mapped", UDP, TARGET_MAPPED, .send = send_to},
	{"udp-mapped-connect", UDP, TARGET_MAPPED, .prepare = {connect_target}, .send = send_plain},
	{"udp-mapped-v4", UDP, TARGET_MAPPED, .send = send_as_v4},
	{"udp-mapped-become", UDP, TARGET_MAPPED, .prepare = {connect_target, become_v4},
	 .send = send_plain},
	{"udp-link", UDP, TARGET_LINK, .send = send_to},
	{"udp-link-connect", UDP, TARGET_LINK, .prepare = {connect_target}, .send = send_plain},
	/* Naming the device. */
	{"udp-device", UDP, ALL, .prepare = {bind_device}, .send = send_to},
	{"udp-index", UDP, ALL, .prepare = {bind_index}, .send = send_to},
	{"udp-device-connect", UDP, ALL, .prepare = {bind_device, connect_target},
	 .send = send_plain},
	{"udp-connect-device", UDP, ALL, .prepare = {connect_target, bind_device},
	 .send = send_plain},
	{"udp-unbind", UDP, ALL, .prepare = {unbind, bind_device}, .send = send_to},
	{"udp-pktinfo", UDP, ALL, .send = send_pktinfo},
	{"udp-pktinfo-own", UDP, ALL, .send = send_pktinfo_own},
	{"udp-pktinfo-connect", UDP, ALL, .prepare = {connect_target}, .send = send_pktinfo},
	{"udp-pktinfo-mapped", UDP, TARGET_MAPPED, .send = send_pktinfo},
	{"udp-pktinfo-sticky", UDP, TARGETS_6, .prepare = {set_sticky_pktinfo}, .send = send_to},
	{"udp-unicast-if", UDP, ALL, .prepare = {set_unicast_if}, .send = send_to},
	/* Naming an address of the LAN, or no way at all. */
	{"udp-own", UDP, ALL, .prepare = {bind_own}, .send = send_to},
	{"udp-own-only", UDP, ALL, .send = send_own_only},
	{"udp-freebind", UDP, ALL, .prepare = {bind_foreign}, .send = send_to},
	{"udp-transparent", UDP, ALL, .prepare = {set_transparent, bind_foreign}, .send = send_to},
	{"udp-dontroute", UDP, ALL, .prepare = {set_dontroute}, .send = send_to},
	{"udp-msg-dontroute", UDP, ALL, .send = send_dontroute},
	{"udp-mark", UDP, ALL, .prepare = {set_mark}, .send = send_to},
	{"udp-loose-route", UDP, TARGETS_4, .prepare = {set_loose_route}, .send = send_to},
	{"udp-strict-route", UDP, TARGETS_4, .prepare = {set_strict_route}, .send = send_to},
	{"udp-retopts", UDP, TARGETS_4, .send = send_retopts},
	{"udp-routing-header", UDP, TARGETS_6, .prepare = {set_routing_header}, .send = send_to},
	{"udp-segment-routing", UDP, TARGETS_6, .prepare = {set_segment_routing}, .send = send_to},
	/* Forgetting what it was bound to. */
	{"udp-disconnect", UDP, ALL, .prepare = {connect_loopback, disconnect}, .send = send_to},
	{"udp-disconnect-device", UDP, ALL, .prepare = {connect_loopback, disconnect, bind_device},
	 .send = send_to},
	{"udp-disconnect-connect", UDP, ALL,
	 .prepare = {connect_loopback, disconnect, bind_device, connect_target},
	 .send = send_plain},
	{"udp-disconnect-pktinfo", UDP, ALL,
	 .prepare = {connect_loopback, disconnect, set_unicast_if}, .send = send_pktinfo},
	{"udp-disconnect-sticky", UDP, TARGETS_6,
	 .prepare = {connect_loopback, disconnect, set_sticky_pktinfo}, .send = send_to},
	{"udp-disconnect-link", UDP, TARGET_LINK, .prepare = {connect_loopback, disconnect},
	 .send = send_to},
	/* To many. */
	{"multicast", UDP, TARGETS_MULTI, .send = send_to},
	{"multicast-if", UDP, TARGETS_MULTI, .prepare = {set_multicast_if}, .send = send_to},
	{"multicast-address", UDP, TARGET_MULTI4, .prepare = {set_multicast_address},
	 .send = send_to},
	{"multicast-joined", UDP, TARGETS_MULTI, .prepare = {join_group, set_multicast_if},
	 .send = send_to},
	{"multicast-pktinfo", UDP, TARGETS_MULTI, .send = send_pktinfo},
	{"multicast-disconnect", UDP, TARGETS_MULTI,
	 .prepare = {connect_loopback, disconnect, set_multicast_if}, .send = send_to},
	{"group-sources", UDP, TARGETS_MULTI, .prepare = {join_sources}, .send = stay},
	{"broadcast", UDP, TARGET_BROAD, .prepare = {set_broadcast}, .send = send_to},
	{"broadcast-device", UDP, TARGET_BROAD, .prepare = {set_broadcast, bind_device},
	 .send = send_to},
	{"broadcast-pktinfo", UDP, TARGET_BROAD, .prepare = {set_broadcast}, .send = send_pktinfo},
	/* Connections. */
	{"tcp-connect", TCP, ALL, .prepare = {connect_target}, .send = send_plain},
	{"tcp-device", TCP, ALL, .prepare = {bind_device, connect_target}, .send = send_plain},
	{"tcp-index", TCP, ALL, .prepare = {bind_index, connect_target}, .send = send_plain},
	{"tcp-connect-device", TCP, ALL, .prepare = {connect_target, bind_device},
	 .send = send_plain},
	{"tcp-own", TCP, ALL, .prepare = {bind_own, connect_target}, .send = send_plain},
	{"tcp-fastopen", TCP, ALL, .send = send_fastopen},
	{"tcp-fastopen-device", TCP, ALL, .prepare = {bind_device}, .send = send_fastopen},
	{"tcp-fastopen-connect", TCP, ALL, .prepare = {set_fastopen_connect, connect_target},
	 .send = send_plain},
	{"tcp-unicast-if", TCP, ALL, .prepare = {set_unicast_if, connect_target},
	 .send = send_plain},
	{"tcp-dontroute", TCP, ALL, .prepare = {set_dontroute, connect_target}, .send = send_plain},
	{"tcp-loose-route", TCP, TARGETS_4, .prepare = {set_loose_route, connect_target},
	 .send = send_plain},
	{"tcp-segment-routing", TCP, TARGETS_6, .prepare = {set_segment_routing, connect_target},
	 .send = send_plain},
	{"tcp-mapped", TCP, TARGET_MAPPED, .prepare = {connect_target}, .send = send_plain},
	{"tcp-mapped-become", TCP, TARGET_MAPPED, .prepare = {connect_target, become_v4},
	 .send = send_plain},
	{"tcp-link", TCP, TARGET_LINK, .prepare = {connect_target}, .send = send_plain},
	{"tcp-disconnect", TCP, ALL,
	 .prepare = {connect_target, disconnect, bind_device, connect_target}, .send = send_plain},
	{"tcp-splice", TCP, ALL, .prepare = {connect_target}, .send = send_splice},
	{"tcp-sendfile", TCP, ALL, .prepare = {connect_target}, .send = send_file},
	{"tcp-zerocopy", TCP, ALL, .prepare = {set_zerocopy, connect_target},
	 .send = send_zerocopy},
	{"tcp-accept", .run = run_accept},
	{"udp-reply", .run = run_reply},
	{"udp-reply-pktinfo", .run = run_reply_pktinfo},
	/* Other protocols. */
	{"udplite", UDPLITE, ALL, .send = send_to},
	{"udplite-device", UDPLITE, ALL, .prepare = {bind_device}, .send = send_to},
	{"udplite-disconnect", UDPLITE, ALL, .prepare = {connect_loopback, disconnect, bind_device},
	 .send = send_to},
	{"udplite-pktinfo", UDPLITE, ALL, .send = send_pktinfo},
	{"ping4", SOCK_DGRAM, IPPROTO_ICMP, TARGETS_4, .send = send_ping},
	{"ping4-device", SOCK_DGRAM, IPPROTO_ICMP, TARGETS_4, .prepare = {bind_device},
	 .send = send_ping},
	{"ping4-disconnect", SOCK_DGRAM, IPPROTO_ICMP, TARGETS_4,
	 .prepare = {connect_loopback, disconnect, bind_device}, .send = send_ping},
	{"ping6", SOCK_DGRAM, IPPROTO_ICMPV6, TARGETS_6 | TARGET_LINK, .send = send_ping},
	{"ping6-device", SOCK_DGRAM, IPPROTO_ICMPV6, TARGETS_6 | TARGET_LINK,
	 .prepare = {bind_device}, .send = send_ping},
	{"ping6-disconnect", SOCK_DGRAM, IPPROTO_ICMPV6, TARGETS_6,
	 .prepare = {connect_loopback, disconnect, bind_device}, .send = send_ping},
	{"mptcp", SOCK_STREAM, MPTCP, ALL, .prepare = {connect_target}, .send = send_plain},
	{"mptcp-device", SOCK_STREAM, MPTCP, ALL, .prepare = {bind_device, connect_target},
	 .send = send_plain},
	{"mptcp-fastopen", SOCK_STREAM, MPTCP, ALL, .send = send_fastopen},
	{"mptcp-mapped", SOCK_STREAM, MPTCP, TARGET_MAPPED, .prepare = {connect_target},
	 .send = send_plain},
	{"smc", SOCK_STREAM, SMC, ALL, .prepare = {connect_target}, .send = send_plain},
	{"smc-ulp", TCP, ALL, .prepare = {set_smc, connect_target}, .send = send_plain},
	{"sctp", SOCK_SEQPACKET, IPPROTO_SCTP, ALL, .send = send_to},
	{"sctp-stream", SOCK_STREAM, IPPROTO_SCTP, ALL, .prepare = {connect_target},
	 .send = send_plain},
	{"dccp", SOCK_DCCP, DCCP, ALL, .prepare = {connect_target}, .send = send_plain},
	{"protocols", .run = run_protocols},
	{"families", .run = run_families},
	/* Headers and frames of its own making. */
	{"raw-udp", SOCK_RAW, IPPROTO_UDP, ALL, .send = send_raw_udp},
	{"raw-device", SOCK_RAW, IPPROTO_UDP, ALL, .prepare = {bind_device}, .send = send_raw_udp},
	{"raw-disconnect", SOCK_RAW, IPPROTO_UDP, ALL, .prepare = {disconnect, bind_device},
	 .send = send_raw_udp},
	{"raw-header", SOCK_RAW, IPPROTO_RAW, ALL, .send = send_raw_header},
	{"raw-header-device", SOCK_RAW, IPPROTO_RAW, ALL, .prepare = {bind_device},
	 .send = send_raw_header},
	{"packet", .run = run_packet},
	{"packet-cooked", .run = run_packet_cooked},
	/* Sockets made otherwise. */
	{"int80-udp", UDP, ALL, .open = open_int80, .send = send_to},
	{"x32-udp", UDP, ALL, .open = open_x32, .send = send_to},
	{"taken", UDP, ALL, .open = open_taken, .send = send_to},
	{"taken-connect", UDP, ALL, .open = open_taken, .prepare = {connect_target},
	 .send = send_plain},
	{"nested-taken", UDP, ALL, .open = open_nested, .send = send_to},
	{"uring", .run = run_uring},
	/* From elsewhere. */
	{"daemon", UDP, ALL, .before = leave_by_daemon, .send = send_to},
	{"group-procs", UDP, ALL, .before = leave_by_procs, .send = send_to},
	{"group-clone", UDP, ALL, .before = leave_by_clone, .send = send_to},
	{"group-mount", UDP, ALL, .before = leave_by_mount, .send = send_to},
	{"group-below", UDP, ALL, .before = leave_by_group_below, .send = send_to},
	{"pins", UDP, ALL, .before = leave_by_pins, .send = send_to},
	{"setns", UDP, ALL, .before = leave_by_setns, .send = send_to},
	{"route", UDP, ALL, .before = leave_by_route, .send = send_to},
	{"rule", UDP, ALL, .before = leave_by_rule, .send = send_to},
	{"link", UDP, ALL, .before = leave_by_link, .send = send_to},
	{"nested", UDP, ALL, .before = leave_by_nested, .send = send_to},
	{"nested-back", UDP, ALL, .before = leave_by_nested_and_back, .send = send_to},
	{"nested-veth", UDP, ALL, .before = leave_by_nested_veth, .send = send_to},
	{"nested-tun", UDP, ALL, .before = leave_by_nested_tun, .send = send_to},
	{"nested-packet", .before = leave_by_nested, .run = run_packet},
	{"nested-raw", SOCK_RAW, IPPROTO_UDP, ALL, .before = leave_by_nested, .send = send_raw_udp},
	/* Not ways, but what a way may need on the other side. */
	{"give", .run = run_give},
	{"serve", .run = run_serve},
};

static const struct {
	unsigned int set;
	const char *label, *before, *key, *fixed;
} places[] = {
	{TARGET_LAN4, "lan4", "", "lan4", ""},
	{TARGET_FAR4, "far4", "", "far4", ""},
	{TARGET_LAN6, "lan6", "", "lan6", ""},
	{TARGET_FAR6, "far6", "", "far6", ""},
	{TARGET_MAPPED, "mapped lan4", "::ffff:", "lan4", ""},
	{TARGET_MAPPED, "mapped far4", "::ffff:", "far4", ""},
	{TARGET_LINK, "link6", "", "link6", ""},
	{TARGET_MULTI4, "group4", "", "", "239.255.77.77"},
	{TARGET_MULTI6, "group6", "", "", "ff05::4242"},
	{TARGET_MULTI6, "group6 on link", "", "", "ff02::4242"},
	{TARGET_BROAD, "broadcast", "", "", "255.255.255.255"},
	{TARGET_BROAD, "broadcast on LAN", "", "broad4", ""},
};

static bool target_parse(const struct setting *setting, const char *text, struct target *ret)
{
	struct target target = {.label = ret->label};

	if (inet_pton(AF_INET, text, &target.address.v4.sin_addr) == 1) {
		target.address.v4.sin_family = AF_INET;
		target.address.v4.sin_port = htons(setting->port);
		target.length = sizeof(target.address.v4);
	} else if (inet_pton(AF_INET6, text, &target.address.v6.sin6_addr) == 1) {
		target.address.v6.sin6_family = AF_INET6;
		target.address.v6.sin6_port = htons(setting->port);
		target.length = sizeof(target.address.v6);
		if (IN6_IS_ADDR_LINKLOCAL(&target.address.v6.sin6_addr) ||
		    IN6_IS_ADDR_MULTICAST(&target.address.v6.sin6_addr))
			target.address.v6.sin6_scope_id = setting->lan_index;
	} else {
		return false;
	}
	*ret = target;
	return true;
}

size_t setting_targets(const struct setting *setting, unsigned int set, struct target *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CLEANUP(memory_free)
		char *text = memory_format("%s%s%s", places[i].before,
					   setting_value(setting, places[i].key), places[i].fixed);

		ret[count].label = places[i].label;
		if ((places[i].set & set) && target_parse(setting, text, &ret[count]))
			count++;
	}
	return count;
}

const char *setting_value(const struct setting *setting, const char *key)
{
	size_t size = strlen(key);

	for (char **word = setting->words; *word; word++) {
		if (size > 0 && strncmp(*word, key, size) == 0 && (*word)[size] == '=')
			return *word + size + 1;
	}
	return "";
}

struct in_addr setting_in4(const struct setting *setting, const char *key)
{
	struct in_addr ret = {};

	inet_pton(AF_INET, setting_value(setting, key), &ret);
	return ret;
}

struct in6_addr setting_in6(const struct setting *setting, const char *key)
{
	struct in6_addr ret = {};

	inet_pton(AF_INET6, setting_value(setting, key), &ret);
	return ret;
}

void say(const struct setting *setting, const struct target *target, const char *what, int code)
{
	printf("%s%s%s %s: %s\n", setting->name, target ? " " : "", target ? target->label : "",
	       what, code < 0 ? strerrorname_np(-code) : "done");
}

void hold(const struct setting *setting)
{
	char line[8];

	if (!*setting_value(setting, "hold"))
		return;
	puts("ready");
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

/* Opens and prepares; -1 when there is no socket. */
static int open_socket(const struct way *way, const struct setting *setting,
		       const struct target *target)
{
	int family = target->address.any.sa_family, type = way->type | SOCK_NONBLOCK;
	int fd = way->open ? way->open(setting, family, type, way->protocol)
			   : socket(family, type, way->protocol);

	say(setting, target, "socket", answer(fd));
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(way->prepare) && way->prepare[i]; i++)
		say(setting, target, "prepare", way->prepare[i](fd, setting, target));
	return fd;
}

/* A connection is cut off, so that nothing of it comes after this way's time. */
static void end_socket(int fd)
{
	static const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void try(const struct way *way, const struct setting *setting)
{
	struct target targets[TARGETS_MAX];
	size_t count = setting_targets(setting, way->targets, targets);
	int fds[TARGETS_MAX];

	for (size_t i = 0; i < count; i++) {
		fds[i] = open_socket(way, setting, &targets[i]);
		if (*setting_value(setting, "hold"))
			say(setting, &targets[i], "send", way->send(fds[i], setting, &targets[i]));
		if (*setting_value(setting, "hold") && way->pending)
			way->pending(fds[i], setting, &targets[i]);
	}
	hold(setting);
	for (size_t i = 0; i < count * WAYS_ROUNDS; i++) {
		const struct target *target = &targets[i % count];

		if (fds[i % count] >= 0)
			say(setting, target, "send", way->send(fds[i % count], setting, target));
	}
	for (size_t i = 0; i < count; i++)
		end_socket(fds[i]);
}

static const struct way *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct way *way = argc > 1 ? find(argv[1]) : NULL;
	struct setting setting;
	int port;

	if (!way) {
		fprintf(stderr, "ways: no way of this name\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(LIMIT_SECONDS);
	signal(SIGPIPE, SIG_IGN);
	setting = (struct setting){.name = way->name, .words = argv + 2};
	port = atoi(setting_value(&setting, "port"));
	setting.port = port ? (uint16_t)port : 4242;
	setting.lan = setting_value(&setting, "lan");
	setting.lan_index = if_nametoindex(setting.lan);
	setting.size = (size_t)snprintf(setting.payload, sizeof(setting.payload), "subu-way-%s-%s ",
					setting_value(&setting, "word"), way->name);
	if (way->before)
		say(&setting, NULL, "leave", way->before(&setting));
	if (way->run)
		way->run(&setting);
	else
		try(way, &setting);
	return 0;
}
