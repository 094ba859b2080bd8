/* Devices first; then what refers to them by name (rules) or by number (addresses, routes); then
 * the settings below /proc/sys, for which the thread must go inside; last the WireGuard
 * configuration, asked of whoever runs the device. */
#include "reconcile/observe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/address.h"
#include "kernel/cgroup.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/route.h"
#include "kernel/sysctl.h"
#include "kernel/userns.h"
#include "model/subu.h"
#include "reconcile/inmates.h"
#include "wireguard/engine.h"
#include "wireguard/uapi_client.h"

struct observer {
	struct subu_state *state;
	const struct own_netns *own; /* NULL: the sub-user's */
	struct netlink netlink;	     /* inside */
	int netns;
};

static struct link_state *find_or_append(struct subu_state *state, uint32_t tunnel)
{
	struct link_state *link = subu_state_find_link(state, tunnel);

	if (!link)
		link = subu_state_append_link(state, tunnel);
	return link;
}

static void note_device(struct observer *observer, const struct link_info *info)
{
	struct link_state *link;
	uint32_t tunnel;

	if (strcmp(info->name, "lo") == 0)
		observer->state->lo_up = info->up;
	if (!tunnel_of_device(info->name, &tunnel))
		return;
	link = find_or_append(observer->state, tunnel);
	link->device = true;
	link->backend = strcmp(info->kind, "wireguard") == 0 ? BACKEND_KERNEL : BACKEND_ENGINE;
	link->foreign = link->backend == BACKEND_ENGINE && strcmp(info->kind, "tun") != 0;
	link->index = info->index;
	link->up = info->up;
	link->mtu = info->mtu;
}

static void note_route(struct observer *observer, const struct route *route, const char *device)
{
	struct link_state *link;
	uint32_t tunnel;

	if (!tunnel_of_device(device, &tunnel))
		return;
	link = find_or_append(observer->state, tunnel);
	if (route->table == ROUTE_TABLE_MAIN)
		cidr_list_append(&link->main_routes, &route->destination);
	else if (route->table == TUNNEL_TABLE(tunnel))
		cidr_list_append(&link->table_routes, &route->destination);
}

static void note_rule(struct observer *observer, const struct route_rule *rule)
{
	struct subu_state *state = observer->state;
	struct link_state *link;
	uint32_t tunnel;

	for (size_t i = 0; i < FENCE_COUNT; i++)
		state->fences[i] |= rule->priority == FENCE_RULE_PRIORITY &&
				    rule->family == fences[i].family &&
				    rule->protocol == fences[i].protocol;
	if (!tunnel_of_device(rule->oif, &tunnel) || rule->table != TUNNEL_TABLE(tunnel) ||
	    rule->priority != TUNNEL_RULE_PRIORITY)
		return;
	link = find_or_append(state, tunnel);
	if (rule->family == AF_INET)
		link->rule_ipv4 = true;
	else
		link->rule_ipv6 = true;
}

static int observe_addresses(struct observer *observer, const struct link_info *info,
			     struct error *error)
{
	struct link_state *link;
	uint32_t tunnel;

	if (!tunnel_of_device(info->name, &tunnel))
		return 0;
	link = subu_state_find_link(observer->state, tunnel);
	return address_list(&observer->netlink, info->index, &link->addresses, error);
}

static const char *name_of(const struct link_info *links, size_t count, unsigned int index)
{
	for (size_t i = 0; i < count; i++)
		if (links[i].index == index)
			return links[i].name;
	return "";
}

static int observe_network(struct observer *observer, struct error *error)
{
	CLEANUP(memory_free) struct link_info *links = NULL;
	CLEANUP(memory_free) struct route *routes = NULL;
	CLEANUP(memory_free) struct route_rule *rules = NULL;
	size_t link_count, route_count, rule_count;
	int code = link_list(&observer->netlink, &links, &link_count, error);

	for (size_t i = 0; code == 0 && i < link_count; i++) {
		note_device(observer, &links[i]);
		code = observe_addresses(observer, &links[i], error);
	}
	if (code == 0)
		code = route_list(&observer->netlink, &routes, &route_count, error);
	if (code == 0)
		code = route_rule_list(&observer->netlink, &rules, &rule_count, error);
	if (code < 0)
		return code;
	for (size_t i = 0; i < route_count; i++)
		note_route(observer, &routes[i], name_of(links, link_count, routes[i].link_index));
	for (size_t i = 0; i < rule_count; i++)
		note_rule(observer, &rules[i]);
	return 0;
}

