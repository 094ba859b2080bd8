/* up, down */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/run.h"
#include "run/inside.h"
#include "run/profile.h"

#define TIMEOUT_DEFAULT 10   /* seconds */
#define TIMEOUT_MOST	3600 /* seconds */

#define PROCESS_GRACE_MS 2000 /* between SIGTERM and SIGKILL, as apply.c gives */

/* up PROFILE [--timeout SECONDS] */
static int parse_up(int argc, char **argv, const char **ret_profile, unsigned int *ret_seconds,
		    struct error *error)
{
	uint64_t seconds = TIMEOUT_DEFAULT;
	const char *profile = NULL;

	for (int at = 1; at < argc; at++) {
		const char *value = NULL;

		if (strcmp(argv[at], "--timeout") == 0)
			value = at + 1 < argc ? argv[++at] : "";
		else if (strncmp(argv[at], "--timeout=", 10) == 0)
			value = argv[at] + 10;
		else if (profile || argv[at][0] == '-')
			return error_usage(error, "usage: subu up PROFILE [--timeout SECONDS]");
		else
			profile = argv[at];
		if (value && text_to_number(value, 1, TIMEOUT_MOST, &seconds) < 0)
			return error_usage(error, "'%.64s' is not a number of seconds, 1 to %d",
					   value, TIMEOUT_MOST);
	}
	if (!profile)
		return error_usage(error, "usage: subu up PROFILE [--timeout SECONDS]");
	*ret_profile = profile;
	*ret_seconds = (unsigned int)seconds;
	return 0;
}

static int await_answer(const struct command *command, const struct started *started,
			unsigned int seconds, struct error *error)
{
	int code;

	run_say_waiting(command, "waiting for the server to answer");
	code = inside_await_handshake(&started->registry, &started->record, seconds * 1000, error);
	run_say_waiting(command, NULL);
	return code;
}

/* A tunnel that ended by itself says better why. */
static void end_failed(struct started *started, struct error *error)
{
	char reason[sizeof(error->text)];
	struct error ignored;

	start_end(started);
	registry_read_reason(&started->registry, started->record.name, reason, sizeof(reason));
	if (!*reason)
		return;
	error_set(error, EIO, "%s", reason);
	registry_remove(&started->registry, started->record.name, &ignored);
}

static int bring_up(const struct command *command, const char *profile, unsigned int seconds,
		    struct tunnel *tunnel, struct error *error)
{
	CLEANUP(started_clear) struct started started = STARTED_NONE;
	CLEANUP(memory_free) char *source = NULL;
	struct start start = {.name = profile,
			      .profile = profile,
			      .listener = run_listener(command),
			      .resolving = run_say_resolving,
			      .resolve_ms = seconds * 1000};
	char path[PATH_MAX];
	int code = profile_path(profile, path, error);

	if (code < 0)
		return code;
	source = start_source(path);
	start.source = source ? source : "";
	code = start_tunnel(&start, tunnel, &started, error);
	if (code == 0)
		code = start_await(&started, error);
	if (code < 0) {
		start_end(&started);
		return code;
	}
	code = await_answer(command, &started, seconds, error);
	if (code == 0)
		code = start_release(&started, error);
	if (code < 0)
		end_failed(&started, error);
	return code < 0 ? error_wrap(error, "the tunnel %s is not up", profile) : 0;
}

int cmd_up(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	CLEANUP(memory_free) char *line = NULL;
	const char *profile = NULL;
	unsigned int seconds = TIMEOUT_DEFAULT;
	int code = parse_up(argc, argv, &profile, &seconds, error);

	if (code == 0)
		code = run_load(command, profile, NULL, &tunnel, error);
	if (code < 0)
		return code;
	if (command->dry_run)
		return run_say_plan(command, profile, &tunnel, error);
	code = bring_up(command, profile, seconds, &tunnel, error);
	if (code < 0)
		return code;
	line = memory_format("%s is up", profile);
	command_answer(command, json_pack("{ss ss}", "tunnel", profile, "state", "up"), line);
	return 0;
}

/* down PROFILE [--force] */
static int parse_down(int argc, char **argv, const char **ret_name, bool *ret_force,
		      struct error *error)
{
	const char *name = NULL;

	for (int at = 1; at < argc; at++) {
		if (strcmp(argv[at], "--force") == 0)
			*ret_force = true;
		else if (name || argv[at][0] == '-')
			return error_usage(error, "usage: subu down PROFILE [--force]");
		else
			name = argv[at];
	}
	if (!name)
		return error_usage(error, "usage: subu down PROFILE [--force]");
	*ret_name = name;
	return 0;
}

static int end_commands(const struct record *record, bool force, struct error *error)
{
	CLEANUP(memory_free) struct inside_process *processes = NULL;
	CLEANUP(memory_free) pid_t *pids = NULL;
	size_t count = 0;
	int code = inside_processes(record, &processes, &count, error);

	/* Without its anchor nobody is told apart, and the tunnel is about to go by itself. */
	if (code == -ESRCH || (code == 0 && count == 0))
		return 0;
	if (code < 0)
		return code;
	if (!force)
		return error_set(error, EBUSY,
				 "%zu process%s run%s inside %s, %s (%d) for one: end them, or say "
				 "--force",
				 count, count == 1 ? "" : "es", count == 1 ? "s" : "", record->name,
				 processes[0].name, processes[0].pid);
	pids = memory_resize(NULL, count, sizeof(*pids));
	for (size_t i = 0; i < count; i++)
		pids[i] = processes[i].pid;
	return process_end(pids, count, PROCESS_GRACE_MS, error);
}

int cmd_down(struct command *command, int argc, char **argv, struct error *error)
{
	const struct registry_listener listener = run_listener(command);
	CLEANUP(registry_close) struct registry registry = REGISTRY_NONE;
	CLEANUP(record_clear) struct record record = {};
	CLEANUP(memory_free) char *line = NULL;
	const char *name = NULL;
	bool force = false;
	int code = parse_down(argc, argv, &name, &force, error);

	if (code == 0)
		code = registry_open(&listener, &registry, error);
	if (code == 0)
		code = registry_find(&registry, name, &record, error);
	/* Its supervisor may need the lock to end. */
	registry_close(&registry);
	if (code < 0)
		return code;
	line = memory_format("%s %s down", name, command->dry_run ? "would be" : "is");
	if (command->dry_run) {
		command_would(command, json_object(), "end the tunnel");
		return 0;
	}
	code = end_commands(&record, force, error);
	if (code == 0)
		code = start_take_down(&record, error);
	if (code < 0)
		return code;
	command_answer(command, json_pack("{ss ss}", "tunnel", name, "state", "down"), line);
	return 0;
}
