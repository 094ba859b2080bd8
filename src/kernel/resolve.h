/* Names to addresses, with the machine's own resolver, in the caller's network namespace. */
#ifndef KERNEL_RESOLVE_H
#define KERNEL_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"

/* The first address the system prefers (RFC 6724), either family. The message quotes the name and
 * what the resolver says. */
int resolve_host(const char *host, uint16_t port, union socket_address *ret, struct error *error);

/* The same in a process of its own, so that it can be given up after so many milliseconds: -ETIMEDOUT.
 * A resolver may take half a minute where no name server answers (resolv.conf(5)). */
int resolve_host_within(const char *host, uint16_t port, unsigned int timeout_ms,
			union socket_address *ret, struct error *error);

/* Of all addresses of the name the one that follows `current` in the system's order, the first again
 * after the last, and the first when `current` is none of them: what to try when a server does not
 * answer there. *ret may be `current`. */
int resolve_next(const char *host, uint16_t port, const union socket_address *current,
		 union socket_address *ret, struct error *error);

#endif
