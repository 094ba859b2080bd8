/* run */
#include "cmd/run.h"

#include <errno.h>
#include <signal.h>
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

static void warn_of_same_key(void *data, const char *name)
{
	command_warn(data,
		     "the tunnel %s, which is up, has the same key: the server hears the one that "
		     "spoke last, and the other is cut off",
		     name);
}

static void say_waiting(void *data, const char *folder)
{
	if (isatty(STDERR_FILENO))
		command_note(data, "waiting for another subu to be done with %s", folder);
}

void run_say_waiting(const struct command *command, const char *line)
{
	if (command->quiet || !isatty(STDERR_FILENO))
		return;
	if (line)
		fprintf(stderr, "subu: %s ...", line);
	else
		fputs("\r\033[K", stderr);
}

void run_say_resolving(void *data, const char *host)
{
	CLEANUP(memory_free) char *line = host ? memory_format("asking where %s is", host) : NULL;

	run_say_waiting(data, line);
}

struct registry_listener run_listener(const struct command *command)
{
	return (struct registry_listener){.ended = warn_of_ended,
					  .same_key = warn_of_same_key,
					  .waiting = say_waiting,
					  .data = (void *)command};
}

int run_load(const struct command *command, const char *profile, const char *config,
	     struct tunnel *ret, struct error *error)
{
	unsigned int ignored;
	int code = profile ? profile_load(profile, ret, &ignored, error)
			   : conf_read(config, ret, &ignored, error);

	if (code == 0 && config)
		code = conf_check(config, ret, error);
	if (code < 0)
		return code;
	command_warn_ignored(command, profile ? profile : config, ignored);
	return 0;
}

int run_say_plan(const struct command *command, const char *name, struct tunnel *tunnel,
		 struct error *error)
{
	const struct subu_state nothing = {.ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0};
	CLEANUP(subu_state_clear) struct subu_state desired = {};
	CLEANUP(plan_clear) struct plan plan = {};
	struct key public_key;
	int code = tunnel_check_peers(tunnel, &public_key, error);

	if (code < 0)
		return code;
	desired_own(tunnel, start_backend(), &desired);
	plan_make(&desired, &nothing, &plan);
	plan.netns = name;
	command_say_plan(command, &plan);
	return 0;
}

static int find_source(const struct words *words, char **ret, struct error *error)
{
	char path[PATH_MAX];
	int code = words->profile ? profile_path(words->profile, path, error) : 0;

	/* The tunnel of a profile that was deleted meanwhile has its name. */
	if (code < 0 && code != -ENOENT)
		return code;
	*ret = code < 0 ? NULL : start_source(words->profile ? path : words->config);
	if (!*ret)
		*ret = memory_strdup("");
	return 0;
}

static void say_join(const struct command *command, const struct started *started)
{
	CLEANUP(memory_free)
	char *sentence = memory_format("join the tunnel %s, which is up", started->record.name);

	command_would(command, json_object(), sentence);
}

/* With --dry-run it says what would be made of it, and returns 1. */
static int load(const struct command *command, const struct words *words, struct tunnel *ret,
		struct error *error)
{
	int code = run_load(command, words->profile, words->config, ret, error);

	if (code < 0 || !command->dry_run)
		return code;
	code = run_say_plan(command, words->profile ? words->profile : "run", ret, error);
	return code < 0 ? code : 1;
}

/* Joins the tunnel of the same profile or file, or makes one. Meanwhile another may make it, to be
 * joined, or end it. The number of this process may be another's in another process namespace, or
 * that of one whose tunnel lingers. With --dry-run it says which and returns 1. */
static int find_way(const struct command *command, const struct words *words,
		    struct started *started, struct error *error)
{
	CLEANUP(memory_free) char *source = NULL;
	char name[RECORD_NAME_MAX];
	struct start start = {.name = name,
			      .profile = words->profile ? words->profile : "",
			      .listener = run_listener(command),
			      .resolving = run_say_resolving};
	unsigned int taken = 0;
	int joined, code = find_source(words, &source, error);

