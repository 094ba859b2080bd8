/* The DNS of a tunnel: servers and search domains, as wg-quick's DNS= mixes them in one list. */
#ifndef MODEL_DNS_H
#define MODEL_DNS_H

#include <stddef.h>

#include "base/error.h"
#include "base/ip.h"
#include "model/endpoint.h"

#define DNS_SERVERS_MAX 8
#define DNS_SEARCH_MAX	8

struct dns {
	struct ip servers[DNS_SERVERS_MAX];
	size_t server_count;
	char search[DNS_SEARCH_MAX][ENDPOINT_HOST_MAX];
	size_t search_count;
};

/* Reads "10.0.0.1, 2001:db8::1, corp.example" and adds to *dns, which is untouched on failure. An
 * address is a server, anything else that is a host name by endpoint.h's rules a search domain. */
int dns_parse(const char *text, struct dns *dns, struct error *error);

/* The same list as text, for the caller to free; "" when there is none. */
char *dns_format(const struct dns *dns);

/* The text of a resolv.conf, for the caller to free. No server: a file of one comment, which leaves
 * the C library with the loopback address of the namespace it runs in and nothing else. */
char *dns_resolv_conf(const struct dns *dns);

#endif
