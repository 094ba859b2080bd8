/* Routes and routing rules, by rtnetlink. */
#ifndef KERNEL_ROUTE_H
#define KERNEL_ROUTE_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "kernel/netlink.h"

#define ROUTE_TABLE_MAIN 254 /* RT_TABLE_MAIN */

/* A route straight out of an interface. One to a loopback network is of the type local: what a
 * socket bound to the interface sends there comes back by lo, as if it were not bound. */
struct route {
	uint32_t table;
	struct cidr destination; /* host bits clear */
	unsigned int link_index;
};

/* `from all oif NAME lookup TABLE`: sockets bound to the interface look there first. Without a name
 * and a table, `from all ipproto PROTOCOL unreachable`: what is sent unbound finds no route. */
struct route_rule {
	sa_family_t family;
	uint32_t priority;
	uint32_t table;
	char oif[IFNAMSIZ];
	uint8_t protocol; /* 0 where there is an oif */
};

/* Unicast and local routes of every table that were made by hand or by us (RTPROT_STATIC and
 * RTPROT_BOOT), not those the kernel keeps; with several next hops or a gateway too, as link_index of the first.
 * The caller frees the array. */
int route_list(struct netlink *netlink, struct route **ret, size_t *ret_count, struct error *error);

/* The interface by which the kernel would send a packet of a socket that is bound to none. The
 * kernel's negative errno, such as -ENETUNREACH, when it has no route to the address. */
int route_find(struct netlink *netlink, const struct ip *destination, unsigned int *ret_link_index,
	       struct error *error);

/* RTPROT_STATIC, scope link in IPv4. There already: 0. -EEXIST when the table has another route to
 * the destination. */
int route_add(struct netlink *netlink, const struct route *route, struct error *error);

/* As route_add(), in the place of another route to the destination. */
int route_replace(struct netlink *netlink, const struct route *route, struct error *error);

/* Not there: 0. */
int route_delete(struct netlink *netlink, const struct route *route, struct error *error);

/* Rules of these two shapes and no other selector; the caller frees the array. Adding one that is there
 * and deleting one that is not: 0. */
int route_rule_list(struct netlink *netlink, struct route_rule **ret, size_t *ret_count,
		    struct error *error);
int route_rule_add(struct netlink *netlink, const struct route_rule *rule, struct error *error);
int route_rule_delete(struct netlink *netlink, const struct route_rule *rule, struct error *error);

#endif
