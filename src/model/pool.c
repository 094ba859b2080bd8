/* Addresses are counted by their offset from the network's own, as 128-bit numbers, which hold both
 * families. The lowest free address is found without walking the network, by the pigeonhole: of the
 * first count + 1 offsets, count addresses can take at most count. So one mark for each of these,
 * one pass over the list to set them and one over the marks to find the first that is not set. */
#include "model/pool.h"

#include <errno.h>

#include "base/memory.h"

typedef unsigned __int128 number;

#define FIRST_OFFSET 2

static number ip_number(const struct ip *ip)
{
	number value = 0;

	for (unsigned int i = 0; i < ip_bits(ip->family) / 8; i++)
		value = value << 8 | ip->bytes[i];
	return value;
}

static struct ip ip_from_number(sa_family_t family, number value)
{
	struct ip ip = {.family = family};

	for (unsigned int i = ip_bits(family) / 8; i-- > 0; value >>= 8)
		ip.bytes[i] = (uint8_t)value;
	return ip;
}

/* How many addresses there are to hand out. */
static number pool_capacity(const struct cidr *pool)
{
	unsigned int host_bits = ip_bits(pool->ip.family) - pool->length;
	number last = host_bits ? ~(number)0 >> (128 - host_bits) : 0;

	if (pool->ip.family == AF_INET && last > 0)
		last--;
	return last < FIRST_OFFSET ? 0 : last - FIRST_OFFSET + 1;
}

/* Is the address one that the pool hands out? Sets *ret to which one, counted from 0. */
static bool pool_index(const struct cidr *pool, const struct ip *ip, number *ret)
{
	number offset;

	if (!cidr_contains(pool, ip))
		return false;
	offset = ip_number(ip) - ip_number(&pool->ip);
	*ret = offset - FIRST_OFFSET;
	return offset >= FIRST_OFFSET && *ret < pool_capacity(pool);
}

int pool_check(const struct cidr *pool, const struct cidr_list *taken, struct error *error)
{
	char text[CIDR_TEXT_MAX], right[CIDR_TEXT_MAX];
	struct cidr network = cidr_network(pool);
	number ignored;

	cidr_format(pool, text);
	if (!cidr_equal(pool, &network))
		return error_set(error, EINVAL,
				 "%s is an address in a network, not a network: the pool would be "
				 "%s",
				 text, cidr_format(&network, right));
	if (pool_capacity(pool) == 0)
		return error_set(error, EINVAL,
				 "%s is too small for a pool: /%d or shorter leaves an address to "
				 "hand out",
				 text, pool->ip.family == AF_INET ? 30 : 126);
	for (size_t i = 0; i < taken->count; i++)
		if (!pool_index(pool, &taken->items[i].ip, &ignored))
			return error_set(error, EBUSY,
					 "%s cannot be the pool: it does not hand out %s, which is "
					 "in use",
					 text, ip_format(&taken->items[i].ip, right));
	return 0;
}

int pool_next(const struct cidr *pool, const struct cidr_list *taken, struct cidr *ret,
	      struct error *error)
{
	CLEANUP(memory_free) bool *marks = memory_zalloc(taken->count + 1);
	number capacity = pool_capacity(pool), index;
	char text[CIDR_TEXT_MAX];
	size_t free_index = 0;

	for (size_t i = 0; i < taken->count; i++)
		if (pool_index(pool, &taken->items[i].ip, &index) && index < taken->count)
			marks[index] = true;
	while (marks[free_index])
		free_index++;
	if (free_index >= capacity)
		return error_set(error, ENOSPC,
				 "the pool %s is used up: it holds %llu to hand out and all are "
				 "in use",
				 cidr_format(pool, text), (unsigned long long)capacity);
	ret->ip = ip_from_number(pool->ip.family, ip_number(&pool->ip) + FIRST_OFFSET + free_index);
	ret->length = (uint8_t)ip_bits(pool->ip.family);
	return 0;
}