/* Does the setting have the value? One that the kernel does not know cannot be wrong. */
static int has_setting(const char *path, const char *wanted, bool *ret, struct error *error)
{
	char value[64];
	int code = sysctl_read(path, value, sizeof(value), error);

	if (code < 0 && code != -ENOENT)
		return code;
	*ret = code == -ENOENT || strcmp(value, wanted) == 0;
	return 0;
}

static int observe_prepared(struct link_state *link, struct error *error)
{
	char device[IFNAMSIZ], path[96];
	bool accept, no_filter = true, keep = true, no_autoconf = true;
	int code;

	tunnel_device(link->tunnel, device);
	snprintf(path, sizeof(path), "net/ipv4/conf/%s/accept_local", device);
	code = has_setting(path, "1", &accept, error);
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/keep_addr_on_down", device);
	if (code == 0)
		code = has_setting(path, "1", &keep, error);
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/addr_gen_mode", device);
	if (code == 0)
		code = has_setting(path, "1", &no_autoconf, error);
	snprintf(path, sizeof(path), "net/ipv4/conf/%s/rp_filter", device);
	if (code == 0)
		code = has_setting(path, "0", &no_filter, error);
	if (code == 0)
		link->prepared = accept && no_filter && keep && no_autoconf;
	return code;
}

static int observe_netns_settings(struct subu_state *state, struct error *error)
{
	const gid_t last_group = userns_last_group();
	char value[NETNS_SETTING_MAX];
	bool has = true;
	int code = 0;

	state->prepared = true;
	for (size_t i = 0; code == 0 && i < NETNS_SETTING_COUNT; i++) {
		code = has_setting(netns_settings[i].path,
				   netns_setting_value(&netns_settings[i], last_group, value), &has,
				   error);
		state->prepared &= has;
	}
	return code;
}

static int observe_settings(struct observer *observer, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	struct subu_state *state = observer->state;
	int code = netns_visit_begin(&visit, observer->netns, error);

	if (code == 0)
		code = observe_netns_settings(state, error);
	for (size_t i = 0; code == 0 && i < state->link_count; i++)
		if (state->links[i].device)
			code = observe_prepared(&state->links[i], error);
	return code;
}

/* An engine that does not answer is not running, whatever process there may be. */
static void observe_wireguard(struct observer *observer)
{
	struct error ignored;
	char device[IFNAMSIZ];

	for (size_t i = 0; i < observer->state->link_count; i++) {
		struct link_state *link = &observer->state->links[i];

		tunnel_device(link->tunnel, device);
		link->files = engine_has_files(device);
		link->running = link->device && backend_read(link->backend, observer->netns, device,
							     &link->wg, &ignored) == 0;
	}
}

static int observe_inside(struct observer *observer, struct error *error)
{
	int code = netlink_open(NETLINK_ROUTE, observer->netns, &observer->netlink, error);

	if (code < 0)
		return code;
	code = observe_network(observer, error);
	netlink_close(&observer->netlink);
	return code < 0 ? code : observe_settings(observer, error);
}

/* The programs know the device by its number, and the namespace in which that is its number. */
static bool is_steered(const struct egress_status *egress, uint32_t index, uint64_t cookie)
{
	return egress->current && egress->config.tunnel == index &&
	       egress->config.netns_cookie == cookie;
}

/* In the middle of an upgrade, and before it, the programs are another version's. What device these
 * know cannot be read; it has its number by chance, and so no other has. */
static bool is_held(const struct egress_status *egress, uint32_t index, uint64_t cookie)
{
	return is_steered(egress, index, cookie) || (egress->enforced && !egress->current);
}

static int observe_steering(struct observer *observer, struct error *error)
{
	const struct egress_status *egress = &observer->state->egress;
	uint64_t cookie = 0;
	int code = observer->netns < 0 ? 0 : netns_cookie(observer->netns, &cookie, error);

	for (size_t i = 0; code == 0 && i < observer->state->link_count; i++) {
		struct link_state *link = &observer->state->links[i];

		link->steered = link->device && is_steered(egress, link->index, cookie);
		link->held = link->device && is_held(egress, link->index, cookie);
	}
	return code;
}

