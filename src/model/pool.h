/* The pool that the local addresses of tunnels are handed out from: one network, IPv4 or IPv6. Its
 * first address names the network, the next (.1) is left to the server, the last of an IPv4 network
 * is its broadcast; those between are handed out, the lowest free one first. An address that was
 * given back is free again.
 *
 * Addresses handed out are told by their IP alone: the prefix length in the list does not count. */
#ifndef MODEL_POOL_H
#define MODEL_POOL_H

#include "base/error.h"
#include "base/ip.h"

/* Is this a pool that can take over now? It must be a network without host bits, with room for one
 * address at least, and hold all that are handed out. -EINVAL, or -EBUSY naming the first address
 * that it does not hold. */
int pool_check(const struct cidr *pool, const struct cidr_list *taken, struct error *error);

/* The next free address, as a /32 or /128, of a pool that pool_check() took. Addresses in the list
 * that the pool does not hold are no matter. The time grows with the list, not with the pool.
 * -ENOSPC when the pool is used up. */
int pool_next(const struct cidr *pool, const struct cidr_list *taken, struct cidr *ret,
	      struct error *error);

#endif
