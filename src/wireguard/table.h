/* A hash table of nodes that live inside what they are for. It grows as nodes are added. The hash
 * is the caller's: of hostile keys it must be a keyed one. */
#ifndef WIREGUARD_TABLE_H
#define WIREGUARD_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_node {
	uint64_t hash;
	struct table_node *next;
};

/* Zeroed memory is an empty table. */
struct table {
	struct table_node **buckets; /* owned */
	size_t bucket_count;	     /* 0 or a power of two */
	size_t count;
};

/* The node stays the caller's and must not move while it is in the table. */
void table_insert(struct table *table, struct table_node *node, uint64_t hash);
void table_remove(struct table *table, struct table_node *node);

/* The first node with this hash, and the next with the hash of this node; NULL for none. */
struct table_node *table_find(const struct table *table, uint64_t hash);
struct table_node *table_find_next(const struct table_node *node);

/* Frees the table, which is empty afterwards, but not the nodes. */
void table_clear(struct table *table);

#endif
