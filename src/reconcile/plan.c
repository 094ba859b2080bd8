/* First what is not desired goes, of all links: unplug() takes one of `actual` away, trim() what is
 * too much of one that stays. Then plug_…() bring each link of `desired` about, step by step and
 * each with its own comparison. A link whose backend is to change is unplugged and plugged again.
 * `now` is what there would be of the link at that point of the plan.
 *
 * What the kernel does unasked, and the plan must reckon with (tried on Linux 6.18):
 *  - a device that goes down loses its routes, and its IPv6 addresses unless it is prepared;
 *  - deleting an IPv4 address deletes those secondary to it, unless promote_secondaries is set;
 *  - with its last IPv4 address a device loses its IPv4 routes (fib_disable_ip());
 *  - below an MTU of 1280 a device has no IPv6, and above has it anew, with fresh settings. */
#include "reconcile/plan.h"

#include "base/memory.h"
#include "kernel/route.h"
#include "reconcile/wgdiff.h"

/* What has to be known of the two families when something is added. */
struct families {
	bool ipv6;	  /* the kernel has it */
	bool ipv4_shaken; /* addresses and routes that were there may be gone */
};

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

/* The members of `from` that `other` lacks, one operation each, of one family. */
static void append_missing(struct plan *plan, enum operation_kind kind,
			   const struct link_state *link, const struct cidr_list *from,
			   const struct cidr_list *other, sa_family_t family, uint32_t number)
{
	for (size_t i = 0; i < from->count; i++) {
		struct operation *operation;

		if (from->items[i].ip.family != family || cidr_list_holds(other, &from->items[i]))
			continue;
		operation = append_for(plan, kind, link);
		operation->cidr = from->items[i];
		operation->number = number;
	}
}

