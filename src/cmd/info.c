/* info: the full record of a sub-user, as the database has it and as the kernel does. */
#include <errno.h>
#include <stdio.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/tunnel.h"
#include "kernel/address.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "reconcile/observe.h"

static const struct output_column columns[] = {
	{"Subu_ID", "subu"}, {"Owner", "owner"},
	{"Name", "name"},    {"Account", "account"},
	{"NetNS", "netns"},  {"Phase", "phase"},
	{"Steer?", "steer"}, {"Processes inside", "processes"},
};

/* What forced egress has stopped, by the reasons of egress/layout.h. */
static const struct {
	const char *key, *words;
} reasons[EGRESS_REASON_COUNT] = {
	[EGRESS_DROPPED_INTERFACE] = {"dropped_interface", "packets by another interface"},
	[EGRESS_DROPPED_CONFIG] = {"dropped_config", "packets without a tunnel"},
	[EGRESS_REFUSED_DEVICE] = {"refused_device", "calls on sockets bound elsewhere"},
	[EGRESS_REFUSED_GROUP] = {"refused_group", "groups joined elsewhere"},
	[EGRESS_REFUSED_CONFIG] = {"refused_config", "calls without a tunnel"},
};

static const struct output_column stopped_columns[] = {
	{"Stopped by steering", "what"},
	{"Count", "count"},
};

static const struct output_column option_columns[] = {
	{"Option", "name"},
	{"Value", "value"},
};

static const struct output_column interface_columns[] = {
	{"Interface", "name"}, {"Kind", "kind"},	   {"State", "state"},
	{"MTU", "mtu"},	       {"Addresses", "addresses"},
};

static int add_interface(struct netlink *netlink, const struct link_info *info, json_t *rows,
			 struct error *error)
{
	CLEANUP(cidr_list_clear) struct cidr_list addresses = {};
	int code = address_list(netlink, info->index, &addresses, error);

	json_array_append_new(rows,
			      json_pack("{so so ss si so}", "name", output_text(info->name), "kind",
					output_text(*info->kind ? info->kind : "loopback"), "state",
					info->up ? "up" : "down", "mtu", (int)info->mtu,
					"addresses", command_cidrs_json(&addresses)));
	return code;
}

static int add_interfaces(int netns, json_t *rows, struct error *error)
{
	CLEANUP(memory_free) struct link_info *links = NULL;
	CLEANUP(netlink_close) struct netlink netlink = {};
	size_t count = 0;
	int code = netlink_open(NETLINK_ROUTE, netns, &netlink, error);

	if (code < 0)
		return code;
	code = link_list(&netlink, &links, &count, error);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = add_interface(&netlink, &links[i], rows, error);
	return code;
}

static int add_namespace(uint32_t id, json_t *value, struct error *error)
{
	CLEANUP(fd_close) int netns = -1;
	json_t *interfaces = json_array();
	char name[SUBU_ID_TEXT_MAX];
	int code = netns_open(subu_netns(id, name), &netns, error);

	json_object_set_new(value, "interfaces", interfaces);
	if (code < 0)
		return code == -ENOENT ? 0 : code;
	return add_interfaces(netns, interfaces, error);
}

static void add_stopped(const struct egress_status *egress, json_t *value)
{
	json_t *rows = json_array();

	json_object_set_new(value, "stopped", rows);
	for (size_t i = 0; egress->present && i < EGRESS_REASON_COUNT; i++)
		json_array_append_new(rows, json_pack("{ss ss sI}", "reason", reasons[i].key,
						      "what", reasons[i].words, "count",
						      (json_int_t)egress->counters[i]));
}

/* What the kernel says. */
static int add_kernel(uint32_t id, json_t *value, struct error *error)
{
	CLEANUP(subu_state_clear) struct subu_state actual = {};
	int code = observe(id, NULL, 0, &actual, error);

	if (code < 0)
		return code;
	json_object_set_new(value, "steer", json_boolean(subu_state_is_held(&actual)));
	if (actual.present || actual.process_count)
		json_object_set_new(value, "processes",
				    json_integer((json_int_t)actual.process_count));
	add_stopped(&actual.egress, value);
	return add_namespace(id, value, error);
}

static int add_options(struct store *store, uint32_t id, json_t *value, struct error *error)
{
	json_t *rows = json_array();
	char text[OPTION_VALUE_MAX];

	json_object_set_new(value, "options", rows);
	for (size_t i = 0; i < option_count; i++) {
		int code = store_get_option(store, id, &option_table[i], text, error);

		if (code < 0)
			return code;
		json_array_append_new(
			rows, json_pack("{ss ss}", "name", option_table[i].name, "value", text));
	}
	return 0;
}

static int add_tunnel(struct store *store, uint32_t id, json_t *value, struct error *error)
{
	struct subu_link link;
	json_t *tunnel = NULL;
	int code = store_find_link_of_subu(store, id, &link, error);

	if (code == 0)
		code = tunnel_describe(store, link.tunnel, &tunnel, error);
	if (code < 0 && code != -ENOENT)
		return code;
	json_object_set_new(value, "tunnel", tunnel ? tunnel : json_null());
	return 0;
}

static void print(const json_t *value)
{
	const json_t *tunnel = json_object_get(value, "tunnel");

	output_record(value, columns, ARRAY_SIZE(columns));
	putchar('\n');
	if (json_is_object(tunnel)) {
		tunnel_print(tunnel);
		putchar('\n');
	}
	if (json_array_size(json_object_get(value, "stopped"))) {
		output_table(json_object_get(value, "stopped"), stopped_columns,
			     ARRAY_SIZE(stopped_columns));
		putchar('\n');
	}
	output_table(json_object_get(value, "options"), option_columns, ARRAY_SIZE(option_columns));
	putchar('\n');
	output_table(json_object_get(value, "interfaces"), interface_columns,
		     ARRAY_SIZE(interface_columns));
}

int cmd_info(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(output_release) json_t *value = NULL;
	CLEANUP(store_close) struct store *store = NULL;
	char id[SUBU_ID_TEXT_MAX], netns[SUBU_ID_TEXT_MAX];
	struct subu subu;
	int code = command_open(command, STORE_READ, &store, error);

	if (code == 0)
		code = command_find_subu(store, argv[1], &subu, error);
	if (code < 0)
		return code;
	value = json_pack("{ss ss ss ss? ss ss sn}", "subu", subu_id_format(subu.id, id), "owner",
			  subu.owner, "name", subu.name, "account",
			  *subu.account ? subu.account : NULL, "netns", subu_netns(subu.id, netns),
			  "phase", phase_name(subu.phase), "processes");
	code = add_tunnel(store, subu.id, value, error);
	if (code == 0)
		code = add_options(store, subu.id, value, error);
	if (code == 0)
		code = add_kernel(subu.id, value, error);
	if (code < 0)
		return code;
	if (command->json)
		output_json(value);
	else
		print(value);
	return 0;
}
