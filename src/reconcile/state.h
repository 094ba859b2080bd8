/* A sub-user as it should be or as it is: the same types for what the database asks for (desired)
 * and for what the kernel has (actual). */
#ifndef RECONCILE_STATE_H
#define RECONCILE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "egress/status.h"
#include "model/tunnel.h"
#include "wireguard/backend.h"

/* Every tunnel has a routing table of its own in its namespace, reached by
 * `ip rule oif subu_M lookup TABLE` at this priority, before the main table's 32766. */
#define TUNNEL_TABLE(tunnel) (1000 + (tunnel))
#define TUNNEL_RULE_PRIORITY 1000

/* What the kernel inside says by itself, ICMP and TCP resets, belongs to no socket of the sub-user's:
 * forced egress does not see it, and the main table would lead it. These rules stop it, and with it
 * every socket of these protocols that is bound to no tunnel. */
#define FENCE_RULE_PRIORITY 1001
#define FENCE_COUNT	    4
struct fence {
	sa_family_t family;
	uint8_t protocol;
};
extern const struct fence fences[FENCE_COUNT];

/* One tunnel's device, and what in the namespace carries its name. */
struct link_state {
	uint32_t tunnel; /* WG_<tunnel>, device subu_<tunnel> */
	enum backend backend;
	bool any_backend; /* desired: nobody decided; the device that is there may stay */
	bool foreign;	  /* actual: of a kind that neither backend makes, under our name */
	bool device;	  /* the interface is there */
	uint32_t index;	  /* actual: its number */
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
	bool steered; /* forced egress is whole and knows this device */
	bool held;    /* actual: so it is, or by the programs of another version of subu */
};

struct subu_state {
	uint32_t id;   /* ns-subu_<id> */
	bool present;  /* the namespace is there */
	bool named;    /* actual: or at least the file for it, which a killed run left */
	bool prepared; /* the namespace's own settings: see netns_settings[] */
	bool lo_up;
	bool ipv6;	      /* actual: the kernel has IPv6 */
	size_t process_count; /* actual: processes inside, or in the control group */
	bool fences[FENCE_COUNT];
	bool cgroups;		     /* actual: the kernel's control groups are there to be used */
	bool cgroup;		     /* subu/subu_<id> is there */
	bool cgroup_left;	     /* actual: or at least subu, which a killed run left */
	struct egress_status egress; /* actual */
	struct link_state *links;    /* owned */
	size_t link_count;
};

/* Settings in a namespace, as paths below /proc/sys. A new one takes those of IPv4 from the machine:
 *  - nothing is forwarded from one interface to another;
 *  - no packet of the tunnel is dropped for want of a route back: that route is for bound sockets,
 *    and rp_filter does not look there (ip-sysctl.rst);
 *  - every group may use ICMP echo sockets, so that ping needs no rights (icmp(7));
 *  - a socket bound to the tunnel's device may bind to ::1, whose own device is lo. */
struct netns_setting {
	const char *path;
	const char *value; /* NULL: all groups that the user namespace has */
};
#define NETNS_SETTING_COUNT 5
extern const struct netns_setting netns_settings[NETNS_SETTING_COUNT];

/* A namespace without a row or a name: the caller's own, made a moment ago for one tunnel. Its
 * tunnel has the number 0. */
#define OWN_DEVICE "subu_0"
struct own_netns {
	const char *socket; /* of the engine, uapi_listen(); NULL: the kernel runs the device */
	uint32_t fwmark;    /* that the engine was started with */
};

/* A zeroed link at the end of the list; valid until the next append. */
struct link_state *subu_state_append_link(struct subu_state *state, uint32_t tunnel);

/* Is one of its links steered, or held? */
bool subu_state_is_steered(const struct subu_state *state);
bool subu_state_is_held(const struct subu_state *state);

/* What the setting is to be where last_group is the highest (userns_last_group()). Returns the
 * buffer. */
#define NETNS_SETTING_MAX 32
const char *netns_setting_value(const struct netns_setting *setting, gid_t last_group,
				char value[static NETNS_SETTING_MAX]);

/* The link of that tunnel, or NULL. */
struct link_state *subu_state_find_link(const struct subu_state *state, uint32_t tunnel);

/* Free what is owned and wipe the keys. Usable with CLEANUP(). */
void link_state_clear(struct link_state *link);
void subu_state_clear(struct subu_state *state);

#endif
