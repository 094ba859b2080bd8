#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

unsigned int ip_bits(sa_family_t family)
{
	return family == AF_INET ? 32 : 128;
}

int ip_parse(const char *text, struct ip *ret, struct error *error)
{
	struct ip ip = {};

	if (inet_pton(AF_INET, text, &ip.v4) == 1)
		ip.family = AF_INET;
	else if (inet_pton(AF_INET6, text, &ip.v6) == 1)
		ip.family = AF_INET6;
	else
		return error_set(error, EINVAL,
				 "'%.100s' is not an IP address, such as 10.0.0.1 or 2001:db8::1",
				 text);
	*ret = ip;
	return 0;
}

int cidr_parse(const char *text, struct cidr *ret, struct error *error)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_MAX];
	struct cidr cidr = {};
	struct error ignored;
	uint64_t length;
	size_t size = slash ? (size_t)(slash - text) : strlen(text);

	if (size >= sizeof(address))
		goto malformed;
	memcpy(address, text, size);
	address[size] = '\0';
	if (ip_parse(address, &cidr.ip, &ignored) < 0)
		goto malformed;
	length = ip_bits(cidr.ip.family);
	if (slash && text_to_number(slash + 1, 0, ip_bits(cidr.ip.family), &length) < 0)
		goto malformed;
	cidr.length = (uint8_t)length;
	*ret = cidr;
	return 0;
malformed:
	return error_set(error, EINVAL,
			 "'%.100s' is not an address or network, such as 10.0.0.0/24 or "
			 "2001:db8::/64",
			 text);
}

const char *ip_format(const struct ip *ip, char *buffer)
{
	if (!inet_ntop(ip->family, ip->bytes, buffer, IP_TEXT_MAX))
		strcpy(buffer, "-");
	return buffer;
}

const char *cidr_format(const struct cidr *cidr, char *buffer)
{
	char address[IP_TEXT_MAX];

	snprintf(buffer, CIDR_TEXT_MAX, "%s/%u", ip_format(&cidr->ip, address), cidr->length);
	return buffer;
}

const char *socket_address_format(const union socket_address *address, char *buffer)
{
	char text[IP_TEXT_MAX], scope[16] = "";

	if (address->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
		snprintf(buffer, SOCKET_TEXT_MAX, "%s:%u", text, ntohs(address->v4.sin_port));
	} else if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
		if (address->v6.sin6_scope_id)
			snprintf(scope, sizeof(scope), "%%%u", address->v6.sin6_scope_id);
		snprintf(buffer, SOCKET_TEXT_MAX, "[%s%s]:%u", text, scope,
			 ntohs(address->v6.sin6_port));
	} else {
		strcpy(buffer, "-");
	}
	return buffer;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, ip_bits(a->family) / 8) == 0;
}

bool cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return a->length == b->length && ip_equal(&a->ip, &b->ip);
}

bool socket_address_equal(const union socket_address *a, const union socket_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port &&
		       a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	if (a->any.sa_family == AF_INET6)
		return a->v6.sin6_port == b->v6.sin6_port &&
		       a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
		       memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16) == 0;
	return true;
}

/* The part of a byte that belongs to the prefix, for byte number index of the address. */
static uint8_t prefix_mask(unsigned int length, unsigned int index)
{
	if (length >= (index + 1) * 8)
		return 0xff;
	if (length <= index * 8)
		return 0;
	return (uint8_t)(0xff << (8 - length % 8));
}

struct cidr cidr_network(const struct cidr *cidr)
{
	struct cidr network = *cidr;

	for (unsigned int i = 0; i < ip_bits(cidr->ip.family) / 8; i++)
		network.ip.bytes[i] &= prefix_mask(cidr->length, i);
	return network;
}

bool cidr_contains(const struct cidr *network, const struct ip *ip)
{
	if (network->ip.family != ip->family)
		return false;
	for (unsigned int i = 0; i < ip_bits(ip->family) / 8; i++)
		if ((network->ip.bytes[i] ^ ip->bytes[i]) & prefix_mask(network->length, i))
			return false;
	return true;
}

const struct cidr loopback_networks[LOOPBACK_COUNT] = {
	{.ip = {.family = AF_INET, .bytes = {127}}, .length = 8},
	{.ip = {.family = AF_INET6, .bytes = {[15] = 1}}, .length = 128},
};

