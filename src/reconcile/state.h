/* A sub-user as it should be or as it is: the same types for what the database asks for (desired)
 * and for what the kernel has (actual). */
#ifndef RECONCILE_STATE_H
#define RECONCILE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "model/tunnel.h"
#include "wireguard/backend.h"

/* Every tunnel has a routing table of its own in its namespace, reached by
 * `ip rule oif subu_M lookup TABLE` at this priority, before the main table's 32766. */
#define TUNNEL_TABLE(tunnel) (1000 + (tunnel))
#define TUNNEL_RULE_PRIORITY 1000

/* The value of net.ipv4.ping_group_range that lets every group ping. */
#define PING_EVERY_GROUP "0 2147483647"

/* One tunnel's device, and what in the namespace carries its name. */
struct link_state {
	uint32_t tunnel; /* WG_<tunnel>, device subu_<tunnel> */
	enum backend backend;
	bool any_backend; /* desired: nobody decided; the device that is there may stay */
	bool foreign;	  /* actual: of a kind that neither backend makes, under our name */
	bool device;	  /* the interface is there */
	bool running;	  /* and somebody moves its packets: the kernel, or a live engine */
	bool files;	  /* actual: an engine's socket, lock or log is there, alive or not */
	bool up;
	bool prepared; /* accept_local, keep_addr_on_down, no IPv6 autoconfiguration */
	uint32_t mtu;
	struct wg_device wg;	       /* owned */
	struct cidr_list addresses;    /* owned */
	struct cidr_list table_routes; /* owned: in the tunnel's own table */
	struct cidr_list main_routes;  /* owned: in the main table */
	bool rule_ipv4, rule_ipv6;
};

struct subu_state {
	uint32_t id;	/* ns-subu_<id> */
	bool present;	/* the namespace is there */
	bool named;	/* actual: or at least the file for it, which a killed run left */
	bool ping_open; /* every group may use ICMP echo sockets (icmp(7), ping_group_range) */
	bool lo_up;
	bool ipv6;		  /* actual: the kernel has IPv6 */
	size_t process_count;	  /* actual: processes inside */
	struct link_state *links; /* owned */
	size_t link_count;
};

/* A zeroed link at the end of the list; valid until the next append. */
struct link_state *subu_state_append_link(struct subu_state *state, uint32_t tunnel);

/* The link of that tunnel, or NULL. */
struct link_state *subu_state_find_link(const struct subu_state *state, uint32_t tunnel);

/* Free what is owned and wipe the keys. Usable with CLEANUP(). */
void link_state_clear(struct link_state *link);
void subu_state_clear(struct subu_state *state);

#endif
