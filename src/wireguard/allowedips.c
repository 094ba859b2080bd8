/* Theory of operation
 *
 * One binary trie a family, with paths compressed: a node stands for a prefix, its children for
 * longer prefixes that begin with it and go on with a 0 or a 1. A node that nobody owns is a fork
 * and has two children, so a table of n networks has less than 2n nodes, and a lookup visits no
 * more of them than there are networks around the address, plus forks.
 *
 * Both families are handled as 128 bits in two words of the machine's byte order, an IPv4 address
 * in the upper 32: what two prefixes have in common is then an exclusive or and a count of zeros.
 *
 * The nodes of an owner are also in a list, so that they are found without walking the trie. */
#include "wireguard/allowedips.h"

#include <endian.h>
#include <string.h>

#include "base/memory.h"

struct bits {
	uint64_t high, low;
};

struct allowed_ips_node {
	struct bits bits; /* those past length are 0 */
	unsigned int length;
	sa_family_t family;
	struct allowed_ips_node *children[2]; /* owned */
	struct allowed_ips_node *parent;
	struct allowed_ips_owner *owner;	  /* NULL: a fork */
	struct allowed_ips_node *previous, *next; /* of the same owner */
};

static struct bits bits_of(sa_family_t family, const uint8_t *address)
{
	struct bits bits = {};
	uint32_t v4;

	if (family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		bits.high = (uint64_t)be32toh(v4) << 32;
	} else {
		memcpy(&bits, address, sizeof(bits));
		bits.high = be64toh(bits.high);
		bits.low = be64toh(bits.low);
	}
	return bits;
}

static unsigned int common_length(struct bits a, struct bits b)
{
	if (a.high != b.high)
		return (unsigned int)__builtin_clzll(a.high ^ b.high);
	if (a.low != b.low)
		return 64 + (unsigned int)__builtin_clzll(a.low ^ b.low);
	return 128;
}

static unsigned int bit_at(struct bits bits, unsigned int place)
{
	return place < 64 ? bits.high >> (63 - place) & 1 : bits.low >> (127 - place) & 1;
}

static bool node_holds(const struct allowed_ips_node *node, struct bits bits)
{
	return common_length(node->bits, bits) >= node->length;
}

static struct bits bits_cut(struct bits bits, unsigned int length)
{
	bits.high &= length ? UINT64_MAX << (length < 64 ? 64 - length : 0) : 0;
	bits.low &= length > 64 ? UINT64_MAX << (128 - length) : 0;
	return bits;
}

struct allowed_ips_owner *allowed_ips_find(const struct allowed_ips *table, sa_family_t family,
					   const uint8_t *address)
{
	const struct allowed_ips_node *node = family == AF_INET ? table->v4 : table->v6;
	struct bits bits = bits_of(family, address);
	struct allowed_ips_owner *found = NULL;

	while (node && node_holds(node, bits)) {
		if (node->owner)
			found = node->owner;
		if (node->length == 128)
			break;
		node = node->children[bit_at(bits, node->length)];
	}
	return found;
}

static struct allowed_ips_node **link_to(struct allowed_ips *table,
					 const struct allowed_ips_node *node)
{
	if (node->parent)
		return &node->parent->children[node->parent->children[1] == node];
	return node->family == AF_INET ? &table->v4 : &table->v6;
}

static void adopt(struct allowed_ips_node *parent, struct allowed_ips_node *child)
{
	parent->children[bit_at(child->bits, parent->length)] = child;
	child->parent = parent;
}

static struct allowed_ips_node *node_create(sa_family_t family, struct bits bits,
					    unsigned int length, struct allowed_ips_node *parent)
{
	struct allowed_ips_node *node = memory_zalloc(sizeof(*node));

	node->bits = bits_cut(bits, length);
	node->length = length;
	node->family = family;
	node->parent = parent;
	return node;
}

/* The node of exactly this prefix, made where it belongs if it is not there. */
static struct allowed_ips_node *node_get(struct allowed_ips *table, sa_family_t family,
					 struct bits bits, unsigned int length)
{
	struct allowed_ips_node **link = family == AF_INET ? &table->v4 : &table->v6;
	struct allowed_ips_node *parent = NULL, *below, *node, *fork;
	unsigned int common;

	while (*link && (*link)->length <= length && node_holds(*link, bits)) {
		if ((*link)->length == length)
			return *link;
		parent = *link;
		link = &parent->children[bit_at(bits, parent->length)];
	}
	below = *link;
	node = node_create(family, bits, length, parent);
	if (!below) {
		*link = node;
		return node;
	}
	common = common_length(below->bits, node->bits);
	if (common >= length) {
		*link = node;
		adopt(node, below);
		return node;
	}
	fork = node_create(family, bits, common, parent);
	*link = fork;
	adopt(fork, below);
	adopt(fork, node);
	return node;
}

static void node_own(struct allowed_ips_node *node, struct allowed_ips_owner *owner)
{
	node->owner = owner;
	node->previous = owner->last;
	node->next = NULL;
	if (owner->last)
		owner->last->next = node;
	else
		owner->first = node;
	owner->last = node;
}

static void node_disown(struct allowed_ips_node *node)
{
	if (node->previous)
		node->previous->next = node->next;
	else
		node->owner->first = node->next;
	if (node->next)
		node->next->previous = node->previous;
	else
		node->owner->last = node->previous;
	node->owner = NULL;
}

/* Frees a node that nobody owns unless it is a fork, and its parent if that was a fork and is none
 * any more. */
static void node_prune(struct allowed_ips *table, struct allowed_ips_node *node)
{
	struct allowed_ips_node *parent, *child;

	while (node && !node->owner && !(node->children[0] && node->children[1])) {
		parent = node->parent;
		child = node->children[node->children[1] != NULL];
		*link_to(table, node) = child;
		if (child)
			child->parent = parent;
		free(node);
		node = parent;
	}
}

void allowed_ips_insert(struct allowed_ips *table, const struct cidr *cidr,
			struct allowed_ips_owner *owner)
{
	struct allowed_ips_node *node = node_get(
		table, cidr->ip.family, bits_of(cidr->ip.family, cidr->ip.bytes), cidr->length);

	if (node->owner == owner)
		return;
	if (node->owner)
		node_disown(node);
	node_own(node, owner);
}

void allowed_ips_remove(struct allowed_ips *table, struct allowed_ips_owner *owner)
{
	struct allowed_ips_node *node;

	while ((node = owner->first)) {
		node_disown(node);
		node_prune(table, node);
	}
}

void allowed_ips_list(const struct allowed_ips_owner *owner, struct cidr_list *list)
{
	struct cidr cidr;
	uint64_t words[2];

	for (const struct allowed_ips_node *node = owner->first; node; node = node->next) {
		cidr = (struct cidr){.ip.family = node->family, .length = (uint8_t)node->length};
		words[0] = htobe64(node->bits.high);
		words[1] = htobe64(node->bits.low);
		memcpy(cidr.ip.bytes, words, node->family == AF_INET ? 4 : 16);
		cidr_list_append(list, &cidr);
	}
}
