/* doctor: what is missing, left over, or could leak. It looks and never mends: `reconcile` does. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/inside.h"
#include "cmd/probe.h"
#include "egress/pin.h"
#include "kernel/cgroup.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "reconcile/inmates.h"

#define NETNS_FOLDER "/run/netns"

/* What an engine has in the file system while it runs. */
static const struct {
	const char *folder, *suffix;
} engine_files[] = {
	{"/run/wireguard", ".sock"},
	{"/run/subu", ".pid"},
	{"/run/subu", ".log"},
};

static const struct output_column columns[] = {
	{"About", "about"},
	{"Finding", "finding"},
};

/* What was found so far: an array of {about, finding}. */
struct findings {
	json_t *array;
	const char *about; /* what is being looked at */
};

static void find(struct findings *findings, const char *about, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void find(struct findings *findings, const char *about, const char *format, ...)
{
	char text[sizeof(((struct error *)NULL)->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(findings->array, json_pack("{so so}", "about", output_text(about),
							 "finding", output_text(text)));
}

static void find_unresolved(void *data, const char *sentence)
{
	struct findings *findings = data;

	find(findings, findings->about, "%s", sentence);
}

/* Interfaces that are not subu's: what leaves by one of them does not go through the tunnel. */
static int check_interfaces(struct findings *findings, uint32_t id, struct error *error)
{
	CLEANUP(memory_free) struct link_info *links = NULL;
	CLEANUP(fd_close) int netns = -1;
	char name[SUBU_ID_TEXT_MAX];
	CLEANUP(netlink_close) struct netlink netlink = {};
	size_t count = 0;
	uint32_t tunnel;
	int code = netns_open(subu_netns(id, name), &netns, error);

	if (code < 0)
		return code == -ENOENT ? 0 : code;
	code = netlink_open(NETLINK_ROUTE, netns, &netlink, error);
	if (code < 0)
		return code;
	code = link_list(&netlink, &links, &count, error);
	for (size_t i = 0; code == 0 && i < count; i++)
		if (strcmp(links[i].name, "lo") != 0 && !tunnel_of_device(links[i].name, &tunnel) &&
		    links[i].up)
			find(findings, findings->about,
			     "could leak: the interface %s is not subu's, and what leaves by it "
			     "does not go through the tunnel",
			     links[i].name);
	return code;
}

static int check_tunnel(struct findings *findings, struct store *store, uint32_t subu,
			struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	struct subu_link link;
	int code = store_find_link_of_subu(store, subu, &link, error);

	if (code == -ENOENT)
		return 0;
	if (code == 0)
		code = store_find_tunnel(store, link.tunnel, &tunnel, error);
	if (code < 0)
		return code;
	for (size_t i = 0; i < tunnel.device.peer_count; i++)
		if (key_is_zero(&tunnel.device.peers[i].public_key))
			find(findings, findings->about, "missing: WG_%u has no server public key",
			     tunnel.id);
	if (!link.steer)
		find(findings, findings->about,
		     "could leak: it is not steered, so only its namespace holds it: `subu steer "
		     "enable subu_%u`",
		     subu);
	if (link.phase != PHASE_PRESENT)
		find(findings, findings->about, "half done: WG_%u is %s", tunnel.id,
		     phase_name(link.phase));
	return 0;
}

/* Forced egress holds who is in the control group; whoever came by another door than exec is not. */
static int check_inmates(struct findings *findings, uint32_t id, struct error *error)
{
	CLEANUP(memory_free) struct inmate *inmates = NULL;
	size_t count = 0;
	int code = inmates_list(id, &inmates, &count, error);

	for (size_t i = 0; code == 0 && i < count; i++)
		if (!inmates[i].in_cgroup)
			find(findings, findings->about,
			     "could leak: process %d is in its namespace, but was not started by "
			     "`subu exec` and is not steered",
			     inmates[i].pid);
	return code;
}

static int check_subu(struct findings *findings, struct store *store, const struct subu *subu,
		      struct error *error)
{
	const struct reconcile reconcile = {
		.store = store,
		.endpoints = ENDPOINT_RENEW,
		.listener = {.unresolved = find_unresolved, .data = findings},
	};
	CLEANUP(plan_clear) struct plan plan = {};
	char about[SUBU_ID_TEXT_MAX], words[OPERATION_TEXT_MAX];
	int code;

	findings->about = subu_id_format(subu->id, about);
	if (subu->phase != PHASE_PRESENT)
		find(findings, findings->about, "half done: it is %s", phase_name(subu->phase));
	code = reconcile_look(&reconcile, subu->id, &plan, error);
	for (size_t i = 0; code == 0 && i < plan.count; i++)
		find(findings, findings->about, "kernel and database differ: reconcile would %s",
		     operation_format(&plan, &plan.operations[i], words));
	if (code == 0)
		code = check_tunnel(findings, store, subu->id, error);
	if (code == 0)
		code = check_interfaces(findings, subu->id, error);
	if (code == 0)
		code = check_inmates(findings, subu->id, error);
	return code;
}

/* The number in "<prefix><number><suffix>". */
static bool parse_id(const char *name, const char *prefix, const char *suffix, uint32_t *ret)
{
	size_t length = strlen(name), after = strlen(suffix);
	CLEANUP(memory_free) char *stem = memory_strdup(name);

	if (length < after || strcmp(name + length - after, suffix) != 0)
		return false;
	stem[length - after] = '\0';
	return name_has_id(stem, prefix, ret);
}

/* Reports the entries of a folder that are named like ours and that no row names. */
static int check_left_over(struct findings *findings, struct store *store, const char *path,
			   const char *prefix, const char *suffix,
			   bool (*has_row)(struct store *store, uint32_t id), struct error *error)
{
	CLEANUP(folder_close) DIR *folder = opendir(path);
	const struct dirent *entry;
	uint32_t id;

	if (!folder && errno == ENOENT)
		return 0;
	if (!folder)
		return error_errno(error, "cannot look into %s", path);
	while (errno = 0, (entry = readdir(folder)))
		if (parse_id(entry->d_name, prefix, suffix, &id) && !has_row(store, id))
			find(findings, entry->d_name, "left over: %s/%s is not in this database",
			     path, entry->d_name);
	return errno ? error_errno(error, "cannot read %s", path) : 0;
}

static bool has_subu(struct store *store, uint32_t id)
{
	const struct name_reference reference = {.by_id = true, .id = id};
	struct error ignored;
	struct subu subu;

	return store_find_subu(store, &reference, &subu, &ignored) == 0;
}

static bool has_link(struct store *store, uint32_t id)
{
	struct subu_link link;
	struct error ignored;

	return store_find_link_of_tunnel(store, id, &link, &ignored) == 0;
}

static int check_left_over_groups(struct findings *findings, struct store *store,
				  struct error *error)
{
	CLEANUP(memory_free) char *path = NULL;
	int code = cgroup_path("subu", &path, error);

	if (code < 0)
		return code == -EOPNOTSUPP ? 0 : code;
	return check_left_over(findings, store, path, "subu_", "", has_subu, error);
}

static int check_all(struct findings *findings, struct store *store, struct error *error)
{
	CLEANUP(memory_free) struct subu *subus = NULL;
	size_t count = 0;
	int code = store_list_subus(store, &subus, &count, error);

	for (size_t i = 0; code == 0 && i < count; i++)
		code = check_subu(findings, store, &subus[i], error);
	if (code == 0)
		code = check_left_over(findings, store, NETNS_FOLDER, "ns-subu_", "", has_subu,
				       error);
	if (code == 0)
		code = check_left_over(findings, store, PIN_FOLDER, "subu_", "", has_subu, error);
	if (code == 0)
		code = check_left_over_groups(findings, store, error);
	for (size_t i = 0; code == 0 && i < ARRAY_SIZE(engine_files); i++)
		code = check_left_over(findings, store, engine_files[i].folder, "subu_",
				       engine_files[i].suffix, has_link, error);
	return code;
}

/* The ways out, tried from inside. That takes as long as others like, so nobody waits for the
 * database meanwhile. */
static int check_ways(const struct command *command, struct findings *findings,
		      const struct inside *inside, json_t *ways, struct error *error)
{
	bool progress = !command->quiet && !command->json && isatty(STDERR_FILENO);
	struct enter enter = inside_enter(inside, NULL);
	char device[IFNAMSIZ] = "";
	json_t *way;
	size_t i;
	int code;

	if (inside->linked)
		tunnel_device(inside->link.tunnel, device);
	code = probe_inside(&enter, device, progress, ways, error);
	json_array_foreach(ways, i, way)
	{
		const char *complaint = probe_complaint(way);

		if (complaint)
			find(findings, findings->about, "%s: %s: %s", complaint,
			     json_string_value(json_object_get(way, "way")),
			     json_string_value(json_object_get(way, "detail")));
	}
	return code;
}

static int check_one(const struct command *command, struct findings *findings, const char *words,
		     struct store **store, json_t *ways, struct error *error)
{
	CLEANUP(inside_clear) struct inside inside = {.cgroup = -1};
	char about[SUBU_ID_TEXT_MAX];
	struct subu subu;
	int code = command_find_subu(*store, words, &subu, error);

	if (code == 0)
		code = check_subu(findings, *store, &subu, error);
	if (code < 0)
		return code;
	findings->about = subu_id_format(subu.id, about);
	if (inside_find(*store, &subu, &inside, error) < 0) {
		find(findings, findings->about, "the ways out cannot be tried: %s", error->text);
		return 0;
	}
	store_close(store);
	return check_ways(command, findings, &inside, ways, error);
}

static void print(const json_t *findings, const json_t *ways, bool quiet)
{
	if (ways && !quiet) {
		probe_print(ways);
		putchar('\n');
	}
	if (json_array_size(findings))
		output_table(findings, columns, ARRAY_SIZE(columns));
	else if (!quiet)
		puts("all is well");
}

static int answer(const struct command *command, json_t *findings, json_t *ways,
		  struct error *error)
{
	size_t count = json_array_size(findings);
	CLEANUP(output_release)
	json_t *value =
		json_pack("{sb sO sO*}", "well", count == 0, "findings", findings, "ways", ways);

	if (command->json)
		output_json(value);
	else
		print(findings, ways, command->quiet);
	if (count == 0)
		return 0;
	return error_set(error, EUCLEAN, "doctor found %zu thing%s", count, count == 1 ? "" : "s");
}

int cmd_doctor(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(output_release) json_t *array = json_array();
	CLEANUP(output_release) json_t *ways = argc == 2 ? json_array() : NULL;
	CLEANUP(store_close) struct store *store = NULL;
	struct findings findings = {.array = array};
	int code = command_open(command, STORE_READ, &store, error);

	if (code < 0)
		return code;
	code = argc == 2 ? check_one(command, &findings, argv[1], &store, ways, error)
			 : check_all(&findings, store, error);
	return code < 0 ? code : answer(command, array, ways, error);
}
