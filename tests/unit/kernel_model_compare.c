#include "kernel_model.h"

#include <string.h>

#include "wg_model.h"

void kernel_model_copy(struct kernel_model *to, const struct kernel_model *from)
{
	*to = *from;
	to->state.links = NULL;
	to->state.link_count = 0;
	for (size_t i = 0; i < from->state.link_count; i++) {
		const struct link_state *link = &from->state.links[i];
		struct link_state *copy = subu_state_append_link(&to->state, link->tunnel);

		*copy = *link;
		wg_model_copy(&copy->wg, &link->wg);
		cidr_list_copy(&copy->addresses, &link->addresses);
		cidr_list_copy(&copy->table_routes, &link->table_routes);
		cidr_list_copy(&copy->main_routes, &link->main_routes);
	}
}

static bool link_equal(const struct link_state *a, const struct link_state *b)
{
	return a->backend == b->backend && a->foreign == b->foreign && a->device == b->device &&
	       a->running == b->running && a->files == b->files && a->up == b->up &&
	       a->prepared == b->prepared && a->mtu == b->mtu && wg_model_equal(&a->wg, &b->wg) &&
	       cidr_list_equal(&a->addresses, &b->addresses) &&
	       cidr_list_equal(&a->table_routes, &b->table_routes) &&
	       cidr_list_equal(&a->main_routes, &b->main_routes) && a->rule_ipv4 == b->rule_ipv4 &&
	       a->rule_ipv6 == b->rule_ipv6 && a->steered == b->steered;
}

bool kernel_model_equal(const struct subu_state *a, const struct subu_state *b)
{
	if (a->present != b->present || a->prepared != b->prepared || a->lo_up != b->lo_up ||
	    memcmp(a->fences, b->fences, sizeof(a->fences)) != 0 || a->cgroup != b->cgroup ||
	    a->cgroup_left != b->cgroup_left || a->egress.present != b->egress.present ||
	    a->process_count != b->process_count || a->link_count != b->link_count)
		return false;
	for (size_t i = 0; i < a->link_count; i++) {
		const struct link_state *other = subu_state_find_link(b, a->links[i].tunnel);

		if (!other || !link_equal(&a->links[i], other))
			return false;
	}
	return true;
}

/* All of `desired` that the kernel can have, and no more. */
static bool list_reached(const struct cidr_list *desired, const struct cidr_list *list, bool ipv6)
{
	for (size_t i = 0; i < desired->count; i++)
		if ((ipv6 || desired->items[i].ip.family == AF_INET) &&
		    !cidr_list_holds(list, &desired->items[i]))
			return false;
	for (size_t i = 0; i < list->count; i++)
		if (!cidr_list_holds(desired, &list->items[i]))
			return false;
	return true;
}

static const char *link_reached(const struct link_state *desired, const struct link_state *link,
				bool ipv6)
{
	if (!link || !link->device)
		return "a device is missing";
	if (link->backend != desired->backend)
		return "a device is of the wrong backend";
	if (!link->running)
		return "a device has no engine";
	if (link->files != (link->backend == BACKEND_ENGINE))
		return "an engine's files are not where an engine is";
	if (!link->prepared || link->mtu != desired->mtu)
		return "a device's settings are wrong";
	if (link->steered != desired->steered)
		return "a device is steered or not and should not be";
	if (link->up != desired->up)
		return "a device is up or down and should not be";
	if (!wg_model_reached(&desired->wg, &link->wg))
		return "WireGuard's configuration is wrong";
	if (!list_reached(&desired->addresses, &link->addresses, ipv6))
		return "the addresses are wrong";
	if (!list_reached(&desired->table_routes, &link->table_routes, ipv6))
		return "the routes of the tunnel's own table are wrong";
	if (!list_reached(&desired->main_routes, &link->main_routes, ipv6))
		return "the routes of the main table are wrong";
	if (!link->rule_ipv4 || link->rule_ipv6 != ipv6)
		return "the rules are wrong";
	return NULL;
}

const char *kernel_model_reached(const struct subu_state *desired, const struct subu_state *state)
{
	const char *complaint = NULL;

	if (desired->present != state->present)
		return "the namespace is there or not and should not be";
	if (state->cgroup != (desired->present && state->cgroups))
		return "the control group is there or not and should not be";
	if (!desired->present && state->cgroup_left)
		return "the control group of all is there, empty, and should not be";
	if (state->egress.present != (desired->present && subu_state_is_steered(desired)))
		return "something is pinned or not and should not be";
	for (size_t i = 0; desired->present && i < FENCE_COUNT; i++)
		if (state->fences[i] !=
		    (desired->fences[i] && (fences[i].family == AF_INET || state->ipv6)))
			return "a fence is there or not and should not be";
	if (desired->present && (!state->prepared || desired->lo_up != state->lo_up))
		return "the namespace's settings are wrong";
	for (size_t i = 0; i < state->link_count; i++) {
		const struct link_state *link = &state->links[i];
		bool wanted = desired->present && subu_state_find_link(desired, link->tunnel);

		if (!wanted && (link->device || link->files || link->rule_ipv4 || link->rule_ipv6))
			return "something is left of a link that is not desired";
	}
	for (size_t i = 0; desired->present && !complaint && i < desired->link_count; i++)
		complaint = link_reached(&desired->links[i],
					 subu_state_find_link(state, desired->links[i].tunnel),
					 state->ipv6);
	return complaint;
}