bool cidr_is_loopback(const struct cidr *cidr)
{
	for (size_t i = 0; i < LOOPBACK_COUNT; i++)
		if (cidr->length >= loopback_networks[i].length &&
		    cidr_contains(&loopback_networks[i], &cidr->ip))
			return true;
	return false;
}

socklen_t socket_address_size(const union socket_address *address)
{
	if (address->any.sa_family == AF_INET)
		return sizeof(address->v4);
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : 0;
}

/* The scope of a link-local address: an interface's number or name. A name is asked for in the
 * network namespace of the caller: the one thing here that does not depend on the text alone. */
static int scope_parse(const char *text, uint32_t *ret)
{
	uint64_t number;

	if (text_to_number(text, 1, UINT32_MAX, &number) < 0)
		number = if_nametoindex(text);
	if (number == 0)
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

int socket_address_parse(const char *text, union socket_address *ret, struct error *error)
{
	const char *colon = strrchr(text, ':');
	union socket_address address = {};
	char host[IP_TEXT_MAX + IF_NAMESIZE + 1], *percent;
	uint64_t port;
	size_t size;

	if (!colon || text_to_number(colon + 1, 1, UINT16_MAX, &port) < 0)
		goto malformed;
	size = (size_t)(colon - text);
	if (size >= sizeof(host))
		goto malformed;
	memcpy(host, text, size);
	host[size] = '\0';
	if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons((uint16_t)port);
		*ret = address;
		return 0;
	}
	if (size < 2 || host[0] != '[' || host[size - 1] != ']')
		goto malformed;
	host[size - 1] = '\0';
	percent = strchr(host, '%');
	if (percent) {
		*percent = '\0';
		if (scope_parse(percent + 1, &address.v6.sin6_scope_id) < 0)
			goto malformed;
	}
	if (inet_pton(AF_INET6, host + 1, &address.v6.sin6_addr) != 1)
		goto malformed;
	address.v6.sin6_family = AF_INET6;
	address.v6.sin6_port = htons((uint16_t)port);
	*ret = address;
	return 0;
malformed:
	return error_set(error, EINVAL,
			 "'%.100s' is not ADDRESS:PORT, such as 192.0.2.1:51820 or "
			 "[2001:db8::1]:51820",
			 text);
}

int cidr_list_parse(const char *text, struct cidr_list *ret, struct error *error)
{
	CLEANUP(cidr_list_clear) struct cidr_list list = {};
	const char *rest = text;
	char item[128];
	struct cidr cidr;
	int more, code;

	while ((more = text_next_item(&rest, item, sizeof(item))) > 0) {
		code = cidr_parse(item, &cidr, error);
		if (code < 0)
			return code;
		cidr_list_append(&list, &cidr);
	}
	if (more < 0)
		return error_set(error, EINVAL,
				 "'%.100s' is not a list of networks separated by commas", text);
	*ret = list;
	list = (struct cidr_list){};
	return 0;
}

char *cidr_list_format(const struct cidr_list *list)
{
	char *text = memory_zalloc(list->count * (CIDR_TEXT_MAX + 2) + 1), *end = text;
	char item[CIDR_TEXT_MAX];

	for (size_t i = 0; i < list->count; i++) {
		if (i)
			end = stpcpy(end, ", ");
		end = stpcpy(end, cidr_format(&list->items[i], item));
	}
	return text;
}

void cidr_list_append(struct cidr_list *list, const struct cidr *cidr)
{
	/* Grows by doubling: a full list is one whose count is a power of two. */
	if ((list->count & (list->count - 1)) == 0)
		list->items = memory_resize(list->items, list->count ? list->count * 2 : 1,
					    sizeof(*list->items));
	list->items[list->count++] = *cidr;
}

void cidr_list_copy(struct cidr_list *to, const struct cidr_list *from)
{
	*to = (struct cidr_list){};
	for (size_t i = 0; i < from->count; i++)
		cidr_list_append(to, &from->items[i]);
}

void cidr_list_clear(struct cidr_list *list)
{
	memory_free(&list->items);
	list->count = 0;
}

bool cidr_list_holds(const struct cidr_list *list, const struct cidr *cidr)
{
	for (size_t i = 0; i < list->count; i++)
		if (cidr_equal(&list->items[i], cidr))
			return true;
	return false;
}

bool cidr_list_equal(const struct cidr_list *a, const struct cidr_list *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!cidr_list_holds(b, &a->items[i]))
			return false;
	for (size_t i = 0; i < b->count; i++)
		if (!cidr_list_holds(a, &b->items[i]))
			return false;
	return true;
}
