/* create, remove, list: the life of a sub-user. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "enter/account.h"
#include "kernel/netns.h"
#include "reconcile/inmates.h"
#include "reconcile/observe.h"

static int check_account(const char *account, struct subu *subu, struct error *error)
{
	int code = account_exists(account, error);

	if (code < 0)
		return code;
	if (strlen(account) >= sizeof(subu->account))
		return error_usage(error, "the account's name is longer than %zu characters",
				   sizeof(subu->account) - 1);
	strcpy(subu->account, account);
	return 0;
}

static int parse_create(int argc, char **argv, struct subu *subu, struct error *error)
{
	int code = name_check("owner", argv[1], error);

	if (code == 0)
		code = name_check("sub-user", argv[2], error);
	if (code < 0)
		return code;
	strcpy(subu->owner, argv[1]);
	strcpy(subu->name, argv[2]);
	if (argc == 3)
		return 0;
	if (argc != 5 || strcmp(argv[3], "--user") != 0)
		return error_usage(error, "usage: subu create OWNER NAME [--user ACCOUNT]");
	return check_account(argv[4], subu, error);
}

/* A namespace of the new id that no row of ours names is somebody else's. */
static int check_no_netns(uint32_t id, struct error *error)
{
	char name[SUBU_ID_TEXT_MAX];
	CLEANUP(fd_close) int fd = -1;
	int code = netns_open(subu_netns(id, name), &fd, error);

	if (code == 0)
		return error_set(
			error, EEXIST,
			"there is a namespace %s that this database did not make: remove it "
			"first (`ip netns del %s`)",
			name, name);
	return code == -ENOENT ? 0 : code;
}

int cmd_create(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	struct reconcile reconcile = {.dry_run = command->dry_run};
	struct subu subu = {.phase = PHASE_MAKING};
	char line[160], id[SUBU_ID_TEXT_MAX], netns[SUBU_ID_TEXT_MAX];
	int code = parse_create(argc, argv, &subu, error);

	if (code == 0)
		code = command_open(command, STORE_WRITE, &store, error);
	if (code == 0)
		code = store_begin(store, error);
	if (code == 0)
		code = store_add_subu(store, &subu, error);
	if (code == 0)
		code = check_no_netns(subu.id, error);
	if (code < 0)
		return code;
	subu_id_format(subu.id, id);
	subu_netns(subu.id, netns);
	snprintf(line, sizeof(line), "%s is %s:%s, namespace %s", id, subu.owner, subu.name, netns);
	reconcile.store = store;
	return command_change(command, &reconcile, subu.id,
			      json_pack("{ss ss ss ss}", "subu", id, "owner", subu.owner, "name",
					subu.name, "netns", netns),
			      line, error);
}

/* Names the processes that keep a sub-user from being removed. */
static int check_empty(uint32_t id, struct error *error)
{
	CLEANUP(memory_free) struct inmate *inmates = NULL;
	char list[128] = "";
	size_t count = 0;
	int code = inmates_list(id, &inmates, &count, error);

	if (code < 0 || count == 0)
		return code;
	for (size_t i = 0; i < count && i < 8; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%d", i ? ", " : "",
			 inmates[i].pid);
	return error_set(
		error, EBUSY,
		"%zu process%s running inside subu_%u (pid %s%s): end %s, or remove it with "
		"--force",
		count, count == 1 ? " is" : "es are", id, list, count > 8 ? ", ..." : "",
		count == 1 ? "it" : "them");
}

static int mark_removing(struct store *store, struct subu *subu, struct error *error)
{
	struct subu_link link;
	int code = store_find_link_of_subu(store, subu->id, &link, error);

	if (code == 0) {
		link.phase = PHASE_REMOVING;
		code = store_update_link(store, &link, error);
	}
	if (code < 0 && code != -ENOENT)
		return code;
	subu->phase = PHASE_REMOVING;
	return store_update_subu(store, subu, error);
}

int cmd_remove(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	struct reconcile reconcile = {.dry_run = command->dry_run, .unchanged = true};
	struct subu subu;
	char line[96], id[SUBU_ID_TEXT_MAX];
	bool force = argc > 1 && strcmp(argv[1], "--force") == 0;
	int code;

	if (argc == 3 && !force && strcmp(argv[2], "--force") != 0)
		return error_usage(error, "remove has no option '%.64s': only --force", argv[2]);
	if (argc == 2 && force)
		return error_usage(error, "usage: subu remove SUBU [--force]");
	code = command_open(command, STORE_WRITE, &store, error);
	if (code == 0)
		code = command_find_subu(store, argv[force ? 2 : 1], &subu, error);
	if (code == 0 && argc == 2)
		code = check_empty(subu.id, error);
	if (code == 0)
		code = store_begin(store, error);
	if (code == 0)
		code = mark_removing(store, &subu, error);
	if (code < 0)
		return code;
	reconcile.store = store;
	snprintf(line, sizeof(line), "%s is gone", subu_id_format(subu.id, id));
	return command_change(command, &reconcile, subu.id, json_pack("{ss}", "removed", id), line,
			      error);
}

static const struct output_column list_columns[] = {
	{"Subu_ID", "subu"},	    {"Owner", "owner"},	  {"Name", "name"},    {"NetNS", "netns"},
	{"WG_Attached?", "tunnel"}, {"Up/Down", "state"}, {"Steer?", "steer"},
};

/* "up" when everything the sub-user has is up, "down" when something is not, "missing" when its
 * namespace or its device is not there. */
static const char *state_word(const struct subu_state *actual)
{
	if (!actual->present)
		return "missing";
	for (size_t i = 0; i < actual->link_count; i++) {
		if (!actual->links[i].device || !actual->links[i].running)
			return "missing";
		if (!actual->links[i].up)
			return "down";
	}
	return actual->lo_up ? "up" : "down";
}

static int list_row(struct store *store, const struct subu *subu, json_t *rows, struct error *error)
{
	CLEANUP(subu_state_clear) struct subu_state actual = {};
	char id[SUBU_ID_TEXT_MAX], netns[SUBU_ID_TEXT_MAX], tunnel[SUBU_ID_TEXT_MAX];
	struct subu_link link;
	int linked = store_find_link_of_subu(store, subu->id, &link, error);
	int code;

	if (linked < 0 && linked != -ENOENT)
		return linked;
	code = observe(subu->id, &link.tunnel, linked == 0, &actual, error);
	if (code < 0)
		return code;
	json_array_append_new(
		rows, json_pack("{ss ss ss ss ss? ss ss sb}", "subu", subu_id_format(subu->id, id),
				"owner", subu->owner, "name", subu->name, "netns",
				subu_netns(subu->id, netns), "tunnel",
				linked == 0 ? tunnel_id_format(link.tunnel, tunnel) : NULL, "state",
				state_word(&actual), "phase", phase_name(subu->phase), "steer",
				subu_state_is_held(&actual)));
	return 0;
}

int cmd_list(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(output_release) json_t *rows = json_array();
	CLEANUP(store_close) struct store *store = NULL;
	CLEANUP(memory_free) struct subu *subus = NULL;
	size_t count = 0;
	int code = command_open(command, STORE_READ, &store, error);

	if (code == 0)
		code = store_list_subus(store, &subus, &count, error);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = list_row(store, &subus[i], rows, error);
	if (code < 0)
		return code;
	if (command->json)
		output_json(rows);
	else
		output_table(rows, list_columns, ARRAY_SIZE(list_columns));
	return 0;
}
