#include "reconcile/apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "egress/egress.h"
#include "kernel/address.h"
#include "kernel/cgroup.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "kernel/route.h"
#include "kernel/sysctl.h"
#include "kernel/userns.h"
#include "model/subu.h"
#include "reconcile/inmates.h"
#include "reconcile/state.h"
#include "wireguard/engine.h"
#include "wireguard/uapi_client.h"

/* What processes get between SIGTERM and SIGKILL, and how often those that they forked meanwhile
 * are looked for again. */
#define PROCESS_GRACE_MS 2000
#define PROCESS_ROUNDS	 10

/* The namespace in which a plan's operations happen, opened once it is there. */
struct place {
	uint32_t subu;
	char netns_name[SUBU_ID_TEXT_MAX];
	const struct own_netns *own; /* NULL: the sub-user's */
	int netns;
	struct netlink inside; /* NETLINK_ROUTE */
	bool open;
};

static int place_open(struct place *place, struct error *error)
{
	int code;

	if (place->open)
		return 0;
	code = place->own ? netns_open_own(&place->netns, error)
			  : netns_open(place->netns_name, &place->netns, error);
	if (code == 0)
		code = netlink_open(NETLINK_ROUTE, place->netns, &place->inside, error);
	place->open = code == 0;
	return code;
}

static void place_close(struct place *place)
{
	if (place->open)
		netlink_close(&place->inside);
	fd_close(&place->netns);
}

static int end_processes(uint32_t subu, struct error *error)
{
	for (int round = 0; round < PROCESS_ROUNDS; round++) {
		CLEANUP(memory_free) struct inmate *inmates = NULL;
		CLEANUP(memory_free) pid_t *pids = NULL;
		size_t count;
		int code = inmates_list(subu, &inmates, &count, error);

		if (code < 0 || count == 0)
			return code;
		pids = memory_resize(NULL, count, sizeof(*pids));
		for (size_t i = 0; i < count; i++)
			pids[i] = inmates[i].pid;
		code = process_end(pids, count, PROCESS_GRACE_MS, error);
		if (code < 0)
			return code;
	}
	return error_set(error, EBUSY, "they fork faster than they can be ended");
}

/* A kernel without IPv6 has no setting for it to write. */
static int write_if_there(const char *path, const char *value, struct error *error)
{
	int code = sysctl_write(path, value, error);

	return code == -ENOENT ? 0 : code;
}

static int prepare_netns(struct place *place, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	const gid_t last_group = userns_last_group();
	char value[NETNS_SETTING_MAX];
	int code = netns_visit_begin(&visit, place->netns, error);

	for (size_t i = 0; code == 0 && i < NETNS_SETTING_COUNT; i++)
		code = write_if_there(netns_settings[i].path,
				      netns_setting_value(&netns_settings[i], last_group, value),
				      error);
	return code;
}

static int steer(struct place *place, const char *device, struct error *error)
{
	struct egress_config config = {.layout = EGRESS_LAYOUT};
	uint64_t cookie;
	CLEANUP(fd_close) int cgroup = -1;
	char name[SUBU_ID_TEXT_MAX], id[SUBU_ID_TEXT_MAX];
	struct link_info info;
	int code = link_find(&place->inside, device, &info, error);

	if (code == 0)
		code = netns_cookie(place->netns, &cookie, error);
	if (code == 0)
		code = cgroup_open(subu_cgroup(place->subu, name), &cgroup, error);
	if (code < 0)
		return code;
	config.tunnel = info.index;
	config.netns_cookie = cookie;
	return egress_install(subu_id_format(place->subu, id), cgroup, &config, error);
}

static int prepare_link(struct place *place, const char *device, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	char path[96];
	int code = link_set_no_ipv6_autoconf(&place->inside, device, error);

	if (code == 0)
		code = netns_visit_begin(&visit, place->netns, error);
	snprintf(path, sizeof(path), "net/ipv4/conf/%s/accept_local", device);
	if (code == 0)
		code = sysctl_write(path, "1", error);
	snprintf(path, sizeof(path), "net/ipv4/conf/%s/rp_filter", device);
	if (code == 0)
		code = sysctl_write(path, "0", error);
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/keep_addr_on_down", device);
	if (code == 0)
		code = write_if_there(path, "1", error);
	return code;
}

static int create_link(struct place *place, const char *device, struct error *error)
{
	CLEANUP(netlink_close) struct netlink outside = {};
	int code = netlink_open(NETLINK_ROUTE, -1, &outside, error);

	return code < 0 ? code : link_create_wireguard(&outside, device, place->netns, error);
}

/* One that hangs holds the lock that the new one needs: it goes first. One that died is taken over
 * by the new one, and its log, which may say why, is kept. One that a killed run has started, and that
 * was not seen before because it was not ready yet, is as good as the new one. */
static int start_engine(struct place *place, const char *device, uint32_t fwmark,
			struct error *error)
{
	pid_t hanging, other;
	int code = engine_running(device, &hanging, error);

	if (code == 0 && hanging)
		code = engine_stop(device, error);
	if (code < 0)
		return code;
	code = engine_start(device, place->netns, fwmark, error);
	if (code == -EBUSY && engine_running(device, &other, error) == 0 && other)
		return 0;
	return code;
}

static int apply_route(struct place *place, const struct operation *operation, const char *device,
		       struct error *error)
{
	struct route route = {.table = operation->number, .destination = operation->cidr};
	struct link_info info;
	int code = link_find(&place->inside, device, &info, error);

