/* exec */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/inside.h"

/* exec [-u USER] SUBU [--] CMD [ARG…] */
struct words {
	const char *account;
	const char *subu;
	char **command;
};

static int parse(int argc, char **argv, struct words *ret, struct error *error)
{
	struct words words = {};
	int at = 1;

	if (at < argc && strcmp(argv[at], "-u") == 0) {
		words.account = argv[at + 1];
		at += 2;
	}
	if (at < argc && argv[at][0] == '-')
		return error_usage(error, "exec has no option '%.64s': only -u USER", argv[at]);
	words.subu = at < argc ? argv[at++] : NULL;
	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	if (!words.subu || at >= argc)
		return error_usage(error, "usage: subu exec [-u USER] SUBU -- CMD [ARG...]");
	words.command = argv + at;
	*ret = words;
	return 0;
}

/* What is needed from the database, which is closed again before the command runs. */
static int look_up(const struct command *command, const char *words, struct inside *ret,
		   struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	struct subu subu;
	int code = command_open(command, STORE_READ, &store, error);

	if (code == 0)
		code = command_find_present(store, words, &subu, error);
	return code < 0 ? code : inside_find(store, &subu, ret, error);
}

static void say_dry_run(const struct command *command, const struct enter *enter)
{
	CLEANUP(memory_free)
	char *words = memory_format("run %s in %s", enter->argv[0], enter->netns);
	CLEANUP(output_release) json_t *value = json_pack("{s[o]}", "plan", output_text(words));

	if (command->json)
		output_json(value);
	else
		printf("would %s\n", words);
}

/* Nobody chose root: it is what is left when no account is given and no sudo was used. */
static void warn_of_root(const struct command *command, const struct enter *enter)
{
	if (!enter->account && geteuid() == 0 && !getenv("SUDO_UID") && isatty(STDERR_FILENO))
		command_warn(command,
			     "the command runs as root, which owns the files of this "
			     "machine: choose an account with -u, or for all with "
			     "`subu create --user`");
}

int cmd_exec(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(inside_clear) struct inside inside = {.cgroup = -1};
	struct words words = {};
	struct enter enter;

	if (parse(argc, argv, &words, error) < 0 ||
	    look_up(command, words.subu, &inside, error) < 0)
		return -error->code;
	enter = inside_enter(&inside, words.account);
	enter.argv = words.command;
	if (command->dry_run) {
		say_dry_run(command, &enter);
		return 0;
	}
	warn_of_root(command, &enter);
	command->status = enter_exec(&enter, error);
	return -error->code;
}
