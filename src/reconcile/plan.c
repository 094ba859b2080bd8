/* Two families of functions: plug_…() bring one link of `desired` about, step by step and each with
 * its own comparison, unplug() takes one of `actual` away. A link whose backend is to change is
 * unplugged and plugged again. `now` is what there would be of the link at that point of the plan.
 */
#include "reconcile/plan.h"

#include "base/memory.h"
#include "kernel/route.h"
#include "reconcile/wgdiff.h"

static struct operation *append_for(struct plan *plan, enum operation_kind kind,
				    const struct link_state *link)
{
	struct operation *operation = plan_append(plan, kind);

	operation->tunnel = link->tunnel;
	operation->backend = link->backend;
	return operation;
}

static void append_rule(struct plan *plan, enum operation_kind kind, const struct link_state *link,
			sa_family_t family)
{
	append_for(plan, kind, link)->family = family;
}

/* The members of `from` that `other` lacks, one operation each. IPv6 only where there is any. */
static void append_missing(struct plan *plan, enum operation_kind kind,
			   const struct link_state *link, const struct cidr_list *from,
			   const struct cidr_list *other, bool ipv6, uint32_t number)
{
	for (size_t i = 0; i < from->count; i++) {
		struct operation *operation;

		if (cidr_list_holds(other, &from->items[i]) ||
		    (from->items[i].ip.family == AF_INET6 && !ipv6))
			continue;
		operation = append_for(plan, kind, link);
		operation->cidr = from->items[i];
		operation->number = number;
	}
}

static void unplug(struct plan *plan, const struct link_state *link)
{
	if (link->rule_ipv4)
		append_rule(plan, OPERATION_RULE_DELETE, link, AF_INET);
	if (link->rule_ipv6)
		append_rule(plan, OPERATION_RULE_DELETE, link, AF_INET6);
	if (link->files || (link->running && link->backend == BACKEND_ENGINE))
		append_for(plan, OPERATION_ENGINE_STOP, link);
	if (link->device)
		append_for(plan, OPERATION_LINK_DELETE, link);
}

/* Makes the device be there and somebody move its packets. *fresh: it starts unconfigured. */
static void plug_device(struct plan *plan, const struct link_state *desired,
			const struct link_state *now, bool *fresh)
{
	*fresh = !now->device || !now->running;
	if (desired->backend == BACKEND_KERNEL) {
		if (*fresh)
			append_for(plan, OPERATION_LINK_CREATE, desired);
		return;
	}
	/* An engine marks its sockets before it gives its privileges away, and never after. */
	if (!*fresh && now->wg.fwmark != desired->wg.fwmark) {
		append_for(plan, OPERATION_ENGINE_STOP, desired);
		*fresh = true;
	}
	if (*fresh)
		append_for(plan, OPERATION_ENGINE_START, desired)->number = desired->wg.fwmark;
}

static void plug_configuration(struct plan *plan, const struct link_state *desired,
			       const struct link_state *now, bool fresh)
{
	struct wg_device blank = {};
	struct wg_change *change = memory_zalloc(sizeof(*change));

	if (desired->backend == BACKEND_ENGINE)
		blank.fwmark = desired->wg.fwmark;
	if (wgdiff(&desired->wg, fresh ? &blank : &now->wg, change)) {
		append_for(plan, OPERATION_WG_CONFIGURE, desired)->change = change;
	} else {
		wg_change_clear(change);
		free(change);
	}
}

static void plug_addresses(struct plan *plan, const struct link_state *desired,
			   const struct link_state *now, bool ipv6)
{
	append_missing(plan, OPERATION_ADDRESS_DELETE, desired, &now->addresses,
		       &desired->addresses, true, 0);
	append_missing(plan, OPERATION_ADDRESS_ADD, desired, &desired->addresses, &now->addresses,
		       ipv6, 0);
	if (!now->rule_ipv4)
		append_rule(plan, OPERATION_RULE_ADD, desired, AF_INET);
	if (!now->rule_ipv6 && ipv6)
		append_rule(plan, OPERATION_RULE_ADD, desired, AF_INET6);
}

/* Routes are the last to come and the first to go: the kernel takes none for a device that is down,
 * and those of one that goes down vanish with it. */
static void plug_routes(struct plan *plan, const struct link_state *desired,
			const struct link_state *now, bool ipv6)
{
	const uint32_t own = TUNNEL_TABLE(desired->tunnel);

	append_missing(plan, OPERATION_ROUTE_DELETE, desired, &now->table_routes,
		       &desired->table_routes, true, own);
	append_missing(plan, OPERATION_ROUTE_DELETE, desired, &now->main_routes,
		       &desired->main_routes, true, ROUTE_TABLE_MAIN);
	if (desired->up != now->up)
		append_for(plan, desired->up ? OPERATION_LINK_UP : OPERATION_LINK_DOWN, desired);
	append_missing(plan, OPERATION_ROUTE_ADD, desired, &desired->table_routes,
		       &now->table_routes, ipv6, own);
	append_missing(plan, OPERATION_ROUTE_ADD, desired, &desired->main_routes, &now->main_routes,
		       ipv6, ROUTE_TABLE_MAIN);
}

static void plug(struct plan *plan, const struct link_state *desired,
		 const struct link_state *actual, bool ipv6)
{
	struct link_state now = {.tunnel = desired->tunnel};
	bool fresh;

	if (actual && actual->device && actual->backend != desired->backend)
		unplug(plan, actual);
	else if (actual)
		now = *actual;
	plug_device(plan, desired, &now, &fresh);
	if (!now.prepared)
		append_for(plan, OPERATION_LINK_PREPARE, desired);
	if (now.mtu != desired->mtu)
		append_for(plan, OPERATION_LINK_MTU, desired)->number = desired->mtu;
	plug_configuration(plan, desired, &now, fresh);
	plug_addresses(plan, desired, &now, ipv6);
	plug_routes(plan, desired, &now, ipv6);
}

static void plan_present(struct plan *plan, const struct subu_state *desired,
			 const struct subu_state *actual)
{
	if (!actual->present)
		plan_append(plan, OPERATION_NETNS_CREATE);
	if (!actual->ping_open)
		plan_append(plan, OPERATION_PING_OPEN);
	if (desired->lo_up != actual->lo_up)
		plan_append(plan, desired->lo_up ? OPERATION_LO_UP : OPERATION_LO_DOWN);
	for (size_t i = 0; i < desired->link_count; i++)
		plug(plan, &desired->links[i],
		     subu_state_find_link(actual, desired->links[i].tunnel), actual->ipv6);
}

void plan_make(const struct subu_state *desired, const struct subu_state *actual, struct plan *ret)
{
	struct plan plan = {.subu = desired->id};

	for (size_t i = 0; i < actual->link_count; i++)
		if (!desired->present || !subu_state_find_link(desired, actual->links[i].tunnel))
			unplug(&plan, &actual->links[i]);
	if (desired->present) {
		plan_present(&plan, desired, actual);
	} else if (actual->present) {
		if (actual->process_count)
			plan_append(&plan, OPERATION_PROCESSES_END);
		plan_append(&plan, OPERATION_NETNS_DELETE);
	}
	*ret = plan;
}
