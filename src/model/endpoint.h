/* Where a peer is reached, as the user wrote it: HOST:PORT, the host being a name, an IPv4 address
 * or an IPv6 address in brackets. Resolving a name is kernel/resolve.h's business. */
#ifndef MODEL_ENDPOINT_H
#define MODEL_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"

#define ENDPOINT_HOST_MAX 254 /* RFC 1035 section 2.3.4: 253 characters of text, and the NUL */
#define ENDPOINT_TEXT_MAX (ENDPOINT_HOST_MAX + 8)

struct endpoint {
	char host[ENDPOINT_HOST_MAX]; /* without brackets; empty: no endpoint */
	uint16_t port;
};

/* A host name is labels of letters, digits, '-' and '_' of at most 63 characters, without a '-' at
 * either end (RFC 1123 section 2.1, and what resolvers take); one dot more may end it. What the C
 * library would read as an odd spelling of an address, such as "10.1" or "0x7f.1", is no name. */
bool endpoint_is_host_name(const char *text);

/* Port 1–65535. A link-local address may carry its scope: [fe80::1%eth0]:51820. */
int endpoint_parse(const char *text, struct endpoint *ret, struct error *error);
const char *endpoint_format(const struct endpoint *endpoint, char buffer[static ENDPOINT_TEXT_MAX]);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* When the host is an address rather than a name, sets *ret and returns true. */
bool endpoint_is_numeric(const struct endpoint *endpoint, union socket_address *ret);

#endif
