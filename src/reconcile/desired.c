#include "reconcile/desired.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

static int read_option(struct store *store, uint32_t subu, const char *name,
		       char value[static OPTION_VALUE_MAX], struct error *error)
{
	const struct subu_option *option;
	int code = option_find(name, &option, error);

	return code < 0 ? code : store_get_option(store, subu, option, value, error);
}

/* A .conf may name a network twice, and localhost is nobody else's. */
static void add_allowed_ips(struct cidr_list *routes, const struct tunnel *tunnel)
{
	for (size_t i = 0; tunnel->routes && i < tunnel->device.peer_count; i++) {
		const struct cidr_list *allowed = &tunnel->device.peers[i].allowed_ips;

		for (size_t j = 0; j < allowed->count; j++)
			if (!cidr_list_holds(routes, &allowed->items[j]) &&
			    !cidr_is_loopback(&allowed->items[j]))
				cidr_list_append(routes, &allowed->items[j]);
	}
}

/* Routes only out of a device that is up; their families' rules stand all the time. */
static void add_routes(struct link_state *link, const struct tunnel *tunnel, bool default_route)
{
	if (!link->up)
		return;
	/* What is sent to localhost comes back, also from a socket that is bound to the device. */
	for (size_t i = 0; i < LOOPBACK_COUNT; i++)
		cidr_list_append(&link->table_routes, &loopback_networks[i]);
	add_allowed_ips(&link->table_routes, tunnel);
	if (default_route)
		add_allowed_ips(&link->main_routes, tunnel);
}

/* What every link of that tunnel has; takes the lists over that the tunnel owns. */
static void fill_link(struct link_state *link, struct tunnel *tunnel)
{
	link->device = link->running = link->prepared = true;
	link->mtu = tunnel->mtu ? tunnel->mtu : TUNNEL_MTU_DEFAULT;
	link->addresses = tunnel->addresses;
	link->wg = tunnel->device;
	tunnel->addresses = (struct cidr_list){};
	tunnel->device = (struct wg_device){};
}

static int add_link(struct store *store, const struct subu_link *row, bool default_route,
		    struct subu_state *state, struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	char backend[OPTION_VALUE_MAX];
	struct link_state *link;
	int code = store_find_tunnel(store, row->tunnel, &tunnel, error);

	if (code == 0)
		code = read_option(store, row->subu, OPTION_BACKEND, backend, error);
	if (code < 0)
		return code;
	link = subu_state_append_link(state, row->tunnel);
	link->any_backend = strcmp(backend, "auto") == 0;
	link->backend = strcmp(backend, "engine") == 0 ? BACKEND_ENGINE : BACKEND_KERNEL;
	link->up = row->up;
	link->rule_ipv4 = link->rule_ipv6 = true;
	link->steered = row->steer;
	add_routes(link, &tunnel, default_route);
	fill_link(link, &tunnel);
	return 0;
}

/* What is plugged into the sub-user that is there, if anything, and what stands around it. */
static int add_present(struct store *store, const struct subu_link *row, struct subu_state *state,
		       struct error *error)
{
	bool linked = row && row->phase != PHASE_REMOVING;
	char value[OPTION_VALUE_MAX];
	bool default_route;
	int code = read_option(store, state->id, OPTION_DEFAULT_ROUTE, value, error);

	if (code < 0)
		return code;
	default_route = strcmp(value, "on") == 0;
	state->present = state->prepared = state->cgroup = true;
	for (size_t i = 0; i < FENCE_COUNT; i++)
		state->fences[i] = !default_route && (!linked || row->steer);
	return linked ? add_link(store, row, default_route, state, error) : 0;
}

int desired_load(struct store *store, uint32_t subu, struct subu_state *ret, uint32_t **ret_tunnels,
		 size_t *ret_tunnel_count, struct error *error)
{
	const struct name_reference reference = {.by_id = true, .id = subu};
	CLEANUP(subu_state_clear) struct subu_state state = {.id = subu};
	struct subu_link link = {};
	struct subu row;
	int linked, code = store_find_subu(store, &reference, &row, error);

	if (code < 0 && code != -ENOENT)
		return code;
	linked = store_find_link_of_subu(store, subu, &link, error);
	if (linked < 0 && linked != -ENOENT)
		return linked;
	if (code == 0 && row.phase != PHASE_REMOVING) {
		state.lo_up = row.lo_up;
		code = add_present(store, linked == 0 ? &link : NULL, &state, error);
		if (code < 0)
			return code;
	}
	*ret_tunnels = memory_resize(NULL, 1, sizeof(**ret_tunnels));
	**ret_tunnels = link.tunnel;
	*ret_tunnel_count = linked == 0;
	*ret = state;
	state = (struct subu_state){};
	return 0;
}

void desired_own(struct tunnel *tunnel, enum backend backend, struct subu_state *ret)
{
	struct subu_state state = {.present = true, .prepared = true, .lo_up = true};
	struct link_state *link = subu_state_append_link(&state, 0);

	link->backend = backend;
	link->up = true;
	add_allowed_ips(&link->main_routes, tunnel);
	fill_link(link, tunnel);
	*ret = state;
}

void desired_choose_backends(struct subu_state *desired, const struct subu_state *actual,
			     bool kernel_present)
{
	for (size_t i = 0; i < desired->link_count; i++) {
		struct link_state *link = &desired->links[i];
		const struct link_state *there = subu_state_find_link(actual, link->tunnel);

		if (!link->any_backend)
			continue;
		if (there && there->device && there->running)
			link->backend = there->backend;
		else
			link->backend = kernel_present ? BACKEND_KERNEL : BACKEND_ENGINE;
	}
}