	if (code < 0)
		return code;
	snprintf(name, sizeof(name), "run@%d", getpid());
	start.source = source;
	do {
		CLEANUP(tunnel_clear) struct tunnel tunnel = {};

		joined = start_join(&start, started, error);
		if (joined > 0 && command->dry_run)
			say_join(command, started);
		if (joined != 0)
			return joined < 0 ? joined : command->dry_run;
		code = load(command, words, &tunnel, error);
		if (code != 0)
			return code;
		code = start_tunnel(&start, &tunnel, started, error);
		if (code == -ENOTUNIQ)
			snprintf(name, sizeof(name), "run@%d.%u", getpid(), ++taken);
	} while (code == -EEXIST || code == -ENOTUNIQ);
	return code;
}

struct way {
	const struct command *command;
	const struct words *words;
	const struct dns *dns;
	struct started *started;
};

static void warn_of_lost(void *data)
{
	const struct way *way = data;
	const struct started *started = way->started;
	char reason[sizeof((struct error){}.text)];
	struct error ignored;

	registry_read_reason(&started->registry, started->record.name, reason, sizeof(reason));
	command_warn(way->command, "the tunnel has ended, and the command has no network now: %s",
		     *reason ? reason : "its supervisor was told to end, or was killed");
	/* Said here, it need not be said by the next verb. */
	if (started->supervisor)
		registry_remove(&started->registry, started->record.name, &ignored);
}

static int choose_identity(const struct words *words, struct account *account,
			   struct enter_identity *ret, struct error *error)
{
	int code;

	if (getuid() != geteuid() || getgid() != getegid())
		return error_set(error, EPERM,
				 "subu is started with another's rights (set-user-ID), and would "
				 "lend them to its caller: run it without");
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

/* Who asked for root, or came by sudo, knows. */
static void warn_of_root(const struct command *command, const struct words *words)
{
	if (!words->root && geteuid() == 0 && start_has_rights() && !getenv("SUDO_UID") &&
	    isatty(STDERR_FILENO))
		command_warn(command,
			     "the command runs as root, which owns the files of this "
			     "machine: run needs no root, try it as an ordinary user");
}

static int find_namespaces(void *data, struct process_id *ret, struct error *error)
{
	const struct way *way = data;

	return start_await_namespaces(way->started, ret, error);
}

static int await_tunnel(void *data, struct error *error)
{
	const struct way *way = data;
	int code = start_await(way->started, error);

	if (code < 0)
		return code;
	warn_of_root(way->command, way->words);
	if (!way->dns->server_count)
		command_note(way->command,
			     "the .conf names no DNS server: no names are resolved inside");
	return 0;
}

/* A shell breaks its loop off when ^C has ended what runs in it, not when that exits with 130. */
static void end_as_interrupted(void)
{
	struct sigaction action;

	if (sigaction(SIGINT, NULL, &action) < 0 || action.sa_handler == SIG_IGN)
		return;
	signal(SIGINT, SIG_DFL);
	raise(SIGINT);
}

static int run_inside(struct command *command, const struct words *words, struct started *started,
		      const struct enter_identity *identity, struct error *error)
{
	CLEANUP(folders_free)
	char **covers = folders_of_keys(identity->account ? identity->account->uid : geteuid());
	struct dns dns = {};
	struct way way = {.command = command, .words = words, .dns = &dns, .started = started};
	const struct session session = {
		.supervisor = started->record.supervisor,
		.alone = !identity->account,
		.dns = &dns,
		.covers = (const char *const *)covers,
		.identity = *identity,
		.argv = words->command,
		.linger = words->linger,
		.leash = started->leash,
		.find = find_namespaces,
		.await = await_tunnel,
		.lost = warn_of_lost,
		.data = &way,
	};
	struct session_end end = {};
	int code = dns_parse(started->record.dns, &dns, error);

	if (code == 0)
		code = session_run(&session, &end, error);
	command->done = end.status;
	if (end.status)
		command->status = end.status;
	start_end(started);
	if (end.signal == SIGINT)
		end_as_interrupted();
	return code;
}

int cmd_run(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(started_clear) struct started started = STARTED_NONE;
	CLEANUP(account_clear) struct account account = {};
	char name[NAME_SIZE];
	struct enter_identity identity;
	struct words words = {};
	int code;

	if (parse(argc, argv, &words, error) < 0 || choose_profile(&words, name, error) < 0 ||
	    enter_check_descriptors("run", error) < 0 ||
	    choose_identity(&words, &account, &identity, error) < 0)
		return -error->code;
	code = find_way(command, &words, &started, error);
	if (code != 0)
		return code < 0 ? code : 0;
	return run_inside(command, &words, &started, &identity, error);
}
