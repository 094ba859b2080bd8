/* run */
#include "cmd/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "reconcile/desired.h"
#include "reconcile/plan.h"
#include "run/folders.h"
#include "run/profile.h"
#include "run/session.h"
#include "wireguard/conf.h"

/* run [--profile NAME | --config FILE] [--root] [--linger] [--] CMD [ARG…] */
struct words {
	const char *profile, *config;
	bool root, linger;
	char **command;
};

static int take_option(int argc, char **argv, int *at, struct words *words, struct error *error)
{
	const char *word = argv[*at];
	const char **value = strcmp(word, "--profile") == 0  ? &words->profile
			     : strcmp(word, "--config") == 0 ? &words->config
							     : NULL;

	(*at)++;
	if (strncmp(word, "--profile=", 10) == 0)
		words->profile = word + 10;
	else if (strncmp(word, "--config=", 9) == 0)
		words->config = word + 9;
	else if (strcmp(word, "--root") == 0)
		words->root = true;
	else if (strcmp(word, "--linger") == 0)
		words->linger = true;
	else if (!value)
		return error_usage(error,
				   "run has no option '%.64s': --profile NAME, --config FILE, "
				   "--root and --linger it has",
				   word);
	else if (*at >= argc)
		return error_usage(error, "%s wants a %s after it", word,
				   value == &words->config ? "file" : "name");
	else
		*value = argv[(*at)++];
	return 0;
}

static int parse(int argc, char **argv, struct words *ret, struct error *error)
{
	struct words words = {};
	int at = 1, code = 0;

	while (code == 0 && at < argc && argv[at][0] == '-' && strcmp(argv[at], "--") != 0)
		code = take_option(argc, argv, &at, &words, error);
	if (code < 0)
		return code;
	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	if (at >= argc)
		return error_usage(error,
				   "usage: subu run [--profile NAME | --config FILE] "
				   "[--root] [--linger] -- CMD [ARG...]");
	if (words.profile && words.config)
		return error_usage(error,
				   "a profile and a file at once: one tunnel for one command");
	words.command = argv + at;
	*ret = words;
	return 0;
}

/* Who names none means the only one there is. */
static int choose_profile(struct words *words, char name[static NAME_SIZE], struct error *error)
{
	CLEANUP(memory_free) char(*names)[NAME_SIZE] = NULL;
	size_t count;
	int code;

	if (words->profile || words->config)
		return 0;
	code = profile_list(&names, &count, error);
	if (code < 0)
		return code;
	if (count == 0)
		return error_usage(error,
				   "through which tunnel? --config FILE names a WireGuard .conf; "
				   "`subu profile import FILE` keeps one");
	if (count > 1)
		return error_usage(error,
				   "through which tunnel? there are %zu profiles: --profile NAME, "
				   "see `subu profile list`",
				   count);
	memcpy(name, names[0], NAME_SIZE);
	words->profile = name;
	return 0;
}

static void warn_of_ended(void *data, const char *name, const char *reason)
{
	command_warn(data, "the tunnel %s had ended by itself: %s", name, reason);
}

struct registry_listener run_listener(const struct command *command)
{
	return (struct registry_listener){.ended = warn_of_ended, .data = (void *)command};
}

int run_load(const struct command *command, const char *profile, const char *config,
	     struct tunnel *ret, struct error *error)
{
	unsigned int ignored;
	int code = profile ? profile_load(profile, ret, &ignored, error)
			   : conf_read(config, ret, &ignored, error);

	if (code < 0)
		return code;
	command_warn_ignored(command, profile ? profile : config, ignored);
	return 0;
}

void run_say_plan(const struct command *command, const char *name, struct tunnel *tunnel)
{
	const struct subu_state nothing = {.ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0};
	CLEANUP(subu_state_clear) struct subu_state desired = {};
	CLEANUP(plan_clear) struct plan plan = {};

	desired_own(tunnel, start_backend(), &desired);
	plan_make(&desired, &nothing, &plan);
	plan.netns = name;
	command_say_plan(command, &plan);
}

static void forget_tunnel(struct tunnel *tunnel)
{
	tunnel_clear(tunnel);
}

/* A tunnel that is there to be joined, or one made for this command. */
struct way {
	struct dns dns;
	struct started started; /* what was made; supervisor 0: it was there */
	struct registry registry;
	struct record record; /* owned */
};

static void way_clear(struct way *way)
{
	started_clear(&way->started);
	record_clear(&way->record);
}

/* Joins the profile's tunnel when it is up. Returns 1 then, 0 when it is not. */
static int find_way(const struct command *command, const struct words *words, struct way *way,
		    struct error *error)
{
	const struct registry_listener listener = run_listener(command);
	CLEANUP(registry_close) struct registry registry = REGISTRY_NONE;
	int code;

