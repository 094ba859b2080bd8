#include "kernel/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

static void results_free(struct addrinfo **results)
{
	if (*results)
		freeaddrinfo(*results);
}

/* An address of the family and port; false for a family that is not IP. */
static bool take_result(const struct addrinfo *result, uint16_t port, union socket_address *ret)
{
	union socket_address address = {};

	if (result->ai_addrlen > sizeof(address))
		return false;
	memcpy(&address, result->ai_addr, result->ai_addrlen);
	if (address.any.sa_family == AF_INET)
		address.v4.sin_port = htons(port);
	else if (address.any.sa_family == AF_INET6)
		address.v6.sin6_port = htons(port);
	else
		return false;
	*ret = address;
	return true;
}

static int look_up(const char *host, struct addrinfo **ret, struct error *error)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
	int code = getaddrinfo(host, NULL, &hints, ret);

	if (code == EAI_SYSTEM)
		return error_errno(error, "cannot resolve '%.253s'", host);
	if (code)
		return error_set(error, code == EAI_AGAIN ? EAGAIN : ENOENT,
				 "cannot resolve '%.253s': %s", host, gai_strerror(code));
	return 0;
}

int resolve_host(const char *host, uint16_t port, union socket_address *ret, struct error *error)
{
	static const union socket_address none;

	return resolve_next(host, port, &none, ret, error);
}

int resolve_next(const char *host, uint16_t port, const union socket_address *current,
		 union socket_address *ret, struct error *error)
{
	CLEANUP(results_free) struct addrinfo *results = NULL;
	union socket_address address, first = {};
	bool is_next = false;
	int code = look_up(host, &results, error);

	if (code < 0)
		return code;
	for (const struct addrinfo *result = results; result; result = result->ai_next) {
		if (!take_result(result, port, &address))
			continue;
		if (is_next) {
			*ret = address;
			return 0;
		}
		if (first.any.sa_family == AF_UNSPEC)
			first = address;
		is_next = socket_address_equal(&address, current);
	}
	if (first.any.sa_family == AF_UNSPEC)
		return error_set(error, ENOENT, "cannot resolve '%.253s': it has no IP address",
				 host);
	*ret = first;
	return 0;
}
