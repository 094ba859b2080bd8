/* The rules, where they are not plain:
 *  - a device of the kernel's WireGuard starts with an MTU of 1420, a TUN device with 1500; both
 *    down, without addresses, with settings that let IPv6 configure itself and go with the device;
 *  - a device has IPv6 only where the kernel has it and the MTU is at least 1280. When the MTU
 *    comes back to that, the settings are new;
 *  - down takes the routes of all tables, and the IPv6 addresses unless the device is prepared;
 *  - the first IPv4 address of a network takes the others with it unless the kernel promotes them;
 *    the last one of the device takes the IPv4 routes;
 *  - an IPv6 address stands on a device once, whatever its prefix length;
 *  - a rule names its device, and does not need it;
 *  - a control group goes when nobody is in it, and what was attached to it is then dead;
 *  - forced egress needs the group, and knows one device by its number;
 *  - whoever moves a device's packets binds a port when the device goes up, or when told which. An
 *    engine with a firewall mark can do so once. */
#include "kernel_model.h"

#include <string.h>

#include "kernel/route.h"
#include "wg_model.h"

#define MTU_KERNEL	1420
#define MTU_TUN		1500
#define MTU_IPV6	1280
#define PORT_PRIVILEGED 1024
#define PORT_CHOSEN	40000

/* What of the list is to stay. */
typedef bool (*keeper)(const struct cidr *cidr, const struct cidr *of);

static void list_filter(struct cidr_list *list, keeper keeps, const struct cidr *of)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (keeps(&list->items[i], of))
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static bool is_ipv4(const struct cidr *cidr, const struct cidr *of)
{
	(void)of;
	return cidr->ip.family == AF_INET;
}

static bool is_ipv6(const struct cidr *cidr, const struct cidr *of)
{
	return !is_ipv4(cidr, of);
}

static bool is_other(const struct cidr *cidr, const struct cidr *of)
{
	return !cidr_equal(cidr, of);
}

static bool is_of_other_network(const struct cidr *cidr, const struct cidr *of)
{
	return cidr->length != of->length || !cidr_contains(of, &cidr->ip);
}

static size_t count_ipv4(const struct cidr_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->items[i].ip.family == AF_INET;
	return count;
}

static bool has_ipv6(const struct kernel_model *kernel, const struct link_state *link)
{
	return kernel->state.ipv6 && link->mtu >= MTU_IPV6;
}

static void routes_filter(struct link_state *link, keeper keeps)
{
	list_filter(&link->table_routes, keeps, NULL);
	list_filter(&link->main_routes, keeps, NULL);
}

static void bind_any_port(struct link_state *link)
{
	if (link->up && link->running && !link->wg.listen_port)
		link->wg.listen_port = (uint16_t)(PORT_CHOSEN + link->tunnel);
}

static void device_make(struct link_state *link, enum backend backend, uint32_t mtu)
{
	link->device = true;
	link->backend = backend;
	link->mtu = mtu;
	link->steered = false;
}

static const char *link_create(struct link_state *link)
{
	if (link->device)
		return "there is such a device";
	device_make(link, BACKEND_KERNEL, MTU_KERNEL);
	link->running = true;
	return NULL;
}

/* One that is there already is ended first. */
static const char *engine_start(struct link_state *link, uint32_t fwmark)
{
	if (link->device && (link->foreign || link->backend == BACKEND_KERNEL))
		return "the device is no TUN device";
	if (!link->device)
		device_make(link, BACKEND_ENGINE, MTU_TUN);
	wg_device_clear(&link->wg);
	link->wg.fwmark = fwmark;
	link->running = link->files = true;
	bind_any_port(link);
	return NULL;
}

static const char *engine_stop(struct link_state *link)
{
	link->files = false;
	if (link->backend == BACKEND_ENGINE) {
		link->running = false;
		wg_device_clear(&link->wg);
	}
	return NULL;
}

static const char *link_delete(struct link_state *link)
{
	struct link_state left = {
		.tunnel = link->tunnel,
		.files = link->files,
		.rule_ipv4 = link->rule_ipv4,
		.rule_ipv6 = link->rule_ipv6,
	};

	link_state_clear(link);
	*link = left;
	return NULL;
}

static const char *link_set_up(struct link_state *link, bool up)
{
	link->up = up;
	bind_any_port(link);
	if (up)
		return NULL;
	cidr_list_clear(&link->table_routes);
	cidr_list_clear(&link->main_routes);
	if (!link->prepared)
		list_filter(&link->addresses, is_ipv4, NULL);
	return NULL;
}

static const char *link_set_mtu(struct kernel_model *kernel, struct link_state *link, uint32_t mtu)
{
	bool had_ipv6 = has_ipv6(kernel, link);

	link->mtu = mtu;
	if (!has_ipv6(kernel, link)) {
		list_filter(&link->addresses, is_ipv4, NULL);
		routes_filter(link, is_ipv4);
	} else if (!had_ipv6) {
		link->prepared = false;
	}
	return NULL;
}

