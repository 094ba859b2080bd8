#include "wireguard/table.h"

#include "base/memory.h"

#define BUCKETS_LEAST 16

static struct table_node **bucket_of(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

static void link_node(struct table *table, struct table_node *node)
{
	struct table_node **bucket = bucket_of(table, node->hash);

	node->next = *bucket;
	*bucket = node;
}

static void grow(struct table *table)
{
	struct table larger = {
		.bucket_count = table->bucket_count ? table->bucket_count * 2 : BUCKETS_LEAST,
		.count = table->count,
	};
	struct table_node *node, *next;

	larger.buckets = memory_zalloc(larger.bucket_count * sizeof(*larger.buckets));
	for (size_t i = 0; i < table->bucket_count; i++) {
		for (node = table->buckets[i]; node; node = next) {
			next = node->next;
			link_node(&larger, node);
		}
	}
	free(table->buckets);
	*table = larger;
}

void table_insert(struct table *table, struct table_node *node, uint64_t hash)
{
	if (table->count >= table->bucket_count)
		grow(table);
	node->hash = hash;
	link_node(table, node);
	table->count++;
}

void table_remove(struct table *table, struct table_node *node)
{
	struct table_node **link = bucket_of(table, node->hash);

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	node->next = NULL;
	table->count--;
}

static struct table_node *first_with(struct table_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct table_node *table_find(const struct table *table, uint64_t hash)
{
	return table->count ? first_with(*bucket_of(table, hash), hash) : NULL;
}

struct table_node *table_find_next(const struct table_node *node)
{
	return first_with(node->next, node->hash);
}

void table_clear(struct table *table)
{
	free(table->buckets);
	*table = (struct table){};
}
