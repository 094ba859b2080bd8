/* Network interfaces, by rtnetlink. Every function works in the namespace of its netlink socket. */
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/netlink.h"

struct link_info {
	unsigned int index;
	char name[IFNAMSIZ];
	char kind[16]; /* "wireguard", "tun", "veth"; empty for lo */
	uint32_t mtu;
	bool up; /* IFF_UP: the admin state */
};

/* All interfaces, in the kernel's order; the caller frees the array. */
int link_list(struct netlink *netlink, struct link_info **ret, size_t *ret_count,
	      struct error *error);

/* -ENODEV when there is none of that name. */
int link_find(struct netlink *netlink, const char *name, struct link_info *ret,
	      struct error *error);

/* Makes a kernel WireGuard device in the namespace of netns_fd in one step: it appears there and
 * nowhere else, while its UDP sockets live in the namespace of the netlink socket.
 * -EOPNOTSUPP: the kernel has no WireGuard. */
int link_create_wireguard(struct netlink *netlink, const char *name, int netns_fd,
			  struct error *error);

/* Deletes it; not there: 0. */
int link_delete(struct netlink *netlink, const char *name, struct error *error);

int link_set_up(struct netlink *netlink, const char *name, bool up, struct error *error);
int link_set_mtu(struct netlink *netlink, const char *name, uint32_t mtu, struct error *error);

/* Keeps the kernel from giving the interface an IPv6 link-local address (IN6_ADDR_GEN_MODE_NONE). A
 * kernel without IPv6 has none to give: 0. */
int link_set_no_ipv6_autoconf(struct netlink *netlink, const char *name, struct error *error);

/* A number for a new device, high and at random: the kernel counts from 1, so when this device has
 * gone no other has its number by chance. */
unsigned int link_choose_index(void);

#endif