/* What holds the processes of the sub-user, and the processes. */
static int observe_hold(struct observer *observer, struct error *error)
{
	CLEANUP(memory_free) struct inmate *inmates = NULL;
	struct subu_state *state = observer->state;
	CLEANUP(fd_close) int cgroup = -1;
	char name[SUBU_ID_TEXT_MAX];
	int code = cgroup_open(subu_cgroup(state->id, name), &cgroup, error);

	if (code < 0 && code != -ENOENT && code != -EOPNOTSUPP)
		return code;
	state->cgroups = code != -EOPNOTSUPP;
	state->cgroup = code == 0;
	state->cgroup_left = cgroup_left(name);
	code = egress_observe(subu_id_format(state->id, name), cgroup, &state->egress, error);
	if (code == 0)
		code = observe_steering(observer, error);
	return code < 0 ? code : inmates_list(state->id, &inmates, &state->process_count, error);
}

int observe(uint32_t subu, const uint32_t *tunnels, size_t tunnel_count, struct subu_state *ret,
	    struct error *error)
{
	CLEANUP(subu_state_clear) struct subu_state state = {.id = subu};
	struct observer observer = {.state = &state, .netns = -1};
	CLEANUP(fd_close) int netns = -1;
	char name[SUBU_ID_TEXT_MAX];
	int code = netns_open(subu_netns(subu, name), &netns, error);

	if (code < 0 && code != -ENOENT)
		return code;
	state.present = code == 0;
	state.named = netns_has_name(name);
	state.ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0;
	observer.netns = netns;
	code = state.present ? observe_inside(&observer, error) : 0;
	if (code == 0)
		code = observe_hold(&observer, error);
	if (code < 0)
		return error_wrap(error, "cannot look into %s", name);
	for (size_t i = 0; i < tunnel_count; i++)
		find_or_append(&state, tunnels[i]);
	observe_wireguard(&observer);
	*ret = state;
	state = (struct subu_state){};
	return 0;
}

int observe_own(const struct own_netns *own, struct subu_state *ret, struct error *error)
{
	CLEANUP(subu_state_clear) struct subu_state state = {.present = true};
	CLEANUP(fd_close) int netns = -1;
	struct observer observer = {.state = &state, .own = own};
	struct link_state *link;
	int code = netns_open_own(&netns, error);

	state.ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0;
	observer.netns = netns;
	if (code == 0)
		code = observe_inside(&observer, error);
	link = code == 0 ? subu_state_find_link(&state, 0) : NULL;
	if (link && own->socket)
		link->wg.fwmark = own->fwmark;
	else if (link)
		code = backend_read(BACKEND_KERNEL, netns, OWN_DEVICE, &link->wg, error);
	if (code < 0)
		return error_wrap(error, "cannot look into the new namespace");
	if (link)
		link->running = true;
	*ret = state;
	state = (struct subu_state){};
	return 0;
}

/* What of it is there; what is not leaves its zero. */
static int look_at_device(uint32_t subu, uint32_t tunnel, uint32_t *index, uint64_t *cookie,
			  struct error *error)
{
	CLEANUP(netlink_close) struct netlink netlink = {};
	CLEANUP(fd_close) int netns = -1;
	char name[SUBU_ID_TEXT_MAX], device[IFNAMSIZ];
	struct link_info info = {};
	int code = netns_open(subu_netns(subu, name), &netns, error);

	if (code == 0)
		code = netns_cookie(netns, cookie, error);
	if (code == 0)
		code = netlink_open(NETLINK_ROUTE, netns, &netlink, error);
	if (code == 0)
		code = link_find(&netlink, tunnel_device(tunnel, device), &info, error);
	*index = info.index;
	return code == -ENOENT || code == -ENODEV ? 0 : code;
}

int observe_held(uint32_t subu, uint32_t tunnel, int cgroup_fd, bool *ret, struct error *error)
{
	struct egress_status egress;
	char id[SUBU_ID_TEXT_MAX];
	uint64_t cookie = 0;
	uint32_t index = 0;
	int code = look_at_device(subu, tunnel, &index, &cookie, error);

	if (code == 0)
		code = egress_observe(subu_id_format(subu, id), cgroup_fd, &egress, error);
	if (code == 0)
		*ret = index && is_held(&egress, index, cookie);
	return code;
}