static const char *configure(struct link_state *link, const struct operation *operation)
{
	const struct wg_change *change = operation->change;
	const struct wg_device *wg = &link->wg;

	if (!link->running || operation->backend != link->backend)
		return "nobody of that kind runs the device";
	if (link->backend == BACKEND_ENGINE) {
		if (change->set_fwmark)
			return "an engine cannot change its mark";
		if (change->set_listen_port && change->listen_port < PORT_PRIVILEGED)
			return "an engine has no right to that port";
		if (change->set_listen_port && wg->fwmark && wg->listen_port)
			return "an engine with a mark cannot change its port";
	}
	wg_model_apply(&link->wg, change);
	return NULL;
}

static const char *add_address(struct kernel_model *kernel, struct link_state *link,
			       const struct cidr *cidr)
{
	if (cidr->ip.family == AF_INET6 && !has_ipv6(kernel, link))
		return "the device has no IPv6";
	for (size_t i = 0; i < link->addresses.count; i++) {
		const struct cidr *other = &link->addresses.items[i];

		if (cidr_equal(other, cidr) ||
		    (cidr->ip.family == AF_INET6 && ip_equal(&other->ip, &cidr->ip)))
			return NULL; /* EEXIST, which address_add() takes for done */
	}
	cidr_list_append(&link->addresses, cidr);
	return NULL;
}

static bool is_first_of_network(const struct cidr_list *list, const struct cidr *cidr)
{
	for (size_t i = 0; i < list->count; i++)
		if (!is_of_other_network(&list->items[i], cidr))
			return cidr_equal(&list->items[i], cidr);
	return false;
}

static const char *delete_address(struct kernel_model *kernel, struct link_state *link,
				  const struct cidr *cidr)
{
	if (cidr->ip.family == AF_INET6) {
		list_filter(&link->addresses, is_other, cidr);
		return has_ipv6(kernel, link) ? NULL : "the device has no IPv6";
	}
	if (!kernel->promotes && is_first_of_network(&link->addresses, cidr))
		list_filter(&link->addresses, is_of_other_network, cidr);
	else
		list_filter(&link->addresses, is_other, cidr);
	if (!count_ipv4(&link->addresses))
		routes_filter(link, is_ipv6);
	return NULL;
}

static const char *add_route(struct kernel_model *kernel, struct link_state *link,
			     const struct operation *operation)
{
	const struct cidr *cidr = &operation->cidr;
	bool main = operation->number == ROUTE_TABLE_MAIN;
	struct cidr_list *list = main ? &link->main_routes : &link->table_routes;

	if (!link->up)
		return "the device is down";
	if (cidr->ip.family == AF_INET6 && !has_ipv6(kernel, link))
		return "the device has no IPv6";
	if (!main && operation->number != TUNNEL_TABLE(link->tunnel))
		return "that is no table of this tunnel";
	for (size_t i = 0; main && i < kernel->state.link_count; i++)
		if (&kernel->state.links[i] != link &&
		    cidr_list_holds(&kernel->state.links[i].main_routes, cidr))
			return "there is another route to the same network";
	if (!cidr_list_holds(list, cidr))
		cidr_list_append(list, cidr);
	return NULL;
}

static const char *delete_route(struct link_state *link, const struct operation *operation)
{
	bool main = operation->number == ROUTE_TABLE_MAIN;

	list_filter(main ? &link->main_routes : &link->table_routes, is_other, &operation->cidr);
	return NULL;
}

static const char *rule_set(struct kernel_model *kernel, struct link_state *link,
			    sa_family_t family, bool set)
{
	if (family == AF_INET6 && !kernel->state.ipv6)
		return "the kernel has no IPv6";
	*(family == AF_INET ? &link->rule_ipv4 : &link->rule_ipv6) = set;
	return NULL;
}

static const char *netns_delete(struct subu_state *state)
{
	if (!state->present)
		return "there is no namespace";
	if (state->process_count)
		return "processes keep the namespace alive";
	for (size_t i = 0; i < state->link_count; i++)
		if (state->links[i].device)
			return "there is a device in it, which its engine keeps alive";
	for (size_t i = 0; i < state->link_count; i++)
		state->links[i].rule_ipv4 = state->links[i].rule_ipv6 = false;
	state->present = state->prepared = state->lo_up = false;
	memset(state->fences, 0, sizeof(state->fences));
	return NULL;
}

static void steer(struct subu_state *state, struct link_state *link)
{
	for (size_t i = 0; i < state->link_count; i++)
		state->links[i].steered = false;
	state->egress.present = link != NULL;
	if (link)
		link->steered = true;
}

static const char *cgroup_delete(struct subu_state *state)
{
	if (state->process_count)
		return "there are processes in the control group";
	for (size_t i = 0; i < state->link_count; i++)
		state->links[i].steered = false;
	state->cgroup = state->cgroup_left = false;
	return NULL;
}

