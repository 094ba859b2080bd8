/* What is plugged into a sub-user, and whether it is on: lo, network, attach, detach, steer, WG up,
 * WG down. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "kernel/netns.h"
#include "kernel/link.h"

static int parse_up(const char *word, bool *ret, struct error *error)
{
	if (strcmp(word, "up") != 0 && strcmp(word, "down") != 0)
		return error_usage(error, "'%.64s' is neither up nor down", word);
	*ret = word[0] == 'u';
	return 0;
}

/* Opens the database for a change of one sub-user and begins the transaction. */
static int open_subu(const struct command *command, const char *words, struct store **store,
		     struct subu *subu, struct error *error)
{
	int code = command_open(command, STORE_WRITE, store, error);

	if (code == 0)
		code = command_find_present(*store, words, subu, error);
	return code < 0 ? code : store_begin(*store, error);
}

/* Answers with the id of what was turned on or off, under its kind. */
static int finish(const struct command *command, struct store *store, uint32_t subu,
		  const char *kind, const char *id, const char *key, bool up, struct error *error)
{
	const struct reconcile reconcile = {.store = store, .dry_run = command->dry_run};
	const char *word = up ? "up" : "down";
	char line[96];

	snprintf(line, sizeof(line), "%s%s%s %s", id, *key ? " " : "", key, word);
	return command_change(command, &reconcile, subu,
			      json_pack("{ss ss}", kind, id, *key ? key : "state", word), line,
			      error);
}

static int finish_subu(const struct command *command, struct store *store, uint32_t subu,
		       const char *key, bool up, struct error *error)
{
	char id[SUBU_ID_TEXT_MAX];

	return finish(command, store, subu, "subu", subu_id_format(subu, id), key, up, error);
}

/* Turns lo on or off, and the tunnel's device with it or not. */
static int set_up(const struct command *command, char **argv, bool with_tunnel, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	struct subu_link link;
	struct subu subu;
	bool up = false;
	int code = parse_up(argv[1], &up, error);

	if (code == 0)
		code = open_subu(command, argv[2], &store, &subu, error);
	if (code < 0)
		return code;
	subu.lo_up = up;
	code = store_update_subu(store, &subu, error);
	if (code == 0 && with_tunnel)
		code = store_find_link_of_subu(store, subu.id, &link, error);
	if (code == 0 && with_tunnel) {
		link.up = up;
		code = store_update_link(store, &link, error);
	}
	if (code < 0 && code != -ENOENT)
		return code;
	return finish_subu(command, store, subu.id, argv[0], up, error);
}

int cmd_lo(struct command *command, int argc, char **argv, struct error *error)
{
	return set_up(command, argv, false, error);
}

int cmd_network(struct command *command, int argc, char **argv, struct error *error)
{
	return set_up(command, argv, true, error);
}

/* A tunnel is in one sub-user at most, and a sub-user has one at most. */
static int check_free(struct store *store, const struct subu *subu, uint32_t tunnel,
		      struct error *error)
{
	struct subu_link link;
	int code = store_find_link_of_subu(store, subu->id, &link, error);

	if (code == 0)
		return error_set(error, EEXIST,
				 "subu_%u has WG_%u attached already: detach it first", subu->id,
				 link.tunnel);
	if (code == -ENOENT)
		code = store_find_link_of_tunnel(store, tunnel, &link, error);
	if (code == 0)
		return error_set(error, EBUSY, "WG_%u is attached to subu_%u: detach it first",
				 tunnel, link.subu);
	return code == -ENOENT ? 0 : code;
}

/* A device of the tunnel's name that no row of ours made is somebody else's. */
static int check_no_device(const struct subu *subu, uint32_t tunnel, struct error *error)
{
	char netns_name[SUBU_ID_TEXT_MAX], device[IFNAMSIZ];
	CLEANUP(fd_close) int netns = -1;
	CLEANUP(netlink_close) struct netlink netlink = {};
	struct link_info info;
	int code = netns_open(subu_netns(subu->id, netns_name), &netns, error);

	if (code < 0)
		return code == -ENOENT ? 0 : code;
	code = netlink_open(NETLINK_ROUTE, netns, &netlink, error);
	if (code < 0)
		return code;
	code = link_find(&netlink, tunnel_device(tunnel, device), &info, error);
	if (code == 0)
		return error_set(error, EEXIST,
				 "%s has a device %s that subu did not make: remove it first",
				 netns_name, device);
	return code == -ENODEV ? 0 : code;
}

