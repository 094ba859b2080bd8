/* info: the full record of a sub-user, as the database has it and as the kernel does. */
#include <errno.h>
#include <stdio.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/tunnel.h"
#include "kernel/address.h"
#include "kernel/link.h"
#include "kernel/netns.h"

static const struct output_column columns[] = {
	{"Subu_ID", "subu"}, {"Owner", "owner"},
	{"Name", "name"},    {"Account", "account"},
	{"NetNS", "netns"},  {"Phase", "phase"},
	{"Steer?", "steer"}, {"Processes inside", "processes"},
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

/* What the kernel says of the namespace; nothing is added when it is not there. */
static int add_kernel(uint32_t id, json_t *value, struct error *error)
{
	CLEANUP(memory_free) pid_t *pids = NULL;
	CLEANUP(fd_close) int netns = -1;
	json_t *interfaces = json_array();
	char name[SUBU_ID_TEXT_MAX];
	size_t count = 0;
	int code = netns_open(subu_netns(id, name), &netns, error);

	json_object_set_new(value, "interfaces", interfaces);
	if (code < 0)
		return code == -ENOENT ? 0 : code;
	code = netns_processes(netns, &pids, &count, error);
	if (code < 0)
		return code;
	json_object_set_new(value, "processes", json_integer((json_int_t)count));
	return add_interfaces(netns, interfaces, error);
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
	value = json_pack("{ss ss ss ss? ss ss sb sn}", "subu", subu_id_format(subu.id, id),
			  "owner", subu.owner, "name", subu.name, "account",
			  *subu.account ? subu.account : NULL, "netns", subu_netns(subu.id, netns),
			  "phase", phase_name(subu.phase), "steer", 0, "processes");
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