static const char *apply_to_device(struct kernel_model *kernel, struct link_state *link,
				   const struct operation *operation)
{
	if (!link->device)
		return "there is no such device";
	switch (operation->kind) {
	case OPERATION_STEER_ON:
		if (!kernel->state.cgroup)
			return "there is no control group";
		steer(&kernel->state, link);
		return NULL;
	case OPERATION_LINK_PREPARE:
		link->prepared = true;
		return NULL;
	case OPERATION_LINK_MTU:
		return link_set_mtu(kernel, link, operation->number);
	case OPERATION_LINK_UP:
	case OPERATION_LINK_DOWN:
		return link_set_up(link, operation->kind == OPERATION_LINK_UP);
	case OPERATION_LINK_DELETE:
		return link_delete(link);
	case OPERATION_WG_CONFIGURE:
		return configure(link, operation);
	case OPERATION_ADDRESS_ADD:
		return add_address(kernel, link, &operation->cidr);
	case OPERATION_ADDRESS_DELETE:
		return delete_address(kernel, link, &operation->cidr);
	case OPERATION_ROUTE_ADD:
		return add_route(kernel, link, operation);
	case OPERATION_ROUTE_DELETE:
		return delete_route(link, operation);
	default:
		return "no such operation";
	}
}

static struct link_state *link_of(struct kernel_model *kernel, uint32_t tunnel)
{
	struct link_state *link = subu_state_find_link(&kernel->state, tunnel);

	return link ? link : subu_state_append_link(&kernel->state, tunnel);
}

static const char *fence_set(struct subu_state *state, const struct operation *operation)
{
	if (fences[operation->number].family == AF_INET6 && !state->ipv6)
		return "the kernel has no IPv6";
	state->fences[operation->number] = operation->kind == OPERATION_FENCE_ADD;
	return NULL;
}

/* All that is done inside the namespace. */
static const char *apply_inside(struct kernel_model *kernel, const struct operation *operation)
{
	struct subu_state *state = &kernel->state;

	if (!state->present)
		return "there is no namespace";
	switch (operation->kind) {
	case OPERATION_NETNS_PREPARE:
		state->prepared = true;
		return NULL;
	case OPERATION_FENCE_ADD:
	case OPERATION_FENCE_DELETE:
		return fence_set(state, operation);
	case OPERATION_LO_UP:
	case OPERATION_LO_DOWN:
		state->lo_up = operation->kind == OPERATION_LO_UP;
		return NULL;
	case OPERATION_LINK_CREATE:
		return link_create(link_of(kernel, operation->tunnel));
	case OPERATION_ENGINE_START:
		return engine_start(link_of(kernel, operation->tunnel), operation->number);
	case OPERATION_RULE_ADD:
	case OPERATION_RULE_DELETE:
		return rule_set(kernel, link_of(kernel, operation->tunnel), operation->family,
				operation->kind == OPERATION_RULE_ADD);
	default:
		return apply_to_device(kernel, link_of(kernel, operation->tunnel), operation);
	}
}

const char *kernel_model_apply(struct kernel_model *kernel, const struct operation *operation)
{
	struct subu_state *state = &kernel->state;

	switch (operation->kind) {
	case OPERATION_NETNS_CREATE:
		if (state->present)
			return "there is such a namespace";
		state->present = true;
		return NULL;
	case OPERATION_NETNS_DELETE:
		return netns_delete(state);
	case OPERATION_PROCESSES_END:
		state->process_count = 0;
		return NULL;
	case OPERATION_CGROUP_CREATE:
		state->cgroup = state->cgroups;
		return state->cgroup ? NULL : "there are no control groups";
	case OPERATION_CGROUP_DELETE:
		return cgroup_delete(state);
	case OPERATION_STEER_OFF:
		steer(state, NULL);
		return NULL;
	case OPERATION_ENGINE_STOP:
		return engine_stop(link_of(kernel, operation->tunnel));
	default:
		return apply_inside(kernel, operation);
	}
}

static bool configure_half(struct link_state *link, const struct wg_change *change)
{
	struct wg_change first = *change, second = {.peer_count = 1};
	struct wg_peer_change cut;

	if (!change->peer_count)
		return false;
	first.peer_count /= 2;
	cut = change->peers[first.peer_count];
	cut.allowed_ips.count /= 2;
	second.peers = &cut;
	wg_model_apply(&link->wg, &first);
	wg_model_apply(&link->wg, &second);
	return true;
}

bool kernel_model_apply_half(struct kernel_model *kernel, const struct operation *operation)
{
	struct link_state *link;

	if (operation->kind != OPERATION_WG_CONFIGURE && operation->kind != OPERATION_ENGINE_START)
		return false;
	link = link_of(kernel, operation->tunnel);
	if (operation->kind == OPERATION_WG_CONFIGURE)
		return configure_half(link, operation->change);
	engine_stop(link);
	if (!link->device)
		device_make(link, BACKEND_ENGINE, MTU_TUN);
	link->files = true;
	return true;
}