static void warn_of_gaps(const struct command *command, const struct tunnel *tunnel)
{
	if (tunnel->device.peer_count == 0 || key_is_zero(&tunnel->device.peers[0].public_key))
		command_warn(command,
			     "WG_%u has no server public key, so nothing flows yet: `subu WG "
			     "server_provided_public_key WG_%u KEY`",
			     tunnel->id, tunnel->id);
	if (tunnel->dns.server_count == 0)
		command_note(command,
			     "note: WG_%u has no DNS, so names do not resolve inside: `subu WG set "
			     "WG_%u dns ADDRESS`",
			     tunnel->id, tunnel->id);
}

/* Who is not steered binds to the device himself, or has the main table. */
static void note_routes(const struct command *command, struct store *store, uint32_t id)
{
	const struct subu_option *option;
	char value[OPTION_VALUE_MAX];
	struct error ignored;

	if (option_find(OPTION_DEFAULT_ROUTE, &option, &ignored) == 0 &&
	    store_get_option(store, id, option, value, &ignored) == 0 && strcmp(value, "on") != 0)
		command_note(
			command,
			"note: commands in subu_%u reach the tunnel only when they bind to its "
			"device themselves, or with `subu option set subu_%u default-route on`",
			id, id);
}

static int attach(const struct command *command, struct store *store, const struct subu *subu,
		  uint32_t tunnel, bool steer, struct error *error)
{
	const struct reconcile reconcile = {.store = store, .dry_run = command->dry_run};
	const struct subu_link link = {
		.subu = subu->id, .tunnel = tunnel, .steer = steer, .phase = PHASE_MAKING};
	char line[96], subu_text[SUBU_ID_TEXT_MAX], tunnel_text[SUBU_ID_TEXT_MAX], device[IFNAMSIZ];
	int code = store_add_link(store, &link, error);

	if (code < 0)
		return code;
	subu_id_format(subu->id, subu_text);
	tunnel_id_format(tunnel, tunnel_text);
	tunnel_device(tunnel, device);
	snprintf(line, sizeof(line), "%s has %s as device %s%s", subu_text, tunnel_text, device,
		 steer ? ", steered" : ", not steered");
	return command_change(command, &reconcile, subu->id,
			      json_pack("{ss ss ss sb}", "subu", subu_text, "tunnel", tunnel_text,
					"device", device, "steer", steer),
			      line, error);
}

/* The word after attach or detach: what is plugged in. Tunnels are all there is. */
static int check_kind(const char *word, struct error *error)
{
	if (strcmp(word, "WG") != 0 && strcmp(word, "wg") != 0)
		return error_usage(error, "'%.64s' cannot be attached: only WG can", word);
	return 0;
}

int cmd_attach(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	CLEANUP(store_close) struct store *store = NULL;
	struct subu subu;
	int code = check_kind(argv[1], error);

	if (code == 0 && argc == 5 && strcmp(argv[4], "--no-steer") != 0)
		code = error_usage(error, "attach has no option '%.64s'", argv[4]);
	if (code == 0)
		code = open_subu(command, argv[2], &store, &subu, error);
	if (code == 0)
		code = command_find_tunnel(store, argv[3], &tunnel, error);
	if (code == 0)
		code = check_free(store, &subu, tunnel.id, error);
	if (code == 0)
		code = check_no_device(&subu, tunnel.id, error);
	if (code == 0)
		code = attach(command, store, &subu, tunnel.id, argc == 4, error);
	if (code == 0 && !command->dry_run) {
		warn_of_gaps(command, &tunnel);
		if (argc == 5)
			note_routes(command, store, subu.id);
	}
	return code;
}

static int find_link(struct store *store, const struct subu *subu, struct subu_link *ret,
		     struct error *error)
{
	int code = store_find_link_of_subu(store, subu->id, ret, error);

	if (code == -ENOENT)
		return error_set(error, ENOENT,
				 "subu_%u has no tunnel attached: `subu attach WG subu_%u WG_M` "
				 "attaches one",
				 subu->id, subu->id);
	return code;
}

static int detach(const struct command *command, struct store *store, struct subu_link *link,
		  struct error *error)
{
	const struct reconcile reconcile = {.store = store, .dry_run = command->dry_run};
	char line[96], subu_text[SUBU_ID_TEXT_MAX], tunnel_text[SUBU_ID_TEXT_MAX];
	int code;

