#include "model/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LABEL_MAX 63

static const char label_characters[] =
	"abcdefghijklmnopqrstuvwxyz"
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	"0123456789-_";

bool endpoint_is_host_name(const char *text)
{
	const char *label = text;
	struct in_addr ignored;
	bool number = true;

	if (strlen(text) >= ENDPOINT_HOST_MAX || inet_aton(text, &ignored))
		return false;
	do {
		size_t size = strspn(label, label_characters);

		if (size == 0 || size > LABEL_MAX || label[0] == '-' || label[size - 1] == '-')
			return false;
		number = strspn(label, "0123456789") == size;
		label += size;
		if (*label && *label++ != '.')
			return false;
	} while (*label);
	return !number;
}

/* "fe80::1" or "fe80::1%eth0". Whether there is such an interface is for the time it is used. */
static bool is_ipv6(const char *text)
{
	const char *percent = strchrnul(text, '%');
	char address[IP_TEXT_MAX] = {};
	struct in6_addr ignored;
	size_t scope;

	if ((size_t)(percent - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(percent - text));
	if (inet_pton(AF_INET6, address, &ignored) != 1)
		return false;
	if (!*percent)
		return true;
	scope = strlen(percent + 1);
	if (scope == 0 || scope >= IF_NAMESIZE)
		return false;
	while (isgraph((unsigned char)percent[scope]) && !strchr("/%[]", percent[scope]))
		scope--;
	return scope == 0;
}

int endpoint_parse(const char *text, struct endpoint *ret, struct error *error)
{
	const char *colon = strrchr(text, ':'), *host = text;
	struct endpoint endpoint = {};
	uint64_t port;
	size_t size;
	bool bracketed;

	if (!colon || text_to_number(colon + 1, 1, UINT16_MAX, &port) < 0)
		goto malformed;
	size = (size_t)(colon - text);
	bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
	if (bracketed) {
		host++;
		size -= 2;
	}
	if (size >= sizeof(endpoint.host))
		goto malformed;
	memcpy(endpoint.host, host, size);
	if (bracketed ? !is_ipv6(endpoint.host)
		      : inet_pton(AF_INET, endpoint.host, &(struct in_addr){}) != 1 &&
				!endpoint_is_host_name(endpoint.host))
		goto malformed;
	endpoint.port = (uint16_t)port;
	*ret = endpoint;
	return 0;
malformed:
	return error_set(error, EINVAL,
			 "'%.100s' is not HOST:PORT, such as vpn.example:51820, 192.0.2.1:51820 or "
			 "[2001:db8::1]:51820",
			 text);
}

const char *endpoint_format(const struct endpoint *endpoint, char buffer[static ENDPOINT_TEXT_MAX])
{
	bool ipv6 = strchr(endpoint->host, ':');

	snprintf(buffer, ENDPOINT_TEXT_MAX, ipv6 ? "[%s]:%u" : "%s:%u", endpoint->host,
		 endpoint->port);
	return buffer;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

bool endpoint_is_numeric(const struct endpoint *endpoint, union socket_address *ret)
{
	char text[ENDPOINT_TEXT_MAX];
	struct error ignored;

	return socket_address_parse(endpoint_format(endpoint, text), ret, &ignored) == 0;
}
