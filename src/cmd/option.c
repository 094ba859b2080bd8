/* option list | get | set */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/cmd.h"

static const struct output_column columns[] = {
	{"Option", "name"},
	{"Value", "value"},
	{"Takes", "takes"},
	{"What it is", "purpose"},
};

static int option_list(const struct command *command, struct store *store, const struct subu *subu,
		       struct error *error)
{
	CLEANUP(output_release) json_t *rows = json_array();
	char value[OPTION_VALUE_MAX];

	for (size_t i = 0; i < option_count; i++) {
		const struct subu_option *option = &option_table[i];
		int code = store_get_option(store, subu->id, option, value, error);

		if (code < 0)
			return code;
		json_array_append_new(rows, json_pack("{ss ss ss ss}", "name", option->name,
						      "value", value, "takes", option->values,
						      "purpose", option->purpose));
	}
	if (command->json)
		output_json(rows);
	else
		output_table(rows, columns, ARRAY_SIZE(columns));
	return 0;
}

static int option_get(const struct command *command, struct store *store, const struct subu *subu,
		      const char *name, struct error *error)
{
	CLEANUP(output_release) json_t *value = NULL;
	const struct subu_option *option;
	char text[OPTION_VALUE_MAX];
	int code = option_find(name, &option, error);

	if (code == 0)
		code = store_get_option(store, subu->id, option, text, error);
	if (code < 0)
		return code;
	value = json_pack("{ss}", option->name, text);
	if (command->json)
		output_json(value);
	else
		puts(text);
	return 0;
}

static int option_set(const struct command *command, struct store *store, const struct subu *subu,
		      char **words, struct error *error)
{
	const struct reconcile reconcile = {.store = store, .dry_run = command->dry_run};
	const struct subu_option *option;
	char line[256], id[SUBU_ID_TEXT_MAX];
	int code = option_find(words[0], &option, error);

	if (code == 0)
		code = option_check(option, words[1], error);
	if (code == 0)
		code = store_begin(store, error);
	if (code == 0)
		code = store_set_option(store, subu->id, option, words[1], error);
	if (code < 0)
		return code;
	snprintf(line, sizeof(line), "%s %s %s", subu_id_format(subu->id, id), words[0], words[1]);
	return command_change(command, &reconcile, subu->id,
			      json_pack("{ss ss}", "subu", id, words[0], words[1]), line, error);
}

int cmd_option(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	struct subu subu;
	int code;
	bool list, get, set;

	list = (strcmp(argv[1], "list") == 0 || strcmp(argv[1], "get") == 0) && argc == 3;
	get = strcmp(argv[1], "get") == 0 && argc == 4;
	set = strcmp(argv[1], "set") == 0 && argc == 5;
	if (!list && !get && !set)
		return error_usage(error,
				   "usage: subu option list SUBU, option get SUBU [NAME], or "
				   "option set SUBU NAME VALUE");
	code = command_open(command, set ? STORE_WRITE : STORE_READ, &store, error);
	if (code == 0)
		code = set ? command_find_present(store, argv[2], &subu, error)
			   : command_find_subu(store, argv[2], &subu, error);
	if (code < 0)
		return code;
	if (list)
		return option_list(command, store, &subu, error);
	if (get)
		return option_get(command, store, &subu, argv[3], error);
	return option_set(command, store, &subu, argv + 3, error);
}