	if (!words->profile)
		return 0;
	code = registry_open(&listener, &registry, error);
	if (code < 0)
		return code;
	memcpy(way->registry.folder, registry.folder, sizeof(registry.folder));
	code = registry_find(&registry, words->profile, &way->record, error);
	if (code == 0 && way->record.anchor.pid)
		return 1;
	record_clear(&way->record);
	return 0;
}

static int make_way(const struct command *command, const struct words *words, struct tunnel *tunnel,
		    struct way *way, struct error *error)
{
	char name[RECORD_NAME_MAX];
	const struct start start = {.name = name,
				    .profile = words->profile ? words->profile : "",
				    .listener = run_listener(command)};
	struct record *record = &way->started.record;
	int code;

	snprintf(name, sizeof(name), "run@%d", getpid());
	code = start_tunnel(&start, tunnel, &way->started, error);
	if (code < 0)
		return code;
	memcpy(way->registry.folder, way->started.registry.folder, sizeof(way->registry.folder));
	way->record = *record;
	*record = (struct record){};
	return 0;
}

static void say_dry_run(const struct command *command, const struct words *words, bool joins,
			struct tunnel *tunnel)
{
	CLEANUP(memory_free) char *sentence = NULL;

	if (!joins) {
		run_say_plan(command, words->profile ? words->profile : "run", tunnel);
		return;
	}
	sentence = memory_format("join the tunnel %s, which is up", words->profile);
	command_would(command, json_object(), sentence);
}

struct lost {
	const struct command *command;
	const struct way *way;
};

static void warn_of_lost(void *data)
{
	const struct lost *lost = data;
	char reason[sizeof((struct error){}.text)];

	registry_read_reason(&lost->way->registry, lost->way->record.name, reason, sizeof(reason));
	command_warn(lost->command, "the tunnel has ended, and the command has no network now: %s",
		     *reason ? reason : "its supervisor was told to end, or was killed");
}

static int choose_identity(const struct words *words, struct account *account,
			   struct enter_identity *ret, struct error *error)
{
	int code;

	if (!start_has_rights()) {
		*ret = (struct enter_identity){.uid = words->root ? 0 : geteuid(),
					       .gid = words->root ? 0 : getegid()};
		return 0;
	}
	code = account_find(words->root ? "root" : NULL, account, error);
	if (code == 0)
		*ret = (struct enter_identity){.account = account};
	return code;
}

static int run_inside(struct command *command, const struct words *words, struct way *way,
		      const struct enter_identity *identity, struct error *error)
{
	char runtime[PATH_MAX], config[PATH_MAX];
	const char *const covers[] = {runtime, config, NULL};
	struct lost lost = {.command = command, .way = way};
	const struct session session = {
		.anchor = way->record.anchor,
		.supervisor = way->record.supervisor,
		.alone = !identity->account,
		.dns = &way->dns,
		.covers = covers,
		.identity = *identity,
		.argv = words->command,
		.linger = words->linger,
		.leash = way->started.leash,
		.lost = warn_of_lost,
		.data = &lost,
	};
	struct session_end end = {};
	int code = folders_runtime_path(runtime, error);

	if (code == 0)
		code = folders_config_path(config, error);
	if (code == 0)
		code = session_run(&session, &end, error);
	command->done = command->status = end.status;
	if (way->started.supervisor && !end.left)
		start_end(&way->started);
	return code;
}

/* Who asked for root, or came by sudo, knows. */
static void warn_of_root(const struct command *command, const struct words *words)
{
	if (!words->root && geteuid() == 0 && start_has_rights() && !getenv("SUDO_UID") &&
	    isatty(STDERR_FILENO))
		command_warn(command,
			     "the command runs as root, which owns the files of this "
			     "machine: run needs no root, try it as an ordinary user");
}

int cmd_run(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(way_clear)
	struct way way = {.started = STARTED_NONE, .registry = REGISTRY_NONE};
	CLEANUP(forget_tunnel) struct tunnel tunnel = {};
	CLEANUP(account_clear) struct account account = {};
	char name[NAME_SIZE];
	struct enter_identity identity;
	struct words words = {};
	int code;

	if (parse(argc, argv, &words, error) < 0 || choose_profile(&words, name, error) < 0 ||
	    run_load(command, words.profile, words.config, &tunnel, error) < 0 ||
	    enter_check_descriptors("run", error) < 0)
		return -error->code;
	way.dns = tunnel.dns;
	code = choose_identity(&words, &account, &identity, error);
	if (code == 0)
		code = find_way(command, &words, &way, error);
	if (code >= 0 && command->dry_run) {
		say_dry_run(command, &words, code > 0, &tunnel);
		return 0;
	}
	if (code == 0)
		code = make_way(command, &words, &tunnel, &way, error);
	tunnel_clear(&tunnel);
	if (code < 0)
		return code;
	warn_of_root(command, &words);
	if (!way.dns.server_count)
		command_note(command,
			     "the .conf names no DNS server: no names are resolved inside");
	return run_inside(command, &words, &way, &identity, error);
}
