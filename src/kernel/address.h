/* Addresses of interfaces, by rtnetlink. */
#ifndef KERNEL_ADDRESS_H
#define KERNEL_ADDRESS_H

#include "base/ip.h"
#include "kernel/netlink.h"

/* The interface's addresses of global scope, both families; the caller clears the list. */
int address_list(struct netlink *netlink, unsigned int link_index, struct cidr_list *ret,
		 struct error *error);

/* Adds without a route to its network (IFA_F_NOPREFIXROUTE) and, in IPv6, without duplicate address
 * detection (IFA_F_NODAD). There already: 0. */
int address_add(struct netlink *netlink, unsigned int link_index, const struct cidr *address,
		struct error *error);

/* Not there: 0. */
int address_delete(struct netlink *netlink, unsigned int link_index, const struct cidr *address,
		   struct error *error);

#endif
