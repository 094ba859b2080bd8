#include "wireguard/indices.h"

#include "wireguard/random.h"

static struct index_entry *entry_of(struct table_node *node)
{
	return (struct index_entry *)((char *)node - offsetof(struct index_entry, node));
}

uint32_t indices_renew(struct table *indices, struct index_entry *entry)
{
	uint32_t index;

	indices_remove(indices, entry);
	do
		random_fill(&index, sizeof(index));
	while (indices_find(indices, index));
	table_insert(indices, &entry->node, index);
	entry->in_use = true;
	return index;
}

void indices_hand_over(struct table *indices, struct index_entry *from, struct index_entry *to)
{
	uint64_t index = from->node.hash;

	indices_remove(indices, to);
	indices_remove(indices, from);
	table_insert(indices, &to->node, index);
	to->in_use = true;
}

void indices_remove(struct table *indices, struct index_entry *entry)
{
	if (!entry->in_use)
		return;
	table_remove(indices, &entry->node);
	entry->in_use = false;
}

struct index_entry *indices_find(const struct table *indices, uint32_t index)
{
	struct table_node *node = table_find(indices, index);

	return node ? entry_of(node) : NULL;
}
