/* One step of a plan: what to do to the kernel, as plain data. */
#ifndef RECONCILE_OPERATION_H
#define RECONCILE_OPERATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "wireguard/backend.h"

enum operation_kind {
	OPERATION_NETNS_CREATE,
	OPERATION_NETNS_DELETE,
	OPERATION_PROCESSES_END,
	OPERATION_NETNS_PREPARE,
	OPERATION_FENCE_ADD, /* number: in fences[] */
	OPERATION_FENCE_DELETE,
	OPERATION_CGROUP_CREATE,
	OPERATION_CGROUP_DELETE,
	OPERATION_STEER_OFF,
	OPERATION_LO_UP,
	OPERATION_LO_DOWN,
	OPERATION_LINK_CREATE,	/* a device of the kernel's WireGuard */
	OPERATION_ENGINE_START, /* and its TUN device where it is missing; number: the fwmark */
	OPERATION_ENGINE_STOP,
	OPERATION_STEER_ON, /* through the link, which is there */
	OPERATION_LINK_PREPARE,
	OPERATION_LINK_MTU, /* number */
	OPERATION_LINK_UP,
	OPERATION_LINK_DOWN,
	OPERATION_LINK_DELETE,
	OPERATION_WG_CONFIGURE, /* change */
	OPERATION_ADDRESS_ADD,	/* cidr */
	OPERATION_ADDRESS_DELETE,
	OPERATION_ROUTE_ADD, /* cidr, number: the table */
	OPERATION_ROUTE_DELETE,
	OPERATION_RULE_ADD, /* family */
	OPERATION_RULE_DELETE,
};

struct operation {
	enum operation_kind kind;
	uint32_t tunnel; /* for all that concern a link */
	enum backend backend;
	sa_family_t family;
	uint32_t number;
	struct cidr cidr;
	struct wg_change *change; /* owned */
};

struct plan {
	uint32_t subu;
	const char *netns;	      /* what its namespace is called; NULL: ns-subu_<subu> */
	struct operation *operations; /* owned */
	size_t count;
};

/* A zeroed operation at the end; valid until the next append. */
struct operation *plan_append(struct plan *plan, enum operation_kind kind);
void plan_clear(struct plan *plan);

#define OPERATION_TEXT_MAX 256

/* The operation in words, such as "add address 10.0.0.2/32 to subu_0": for --dry-run and for error
 * messages. No secret is ever in it. Returns the buffer. */
const char *operation_format(const struct plan *plan, const struct operation *operation,
			     char buffer[static OPERATION_TEXT_MAX]);

#endif