	link->phase = PHASE_REMOVING;
	code = store_update_link(store, link, error);
	if (code < 0)
		return code;
	subu_id_format(link->subu, subu_text);
	tunnel_id_format(link->tunnel, tunnel_text);
	snprintf(line, sizeof(line), "%s has no tunnel; %s is kept", subu_text, tunnel_text);
	return command_change(
		command, &reconcile, link->subu,
		json_pack("{ss sn ss}", "subu", subu_text, "tunnel", "detached", tunnel_text), line,
		error);
}

int cmd_detach(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	struct subu_link link;
	struct subu subu;
	uint32_t tunnel;
	int code = check_kind(argv[1], error);

	if (code == 0 && argc == 4)
		code = name_parse_tunnel(argv[3], &tunnel, error);
	if (code == 0)
		code = open_subu(command, argv[2], &store, &subu, error);
	if (code < 0)
		return code;
	code = find_link(store, &subu, &link, error);
	if (code < 0)
		return code;
	if (argc == 4 && tunnel != link.tunnel)
		return error_set(error, ENOENT, "subu_%u has WG_%u attached, not WG_%u", subu.id,
				 link.tunnel, tunnel);
	return detach(command, store, &link, error);
}

int cmd_steer(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	struct reconcile reconcile = {.dry_run = command->dry_run};
	bool enable = strcmp(argv[1], "enable") == 0;
	char line[96], id[SUBU_ID_TEXT_MAX];
	struct subu_link link;
	struct subu subu;
	int code;

	if (!enable && strcmp(argv[1], "disable") != 0)
		return error_usage(error, "'%.64s' is neither enable nor disable", argv[1]);
	code = open_subu(command, argv[2], &store, &subu, error);
	if (code == 0)
		code = find_link(store, &subu, &link, error);
	if (code < 0)
		return code;
	link.steer = enable;
	code = store_update_link(store, &link, error);
	if (code < 0)
		return code;
	reconcile.store = store;
	snprintf(line, sizeof(line), "%s %s", subu_id_format(subu.id, id),
		 enable ? "is steered" : "is not steered");
	code = command_change(command, &reconcile, subu.id,
			      json_pack("{ss sb}", "subu", id, "steer", enable), line, error);
	if (code == 0 && !enable && !command->dry_run)
		note_routes(command, store, subu.id);
	return code;
}

/* The link of a tunnel, fully made. */
static int find_present_link(struct store *store, uint32_t tunnel, struct subu_link *ret,
			     struct error *error)
{
	int code = store_find_link_of_tunnel(store, tunnel, ret, error);

	if (code == -ENOENT)
		return error_set(error, ENOENT,
				 "WG_%u is not attached: `subu attach WG SUBU WG_%u` first", tunnel,
				 tunnel);
	if (code == 0 && ret->phase != PHASE_PRESENT)
		return error_set(error, EBUSY, "WG_%u is half %s: run `subu reconcile subu_%u`",
				 tunnel, ret->phase == PHASE_MAKING ? "attached" : "detached",
				 ret->subu);
	return code;
}

static void warn_of_lo(const struct command *command, struct store *store, uint32_t id)
{
	const struct name_reference reference = {.by_id = true, .id = id};
	struct error ignored;
	struct subu subu;

	if (store_find_subu(store, &reference, &subu, &ignored) == 0 && !subu.lo_up)
		command_warn(command, "lo is down in subu_%u: `subu lo up subu_%u`", id, id);
}

/* WG up, WG down: the verb is the word. */
int cmd_tunnel_up(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	char text[SUBU_ID_TEXT_MAX];
	struct subu_link link;
	uint32_t id;
	int code = name_parse_tunnel(argv[1], &id, error);

	if (code == 0)
		code = command_open(command, STORE_WRITE, &store, error);
	if (code == 0)
		code = find_present_link(store, id, &link, error);
	if (code == 0)
		code = parse_up(argv[0], &link.up, error);
	if (code == 0)
		code = store_begin(store, error);
	if (code == 0)
		code = store_update_link(store, &link, error);
	if (code == 0)
		code = finish(command, store, link.subu, "tunnel", tunnel_id_format(id, text), "",
			      link.up, error);
	if (code == 0 && link.up && !command->dry_run)
		warn_of_lo(command, store, link.subu);
	return code;
}
