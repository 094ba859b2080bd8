/* wireguard/allowedips against a list that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/allowedips.h"

#define OWNERS	   12
#define NETWORKS   512
#define OPERATIONS 20000

struct naive {
	struct cidr network;
	struct allowed_ips_owner *owner;
};

static struct naive naive[NETWORKS];
static size_t naive_count;

static void naive_insert(const struct cidr *cidr, struct allowed_ips_owner *owner)
{
	struct cidr network = cidr_network(cidr);

	for (size_t i = 0; i < naive_count; i++) {
		if (cidr_equal(&naive[i].network, &network)) {
			naive[i].owner = owner;
			return;
		}
	}
	naive[naive_count++] = (struct naive){network, owner};
}

static void naive_remove(struct allowed_ips_owner *owner)
{
	size_t kept = 0;

	for (size_t i = 0; i < naive_count; i++)
		if (naive[i].owner != owner)
			naive[kept++] = naive[i];
	naive_count = kept;
}

static struct allowed_ips_owner *naive_find(const struct ip *ip)
{
	const struct naive *best = NULL;

	for (size_t i = 0; i < naive_count; i++)
		if (cidr_contains(&naive[i].network, ip) &&
		    (!best || naive[i].network.length > best->network.length))
			best = &naive[i];
	return best ? best->owner : NULL;
}

/* Addresses with few bits set, so that networks are often inside each other. */
static struct ip random_ip(void)
{
	struct ip ip = {.family = rand() % 2 ? AF_INET : AF_INET6};
	size_t size = ip_bits(ip.family) / 8;

	for (size_t i = 0; i < size; i++)
		ip.bytes[i] = (uint8_t)(rand() % 4 ? 0 : 1 << rand() % 8);
	return ip;
}

static struct cidr random_cidr(void)
{
	struct cidr cidr = {.ip = random_ip()};

	cidr.length = (uint8_t)((unsigned int)rand() % (ip_bits(cidr.ip.family) + 1));
	return cidr;
}

static void compare(const struct allowed_ips *table, struct allowed_ips_owner *owners)
{
	size_t total = 0;

	for (int i = 0; i < 20; i++) {
		struct ip ip = i < 10 || !naive_count
				       ? random_ip()
				       : naive[(size_t)rand() % naive_count].network.ip;

		assert_ptr_equal(allowed_ips_find(table, ip.family, ip.bytes), naive_find(&ip));
	}
	for (size_t i = 0; i < OWNERS; i++) {
		CLEANUP(cidr_list_clear) struct cidr_list list = {};

		allowed_ips_list(&owners[i], &list);
		total += list.count;
		for (size_t j = 0; j < naive_count; j++)
			assert_int_equal(cidr_list_holds(&list, &naive[j].network),
					 naive[j].owner == &owners[i]);
	}
	assert_int_equal(total, naive_count);
}

static void test_against_naive(void **state)
{
	struct allowed_ips_owner owners[OWNERS] = {}, *owner;
	struct allowed_ips table = {};
	struct cidr cidr;

	(void)state;
	srand(1);
	for (int i = 0; i < OPERATIONS; i++) {
		owner = &owners[rand() % OWNERS];
		if (naive_count == NETWORKS || rand() % 60 == 0) {
			allowed_ips_remove(&table, owner);
			naive_remove(owner);
			assert_null(owner->first);
			assert_null(owner->last);
		} else {
			cidr = random_cidr();
			allowed_ips_insert(&table, &cidr, owner);
			naive_insert(&cidr, owner);
		}
		if (i % 10 == 0)
			compare(&table, owners);
	}
	for (size_t i = 0; i < OWNERS; i++)
		allowed_ips_remove(&table, &owners[i]);
	assert_null(table.v4); /* no fork is left over */
	assert_null(table.v6);
}

static struct cidr cidr_of(const char *text)
{
	struct error error;
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr, &error), 0);
	return cidr;
}

static struct allowed_ips_owner *find(const struct allowed_ips *table, const char *text)
{
	struct cidr cidr = cidr_of(text);

	return allowed_ips_find(table, cidr.ip.family, cidr.ip.bytes);
}

static void test_edges(void **state)
{
	static const char *const networks[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.7/32",
					       "::/0",	    "fd00::/8",	  "fd00::7/128"};
	static const char *const inside[] = {"255.255.255.255", "10.255.0.1", "10.0.0.7",
					     "ffff::",		"fd00::8",    "fd00::7"};
	struct allowed_ips_owner owners[ARRAY_SIZE(networks)] = {};
	struct allowed_ips table = {};
	struct cidr cidr;

	(void)state;
	assert_null(find(&table, "10.0.0.7"));
	assert_null(find(&table, "::"));
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		cidr = cidr_of(networks[i]);
		allowed_ips_insert(&table, &cidr, &owners[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
		assert_ptr_equal(find(&table, inside[i]), &owners[i]);
	allowed_ips_remove(&table, &owners[1]);
	assert_ptr_equal(find(&table, "10.255.0.1"), &owners[0]);
	assert_ptr_equal(find(&table, "10.0.0.7"), &owners[2]);
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
		allowed_ips_remove(&table, &owners[i]);
}

/* A network is listed in the order it was given, with its host bits cleared, and moves. */
static void test_order_and_move(void **state)
{
	CLEANUP(cidr_list_clear) struct cidr_list list = {};
	CLEANUP(memory_free) char *text = NULL;
	struct allowed_ips_owner first = {}, second = {};
	struct allowed_ips table = {};
	struct cidr cidrs[] = {cidr_of("10.1.2.3/24"), cidr_of("fd00::1/64"), cidr_of("10.0.0.0/8"),
			       cidr_of("10.1.2.9/24")};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		allowed_ips_insert(&table, &cidrs[i], &first);
	allowed_ips_insert(&table, &cidrs[1], &second);
	allowed_ips_list(&first, &list);
	text = cidr_list_format(&list);
	assert_string_equal(text, "10.1.2.0/24, 10.0.0.0/8");
	assert_ptr_equal(find(&table, "fd00::7"), &second);
	allowed_ips_remove(&table, &first);
	allowed_ips_remove(&table, &second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_naive),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_order_and_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
