/* Which peer a network belongs to: cryptokey routing (whitepaper section 2). A network belongs to
 * one peer at a time; an address to the peer of the longest prefix that holds it. */
#ifndef WIREGUARD_ALLOWEDIPS_H
#define WIREGUARD_ALLOWEDIPS_H

#include <sys/socket.h>

#include "base/ip.h"

struct allowed_ips_node;

/* What a peer owns of the table, in the order it was given: part of a peer. Zeroed memory owns
 * nothing. */
struct allowed_ips_owner {
	struct allowed_ips_node *first, *last;
};

/* Zeroed memory is an empty table. */
struct allowed_ips {
	struct allowed_ips_node *v4, *v6; /* owned */
};

/* Gives the network of the CIDR to an owner, from whomever has had it. */
void allowed_ips_insert(struct allowed_ips *table, const struct cidr *cidr,
			struct allowed_ips_owner *owner);

/* The owner of an address in network order, 4 or 16 bytes by its family; NULL for none. Nothing is
 * allocated. */
struct allowed_ips_owner *allowed_ips_find(const struct allowed_ips *table, sa_family_t family,
					   const uint8_t *address);

/* Takes all networks from an owner. */
void allowed_ips_remove(struct allowed_ips *table, struct allowed_ips_owner *owner);

/* Adds the owner's networks to a list, which stays the caller's. */
void allowed_ips_list(const struct allowed_ips_owner *owner, struct cidr_list *list);

#endif
