#include "reconcile/operation.h"

#include <stdio.h>

#include "base/memory.h"
#include "model/subu.h"
#include "reconcile/state.h"

struct operation *plan_append(struct plan *plan, enum operation_kind kind)
{
	struct operation *operation;

	plan->operations = memory_resize(plan->operations, plan->count + 1, sizeof(*operation));
	operation = &plan->operations[plan->count++];
	*operation = (struct operation){.kind = kind};
	return operation;
}

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->operations[i].change)
			wg_change_clear(plan->operations[i].change);
		memory_free(&plan->operations[i].change);
	}
	memory_free(&plan->operations);
	plan->count = 0;
}

/* What is to change on a device, without the values of its keys. */
static void format_change(const struct wg_change *change, const char *device, char *buffer)
{
	size_t removed = 0;

	for (size_t i = 0; i < change->peer_count; i++)
		removed += change->peers[i].remove;
	snprintf(buffer, OPERATION_TEXT_MAX, "configure %s:%s%s%s peers: %zu set, %zu removed",
		 device, change->set_private_key ? " private key," : "",
		 change->set_listen_port ? " listen port," : "",
		 change->set_fwmark ? " fwmark," : "", change->peer_count - removed, removed);
}

static void format_route(const struct operation *operation, const char *verb, const char *device,
			 char *buffer)
{
	char cidr[CIDR_TEXT_MAX];

	snprintf(buffer, OPERATION_TEXT_MAX, "%s route %s dev %s table %u", verb,
		 cidr_format(&operation->cidr, cidr), device, operation->number);
}

static void format_rule(const struct operation *operation, const char *verb, const char *device,
			char *buffer)
{
	snprintf(buffer, OPERATION_TEXT_MAX, "%s %s rule oif %s lookup %u", verb,
		 operation->family == AF_INET ? "IPv4" : "IPv6", device,
		 TUNNEL_TABLE(operation->tunnel));
}

static void format_fence(const struct operation *operation, const char *verb, const char *netns,
			 char *buffer)
{
	const struct fence *fence = &fences[operation->number];

	snprintf(buffer, OPERATION_TEXT_MAX, "%s %s rule ipproto %s unreachable in %s", verb,
		 fence->family == AF_INET ? "IPv4" : "IPv6",
		 fence->protocol == IPPROTO_TCP ? "tcp" : "icmp", netns);
}

static void format_address(const struct operation *operation, const char *verb,
			   const char *preposition, const char *device, char *buffer)
{
	char cidr[CIDR_TEXT_MAX];

	snprintf(buffer, OPERATION_TEXT_MAX, "%s address %s %s %s", verb,
		 cidr_format(&operation->cidr, cidr), preposition, device);
}

/* For the kinds that need no more than a name: what precedes and what follows it. */
static void format_named(const struct operation *operation, const char *netns, const char *device,
			 char *buffer)
{
	static const struct {
		const char *before, *after;
	} words[] = {
		[OPERATION_NETNS_CREATE] = {"create namespace ", ""},
		[OPERATION_NETNS_DELETE] = {"delete namespace ", ""},
		[OPERATION_PROCESSES_END] = {"end the processes in ", ""},
		[OPERATION_NETNS_PREPARE] =
			{"allow ping and ::1, and no forwarding or rp_filter, in ", ""},
		[OPERATION_CGROUP_CREATE] = {"create the control group of ", ""},
		[OPERATION_CGROUP_DELETE] = {"delete the control group of ", ""},
		[OPERATION_STEER_OFF] = {"stop steering ", ""},
		[OPERATION_LO_UP] = {"set lo up in ", ""},
		[OPERATION_LO_DOWN] = {"set lo down in ", ""},
		[OPERATION_LINK_CREATE] = {"create kernel device ", ""},
		[OPERATION_ENGINE_START] = {"start the engine of ", ""},
		[OPERATION_ENGINE_STOP] = {"stop the engine of ", ""},
		[OPERATION_STEER_ON] = {"steer all that leaves through ", ""},
		[OPERATION_LINK_PREPARE] = {"set accept_local and no autoconfiguration on ", ""},
		[OPERATION_LINK_UP] = {"set ", " up"},
		[OPERATION_LINK_DOWN] = {"set ", " down"},
		[OPERATION_LINK_DELETE] = {"delete device ", ""},
	};

	snprintf(buffer, OPERATION_TEXT_MAX, "%s%s%s", words[operation->kind].before,
		 operation->kind <= OPERATION_LO_DOWN ? netns : device,
		 words[operation->kind].after);
}

const char *operation_format(const struct plan *plan, const struct operation *operation,
			     char buffer[static OPERATION_TEXT_MAX])
{
	char name[SUBU_ID_TEXT_MAX], device[IFNAMSIZ];
	const char *netns = plan->netns ? plan->netns : subu_netns(plan->subu, name);

	tunnel_device(operation->tunnel, device);
	switch (operation->kind) {
	case OPERATION_LINK_MTU:
		snprintf(buffer, OPERATION_TEXT_MAX, "set mtu %u on %s", operation->number, device);
		break;
	case OPERATION_WG_CONFIGURE:
		format_change(operation->change, device, buffer);
		break;
	case OPERATION_ADDRESS_ADD:
		format_address(operation, "add", "to", device, buffer);
		break;
	case OPERATION_ADDRESS_DELETE:
		format_address(operation, "delete", "from", device, buffer);
		break;
	case OPERATION_ROUTE_ADD:
		format_route(operation, "add", device, buffer);
		break;
	case OPERATION_ROUTE_DELETE:
		format_route(operation, "delete", device, buffer);
		break;
	case OPERATION_FENCE_ADD:
		format_fence(operation, "add", netns, buffer);
		break;
	case OPERATION_FENCE_DELETE:
		format_fence(operation, "delete", netns, buffer);
		break;
	case OPERATION_RULE_ADD:
		format_rule(operation, "add", device, buffer);
		break;
	case OPERATION_RULE_DELETE:
		format_rule(operation, "delete", device, buffer);
		break;
	default:
		format_named(operation, netns, device, buffer);
	}
	return buffer;
}