	if (code < 0)
		return code;
	route.link_index = info.index;
	if (operation->kind == OPERATION_ROUTE_DELETE)
		return route_delete(&place->inside, &route, error);
	/* The main table may have routes of others; the tunnel's own is ours, all of it. */
	return route.table == ROUTE_TABLE_MAIN ? route_add(&place->inside, &route, error)
					       : route_replace(&place->inside, &route, error);
}

static int apply_rule(struct place *place, const struct operation *operation, const char *device,
		      struct error *error)
{
	struct route_rule rule = {
		.family = operation->family,
		.priority = TUNNEL_RULE_PRIORITY,
		.table = TUNNEL_TABLE(operation->tunnel),
	};

	memcpy(rule.oif, device, sizeof(rule.oif));
	return operation->kind == OPERATION_RULE_ADD
		       ? route_rule_add(&place->inside, &rule, error)
		       : route_rule_delete(&place->inside, &rule, error);
}

static int apply_fence(struct place *place, const struct operation *operation, struct error *error)
{
	const struct route_rule rule = {
		.family = fences[operation->number].family,
		.priority = FENCE_RULE_PRIORITY,
		.protocol = fences[operation->number].protocol,
	};

	return operation->kind == OPERATION_FENCE_ADD
		       ? route_rule_add(&place->inside, &rule, error)
		       : route_rule_delete(&place->inside, &rule, error);
}

static int apply_address(struct place *place, const struct operation *operation, const char *device,
			 struct error *error)
{
	struct link_info info;
	int code = link_find(&place->inside, device, &info, error);

	if (code < 0)
		return code;
	return operation->kind == OPERATION_ADDRESS_ADD
		       ? address_add(&place->inside, info.index, &operation->cidr, error)
		       : address_delete(&place->inside, info.index, &operation->cidr, error);
}

static int apply_to_link(struct place *place, const struct operation *operation,
			 struct error *error)
{
	char device[IFNAMSIZ] = {};

	tunnel_device(operation->tunnel, device);
	switch (operation->kind) {
	case OPERATION_LINK_CREATE:
		return create_link(place, device, error);
	case OPERATION_ENGINE_START:
		return start_engine(place, device, operation->number, error);
	case OPERATION_STEER_ON:
		return steer(place, device, error);
	case OPERATION_LINK_PREPARE:
		return prepare_link(place, device, error);
	case OPERATION_LINK_MTU:
		return link_set_mtu(&place->inside, device, operation->number, error);
	case OPERATION_LINK_UP:
		return link_set_up(&place->inside, device, true, error);
	case OPERATION_LINK_DOWN:
		return link_set_up(&place->inside, device, false, error);
	case OPERATION_LINK_DELETE:
		return link_delete(&place->inside, device, error);
	case OPERATION_WG_CONFIGURE:
		if (place->own && place->own->socket)
			return uapi_client_write(place->own->socket, operation->change, error);
		return backend_write(operation->backend, place->netns, device, operation->change,
				     error);
	case OPERATION_ADDRESS_ADD:
	case OPERATION_ADDRESS_DELETE:
		return apply_address(place, operation, device, error);
	case OPERATION_ROUTE_ADD:
	case OPERATION_ROUTE_DELETE:
		return apply_route(place, operation, device, error);
	default:
		return apply_rule(place, operation, device, error);
	}
}

static int apply_inside(struct place *place, const struct operation *operation, struct error *error)
{
	int code = place_open(place, error);

	if (code < 0)
		return code;
	switch (operation->kind) {
	case OPERATION_NETNS_PREPARE:
		return prepare_netns(place, error);
	case OPERATION_FENCE_ADD:
	case OPERATION_FENCE_DELETE:
		return apply_fence(place, operation, error);
	case OPERATION_LO_UP:
		return link_set_up(&place->inside, "lo", true, error);
	case OPERATION_LO_DOWN:
		return link_set_up(&place->inside, "lo", false, error);
	default:
		return apply_to_link(place, operation, error);
	}
}

static int apply_operation(struct place *place, const struct operation *operation,
			   struct error *error)
{
	char name[SUBU_ID_TEXT_MAX], device[IFNAMSIZ];

	switch (operation->kind) {
	case OPERATION_NETNS_CREATE:
		return netns_create(place->netns_name, error);
	case OPERATION_NETNS_DELETE:
		return netns_delete(place->netns_name, error);
	case OPERATION_PROCESSES_END:
		return end_processes(place->subu, error);
	case OPERATION_CGROUP_CREATE:
		return cgroup_create(subu_cgroup(place->subu, name), error);
	case OPERATION_CGROUP_DELETE:
		return cgroup_delete(subu_cgroup(place->subu, name), error);
	case OPERATION_STEER_OFF:
		return egress_remove(subu_id_format(place->subu, name), error);
	case OPERATION_ENGINE_STOP:
		return engine_stop(tunnel_device(operation->tunnel, device), error);
	default:
		return apply_inside(place, operation, error);
	}
}

static int apply_all(const struct own_netns *own, const struct plan *plan, struct error *error)
{
	CLEANUP(place_close) struct place place = {.subu = plan->subu, .own = own, .netns = -1};
	char words[OPERATION_TEXT_MAX];

	subu_netns(plan->subu, place.netns_name);
	for (size_t i = 0; i < plan->count; i++)
		if (apply_operation(&place, &plan->operations[i], error) < 0)
			return error_wrap(error, "cannot %s",
					  operation_format(plan, &plan->operations[i], words));
	return 0;
}

int apply(const struct plan *plan, struct error *error)
{
	return apply_all(NULL, plan, error);
}

int apply_own(const struct own_netns *own, const struct plan *plan, struct error *error)
{
	return apply_all(own, plan, error);
}
