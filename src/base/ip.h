/* IP addresses, networks in CIDR notation and socket addresses: plain values with one way to read
 * and one way to write each. Parsers accept the whole text or nothing. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

struct ip {
	sa_family_t family; /* AF_INET or AF_INET6; AF_UNSPEC: none */
	union {
		struct in_addr v4;
		struct in6_addr v6;
		uint8_t bytes[16]; /* network order; 4 or 16 of them count */
	};
};

/* An address and the length of its network's prefix. Host bits may be set: an interface's address
 * is one of these as well as a network is. */
struct cidr {
	struct ip ip;
	uint8_t length; /* 0–32 or 0–128 */
};

struct cidr_list {
	struct cidr *items; /* owned */
	size_t count;
};

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

#define IP_TEXT_MAX	46 /* INET6_ADDRSTRLEN, with the NUL */
#define CIDR_TEXT_MAX	(IP_TEXT_MAX + 4)
#define SOCKET_TEXT_MAX (IP_TEXT_MAX + 8 + 16) /* [address%scope]:port */

/* Bits in an address of this family: 32 or 128. */
unsigned int ip_bits(sa_family_t family);

/* Both return 0, or -EINVAL with a message that quotes the text and says what would be right. A
 * CIDR without "/length" is a single address. */
int ip_parse(const char *text, struct ip *ret, struct error *error);
int cidr_parse(const char *text, struct cidr *ret, struct error *error);

/* Write into the caller's buffer (IP_TEXT_MAX, CIDR_TEXT_MAX, SOCKET_TEXT_MAX) and return it. */
const char *ip_format(const struct ip *ip, char *buffer);
const char *cidr_format(const struct cidr *cidr, char *buffer);
const char *socket_address_format(const union socket_address *address, char *buffer);

bool ip_equal(const struct ip *a, const struct ip *b);
bool cidr_equal(const struct cidr *a, const struct cidr *b);
bool socket_address_equal(const union socket_address *a, const union socket_address *b);

/* The network that the CIDR lies in: the same with its host bits cleared. */
struct cidr cidr_network(const struct cidr *cidr);

/* Does the network hold the address? Never across families. */
bool cidr_contains(const struct cidr *network, const struct ip *ip);

/* 127.0.0.0/8 and ::1/128. */
#define LOOPBACK_COUNT 2
extern const struct cidr loopback_networks[LOOPBACK_COUNT];

/* Does it lie in one of these? */
bool cidr_is_loopback(const struct cidr *cidr);

/* The size that bind() and connect() want; 0 for a family that is not IP. */
socklen_t socket_address_size(const union socket_address *address);

/* Reads "ADDRESS:PORT" or "[ADDRESS%SCOPE]:PORT", numeric only, port 1–65535. The scope may be the
 * name of an interface, too, which is looked up in the caller's network namespace. */
int socket_address_parse(const char *text, union socket_address *ret, struct error *error);

/* A comma-separated list, spaces allowed around each; an empty text is an empty list. The list is
 * the caller's to free with cidr_list_clear(). */
int cidr_list_parse(const char *text, struct cidr_list *ret, struct error *error);

/* "A/24, B/128" as a string the caller frees. */
char *cidr_list_format(const struct cidr_list *list);

void cidr_list_append(struct cidr_list *list, const struct cidr *cidr);
void cidr_list_copy(struct cidr_list *to, const struct cidr_list *from);
void cidr_list_clear(struct cidr_list *list);

/* The same members, whatever their order. */
bool cidr_list_equal(const struct cidr_list *a, const struct cidr_list *b);
bool cidr_list_holds(const struct cidr_list *list, const struct cidr *cidr);

#endif