/* The members of `actual` that are not desired, of both families. */
static void append_unwanted(struct plan *plan, enum operation_kind kind,
			    const struct link_state *link, const struct cidr_list *desired,
			    const struct cidr_list *actual, uint32_t number)
{
	append_missing(plan, kind, link, actual, desired, AF_INET, number);
	append_missing(plan, kind, link, actual, desired, AF_INET6, number);
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

/* A device of the other backend makes room. */
static bool is_replaced(const struct link_state *desired, const struct link_state *actual)
{
	return actual->device && (actual->foreign || actual->backend != desired->backend);
}

/* An engine marks its sockets before it gives its privileges away, and never after: what is bound
 * can then be bound to no other port. */
static bool engine_must_end(const struct link_state *desired, const struct link_state *actual)
{
	const struct wg_device *wanted = &desired->wg, *has = &actual->wg;

	if (desired->backend == BACKEND_KERNEL)
		return actual->files;
	if (!actual->running)
		return false;
	return wanted->fwmark != has->fwmark ||
	       (wanted->fwmark && has->listen_port && wanted->listen_port &&
		wanted->listen_port != has->listen_port);
}

/* Takes away what is not desired of a link that stays. */
static void trim(struct plan *plan, const struct link_state *desired,
		 const struct link_state *actual)
{
	append_unwanted(plan, OPERATION_ROUTE_DELETE, desired, &desired->table_routes,
			&actual->table_routes, TUNNEL_TABLE(desired->tunnel));
	append_unwanted(plan, OPERATION_ROUTE_DELETE, desired, &desired->main_routes,
			&actual->main_routes, ROUTE_TABLE_MAIN);
	append_unwanted(plan, OPERATION_ADDRESS_DELETE, desired, &desired->addresses,
			&actual->addresses, 0);
	if (engine_must_end(desired, actual))
		append_for(plan, OPERATION_ENGINE_STOP, desired);
}

/* Does trimming delete an IPv4 address? The kernel then deletes those that are secondary to it too,
 * and with the last one all IPv4 routes of the device. */
static bool shakes_ipv4(const struct link_state *desired, const struct link_state *now)
{
	for (size_t i = 0; i < now->addresses.count; i++)
		if (now->addresses.items[i].ip.family == AF_INET &&
		    !cidr_list_holds(&desired->addresses, &now->addresses.items[i]))
			return true;
	return false;
}

static void append_wanted(struct plan *plan, enum operation_kind kind,
			  const struct link_state *link, const struct cidr_list *desired,
			  const struct cidr_list *now, struct families families, uint32_t number)
{
	static const struct cidr_list none;

	append_missing(plan, kind, link, desired, families.ipv4_shaken ? &none : now, AF_INET,
		       number);
	if (families.ipv6)
		append_missing(plan, kind, link, desired, now, AF_INET6, number);
}

static void plug_prepared(struct plan *plan, const struct link_state *desired,
			  struct link_state *now)
{
	if (!now->prepared)
		append_for(plan, OPERATION_LINK_PREPARE, desired);
	now->prepared = true;
}

/* A device that is up has its engine's sockets bound at once, which with a mark cannot be undone
 * when the port is known: it goes down before. */
static void plug_engine(struct plan *plan, const struct link_state *desired, struct link_state *now)
{
	if (now->up && desired->wg.fwmark && desired->wg.listen_port) {
		plug_prepared(plan, desired, now);
		append_for(plan, OPERATION_LINK_DOWN, desired);
		now->up = false;
		now->table_routes = now->main_routes = (struct cidr_list){};
	}
	append_for(plan, OPERATION_ENGINE_START, desired)->number = desired->wg.fwmark;
}

/* Makes the device be there and somebody move its packets. Returns whether it starts unconfigured.
 */
static bool plug_device(struct plan *plan, const struct link_state *desired, struct link_state *now)
{
	if (now->device && now->running)
		return false;
	if (desired->backend == BACKEND_KERNEL)
		append_for(plan, OPERATION_LINK_CREATE, desired);
	else
		plug_engine(plan, desired, now);
	return true;
}

/* The settings for IPv6 are lost where the MTU is too small for it, so they come after. */
static void plug_settings(struct plan *plan, const struct link_state *desired,
			  struct link_state *now, bool ipv6)
{
	if (now->mtu != desired->mtu)
		append_for(plan, OPERATION_LINK_MTU, desired)->number = desired->mtu;
	if (ipv6 && now->mtu < TUNNEL_MTU_LEAST_IPV6 && desired->mtu >= TUNNEL_MTU_LEAST_IPV6)
		now->prepared = false;
	plug_prepared(plan, desired, now);
}

/* Before the device is up and anything can leave. The programs that are there know an old device by
 * its number, and let nothing pass meanwhile. */
static void plug_steering(struct plan *plan, const struct link_state *desired,
			  const struct link_state *now)
{
	if (desired->steered && !now->steered)
		append_for(plan, OPERATION_STEER_ON, desired);
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

static void plug_rules(struct plan *plan, const struct link_state *desired,
		       const struct link_state *now, bool ipv6)
{
	if (desired->rule_ipv4 && !now->rule_ipv4)
		append_rule(plan, OPERATION_RULE_ADD, desired, AF_INET);
	if (desired->rule_ipv6 && !now->rule_ipv6 && ipv6)
		append_rule(plan, OPERATION_RULE_ADD, desired, AF_INET6);
}

/* Routes are the last to come and the first to go: the kernel takes none for a device that is down,
 * and those of one that goes down vanish with it. */
static void plug_routes(struct plan *plan, const struct link_state *desired,
			const struct link_state *now, struct families families)
{
	if (desired->up != now->up)
		append_for(plan, desired->up ? OPERATION_LINK_UP : OPERATION_LINK_DOWN, desired);
	append_wanted(plan, OPERATION_ROUTE_ADD, desired, &desired->table_routes,
		      &now->table_routes, families, TUNNEL_TABLE(desired->tunnel));
	append_wanted(plan, OPERATION_ROUTE_ADD, desired, &desired->main_routes, &now->main_routes,
		      families, ROUTE_TABLE_MAIN);
}

static void forget(struct link_state *now)
{
	key_wipe(&now->wg.private_key);
}

/* After trim(). */
static void plug(struct plan *plan, const struct link_state *desired,
		 const struct link_state *actual, bool ipv6)
{
	CLEANUP(forget) struct link_state now = {.tunnel = desired->tunnel};
	struct families families = {.ipv6 = ipv6};
	bool fresh;

	if (actual && !is_replaced(desired, actual)) {
		now = *actual;
		if (desired->backend == BACKEND_ENGINE && engine_must_end(desired, actual))
			now.running = false;
		families.ipv4_shaken = shakes_ipv4(desired, actual);
	}
	fresh = plug_device(plan, desired, &now);
	plug_steering(plan, desired, &now);
	plug_settings(plan, desired, &now, ipv6);
	plug_configuration(plan, desired, &now, fresh);
	append_wanted(plan, OPERATION_ADDRESS_ADD, desired, &desired->addresses, &now.addresses,
		      families, 0);
	plug_rules(plan, desired, &now, ipv6);
	plug_routes(plan, desired, &now, families);
}

/* What is not desired of a link that the user still wants, or all of it. */
static void remove_unwanted(struct plan *plan, const struct link_state *desired,
			    const struct link_state *actual)
{
	if (!desired || is_replaced(desired, actual))
		unplug(plan, actual);
	else
		trim(plan, desired, actual);
}

static void plan_fences(struct plan *plan, const struct subu_state *desired,
			const struct subu_state *actual)
{
	for (uint32_t i = 0; i < FENCE_COUNT; i++)
		if (desired->fences[i] != actual->fences[i] &&
		    (fences[i].family == AF_INET || actual->ipv6))
			plan_append(plan, desired->fences[i] ? OPERATION_FENCE_ADD
							     : OPERATION_FENCE_DELETE)
				->number = i;
}

static void plan_present(struct plan *plan, const struct subu_state *desired,
			 const struct subu_state *actual)
{
	if (!actual->present)
		plan_append(plan, OPERATION_NETNS_CREATE);
	if (!actual->prepared)
		plan_append(plan, OPERATION_NETNS_PREPARE);
	plan_fences(plan, desired, actual);
	if (!actual->cgroup && actual->cgroups)
		plan_append(plan, OPERATION_CGROUP_CREATE);
	if (actual->egress.present && !subu_state_is_steered(desired))
		plan_append(plan, OPERATION_STEER_OFF);
	if (desired->lo_up != actual->lo_up)
		plan_append(plan, desired->lo_up ? OPERATION_LO_UP : OPERATION_LO_DOWN);
	for (size_t i = 0; i < desired->link_count; i++)
		plug(plan, &desired->links[i],
		     subu_state_find_link(actual, desired->links[i].tunnel), actual->ipv6);
}

/* What holds the processes goes after them. */
static void plan_absent(struct plan *plan, const struct subu_state *actual)
{
	if (actual->process_count)
		plan_append(plan, OPERATION_PROCESSES_END);
	if (actual->present || actual->named)
		plan_append(plan, OPERATION_NETNS_DELETE);
	if (actual->egress.present)
		plan_append(plan, OPERATION_STEER_OFF);
	if (actual->cgroup || actual->cgroup_left)
		plan_append(plan, OPERATION_CGROUP_DELETE);
}

void plan_make(const struct subu_state *desired, const struct subu_state *actual, struct plan *ret)
{
	struct plan plan = {.subu = desired->id};

	for (size_t i = 0; i < actual->link_count; i++)
		remove_unwanted(&plan,
				desired->present
					? subu_state_find_link(desired, actual->links[i].tunnel)
					: NULL,
				&actual->links[i]);
	if (desired->present) {
		plan_present(&plan, desired, actual);
	} else {
		plan_absent(&plan, actual);
	}
	*ret = plan;
}
