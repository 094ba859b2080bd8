/* The attacker of ways.bats, a way out in pieces: see ways.c. A step does one thing to one socket and
 * says 0 or a negative errno; whatever it says, the attacker goes on. */
#ifndef WAYS_H
#define WAYS_H

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define WAYS_ROUNDS   3	  /* the first packet, and later ones */
#define WAYS_PATIENCE 100 /* milliseconds for an answer, a connection's for one */

enum {
	TARGET_LAN4 = 1 << 0,
	TARGET_FAR4 = 1 << 1,
	TARGET_LAN6 = 1 << 2,
	TARGET_FAR6 = 1 << 3,
	TARGET_MAPPED = 1 << 4, /* the first two as ::ffff:… */
	TARGET_LINK = 1 << 5,	/* the neighbour's fe80::… */
	TARGET_MULTI4 = 1 << 6,
	TARGET_MULTI6 = 1 << 7,
	TARGET_BROAD = 1 << 8,

	TARGETS_4 = TARGET_LAN4 | TARGET_FAR4,
	TARGETS_6 = TARGET_LAN6 | TARGET_FAR6,
	TARGETS_ALL = TARGETS_4 | TARGETS_6,
	TARGETS_MULTI = TARGET_MULTI4 | TARGET_MULTI6,
	TARGETS_MAX = 16, /* how many there can be at once */
};

struct target {
	const char *label;
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
};

struct setting {
	const char *name; /* of the way */
	char **words;	  /* KEY=VALUE, up to a NULL */
	const char *lan;
	unsigned int lan_index;
	uint16_t port;
	char payload[96];
	size_t size;
};

typedef int step(int fd, const struct setting *setting, const struct target *target);

/* The value of a key, or "". */
const char *setting_value(const struct setting *setting, const char *key);

/* An address given by key, or the unspecified one. */
struct in_addr setting_in4(const struct setting *setting, const char *key);
struct in6_addr setting_in6(const struct setting *setting, const char *key);

/* Those of the set that addresses were given for. */
size_t setting_targets(const struct setting *setting, unsigned int set, struct target *ret);

/* One line on stdout: "udp-sendto far4 send: ENETUNREACH". The target may be NULL. */
void say(const struct setting *setting, const struct target *target, const char *what, int code);

/* When the caller said hold=1: says "ready" and waits for a line on stdin. */
void hold(const struct setting *setting);

/* What a system call returned, as 0 or a negative errno. */
static inline int answer(long value)
{
	return value < 0 ? -errno : 0;
}

/* Options of a socket, before it sends: ways_option.c. */
step bind_device, bind_index, unbind, bind_own, bind_foreign, bind_any;
step set_transparent, set_unicast_if, set_multicast_if, set_multicast_address, set_dontroute;
step set_mark, set_broadcast, set_zerocopy, set_segment, set_cork, set_fastopen_connect, set_smc;
step set_loose_route, set_strict_route, set_routing_header, set_segment_routing, set_sticky_pktinfo;
step join_group, join_sources, connect_target, connect_loopback, disconnect, become_v4;

/* Ways of sending: ways_send.c. */
step stay, send_plain, send_to, send_msg, send_mmsg, send_dontroute, send_more, send_fastopen;
step send_unspec, send_as_v4, send_pktinfo, send_pktinfo_own, send_own_only, send_retopts;
step send_ping, send_zerocopy, send_splice, send_file, send_large;

/* Frames and headers of our own making: ways_packet.c. */
step send_raw_udp, send_raw_header;
void run_packet(const struct setting *setting);
void run_packet_cooked(const struct setting *setting);

/* Sockets that come about otherwise: ways_open.c. */
int open_int80(const struct setting *setting, int family, int type, int protocol);
int open_x32(const struct setting *setting, int family, int type, int protocol);
int open_taken(const struct setting *setting, int family, int type, int protocol);
int open_nested(const struct setting *setting, int family, int type, int protocol);
void run_give(const struct setting *setting);
void run_families(const struct setting *setting);
void run_protocols(const struct setting *setting);

/* Answers to who calls from outside: ways_serve.c. */
void run_accept(const struct setting *setting);
void run_reply(const struct setting *setting);
void run_reply_pktinfo(const struct setting *setting);
void run_serve(const struct setting *setting);

/* Places to send from, other than the one we were put into: ways_leave.c, ways_netlink.c. */
int leave_by_procs(const struct setting *setting);
int leave_by_clone(const struct setting *setting);
int leave_by_mount(const struct setting *setting);
int leave_by_group_below(const struct setting *setting);
int leave_by_daemon(const struct setting *setting);
int leave_by_nested(const struct setting *setting);
int leave_by_nested_and_back(const struct setting *setting);
int leave_by_setns(const struct setting *setting);
int leave_by_pins(const struct setting *setting);
int leave_by_route(const struct setting *setting);
int leave_by_rule(const struct setting *setting);
int leave_by_link(const struct setting *setting);
int leave_by_nested_veth(const struct setting *setting);
int leave_by_nested_tun(const struct setting *setting);

/* io_uring: ways_uring.c. */
void run_uring(const struct setting *setting);

/* A user and a network namespace of our own, with lo up. */
int nest(void);

#endif
