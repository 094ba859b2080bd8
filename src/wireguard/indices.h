/* The indices by which a peer names our handshakes and sessions in its messages: random, so that
 * they tell nothing, and each in use once. */
#ifndef WIREGUARD_INDICES_H
#define WIREGUARD_INDICES_H

#include <stdbool.h>
#include <stdint.h>

#include "wireguard/table.h"

struct peer;

enum index_kind {
	INDEX_HANDSHAKE,
	INDEX_SESSION,
};

/* Part of what the index names. */
struct index_entry {
	struct table_node node;
	struct peer *peer;
	enum index_kind kind;
	bool in_use;
};

/* Draws a new index for the entry, which gives up the one it has had. */
uint32_t indices_renew(struct table *indices, struct index_entry *entry);

/* Hands the index of one entry to another, which gives up its own. */
void indices_hand_over(struct table *indices, struct index_entry *from, struct index_entry *to);

/* Gives up the index of the entry, if it has one. */
void indices_remove(struct table *indices, struct index_entry *entry);

/* NULL when the index is not in use. */
struct index_entry *indices_find(const struct table *indices, uint32_t index);

#endif
