/* profile import, list, show, delete. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/run.h"
#include "run/profile.h"
#include "run/profile_text.h"
#include "wireguard/conf.h"

#define ENDING ".conf"

/* The name that the words give, or the file's own without its ending. */
static int choose_name(int argc, char **argv, char name[static NAME_SIZE], struct error *error)
{
	CLEANUP(memory_free) char *own = memory_strdup(basename(argv[1]));
	const char *chosen = argc == 3 ? argv[2] : own;
	char *ending = own + strlen(own) - strlen(ENDING);
	int code;

	if (argc == 2 && strcmp(argv[1], "-") == 0)
		return error_usage(error,
				   "standard input has no name to take: "
				   "`subu profile import - NAME`");
	if (ending > own && strcmp(ending, ENDING) == 0)
		*ending = '\0';
	code = profile_check_name(chosen, error);
	if (code < 0 && argc == 2)
		return error_wrap(error, "give a NAME after the file, for its own does not serve");
	if (code == 0)
		strcpy(name, chosen);
	return code;
}

static int read_source(const char *source, struct secret_text *ret, struct error *error)
{
	if (strcmp(source, "-") == 0)
		return secret_text_read(STDIN_FILENO, "standard input", CONF_SIZE_MAX, ret, error);
	return conf_read_text(source, ret, error);
}

/* Of the copy others see nothing. */
static void warn_readable(const struct command *command, const char *source)
{
	struct stat status;

	if (strcmp(source, "-") != 0 && stat(source, &status) == 0 &&
	    status.st_mode & (S_IRGRP | S_IROTH))
		command_warn(command,
			     "%s, which holds a private key, is readable by others: chmod 600 it, "
			     "or delete it",
			     source);
}

static int add(const struct command *command, const char *name, const char *source,
	       const struct secret_text *text, struct error *error)
{
	CLEANUP(memory_free) char *line = NULL;
	char path[PATH_MAX];
	int code;

	if (command->dry_run) {
		code = profile_path(name, path, error);
		if (code == 0)
			return profile_exists(name, error);
		if (code != -ENOENT)
			return code;
		line = memory_format("keep %s as the profile %s", source, name);
		command_would(command, json_pack("{ss}", "profile", name), line);
		return 0;
	}
	code = profile_add(name, text, error);
	if (code == 0)
		code = profile_path(name, path, error);
	if (code < 0)
		return code;
	line = memory_format("%s is kept at %s", name, path);
	command_answer(command, json_pack("{ss so}", "profile", name, "file", output_text(path)),
		       line);
	return 0;
}

int cmd_profile_import(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(secret_text_clear) struct secret_text text = {};
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	const char *source = strcmp(argv[1], "-") == 0 ? "standard input" : argv[1];
	unsigned int ignored = 0;
	char name[NAME_SIZE];
	int code = choose_name(argc, argv, name, error);

	if (code == 0)
		code = read_source(argv[1], &text, error);
	if (code == 0)
		code = profile_parse(source, &text, &tunnel, &ignored, error);
	if (code == 0)
		code = add(command, name, source, &text, error);
	if (code < 0)
		return code;
	command_warn_ignored(command, source, ignored);
	warn_readable(command, argv[1]);
	return 0;
}

static const struct output_column list_columns[] = {
	{"Name", "profile"}, {"Endpoint", "endpoints"}, {"Addresses", "addresses"},
	{"State", "state"},  {"Fault", "fault"},
};

static json_t *endpoints_json(const struct wg_device *device)
{
	json_t *array = json_array();
	char text[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < device->peer_count; i++)
		if (*device->peers[i].endpoint.host)
			json_array_append_new(array, output_text(endpoint_format(
							     &device->peers[i].endpoint, text)));
	return array;
}

/* "up" or "down"; null where nobody can tell. */
static json_t *state_json(const struct registry *registry, const char *name)
{
	CLEANUP(record_clear) struct record record = {};
	struct error ignored;

	if (registry->lock < 0)
		return json_null();
	return json_string(registry_find(registry, name, &record, &ignored) == 0 ? "up" : "down");
}

/* A profile, or what is wrong with it: one that is broken hides no other. */
static json_t *row_json(const struct registry *registry, const char *name, bool *faulty)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	unsigned int ignored;
	struct error fault = {};

	if (profile_load(name, &tunnel, &ignored, &fault) == 0)
		return json_pack("{ss so so so sn}", "profile", name, "endpoints",
				 endpoints_json(&tunnel.device), "addresses",
				 command_cidrs_json(&tunnel.addresses), "state",
				 state_json(registry, name), "fault");
	*faulty = true;
	return json_pack("{ss s[] s[] so so}", "profile", name, "endpoints", "addresses", "state",
			 state_json(registry, name), "fault", output_text(fault.text));
}

int cmd_profile_list(struct command *command, int argc, char **argv, struct error *error)
{
	const struct registry_listener listener = run_listener(command);
	CLEANUP(registry_close) struct registry registry = REGISTRY_NONE;
	CLEANUP(output_release) json_t *rows = json_array();
	CLEANUP(memory_free) char(*names)[NAME_SIZE] = NULL;
	struct error unknown;
	bool faulty = false;
	size_t count = 0;
	int code = profile_list(&names, &count, error);

	if (code < 0)
		return code;
	/* Where there is no place for tunnels their state is left open. */
	if (registry_open(&listener, &registry, &unknown) < 0)
		command_warn(command, "cannot tell which tunnels are up: %s", unknown.text);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(rows, row_json(&registry, names[i], &faulty));
	if (command->json)
		output_json(rows);
	else
		output_table(rows, list_columns, ARRAY_SIZE(list_columns) - !faulty);
	return 0;
}

/* The text fit for JSON, line by line. */
static json_t *text_json(const struct secret_text *text)
{
	CLEANUP(secret_text_clear)
	struct secret_text copy = {memory_zalloc(text->size + 1), text->size};
	json_t *string;

	memcpy(copy.bytes, text->bytes, text->size);
	for (size_t start = 0, i = 0; i <= text->size; i++) {
		char end = copy.bytes[i];

		if (i < text->size && end == '\0')
			copy.bytes[i] = '?';
		if (i < text->size && end != '\n' && end != '\r' && end != '\t')
			continue;
		copy.bytes[i] = '\0';
		text_make_printable(copy.bytes + start);
		copy.bytes[i] = end;
		start = i + 1;
	}
	string = json_stringn(copy.bytes, copy.size);
	return string;
}

/* Unbuffered, so that nothing of it stays behind in the buffer; and jansson's copy is wiped. */
static void print_text(const struct command *command, const char *name, const char *path,
		       const struct secret_text *text)
{
	CLEANUP(output_release) json_t *value = NULL;
	json_t *string;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (!command->json) {
		fwrite(text->bytes, 1, text->size, stdout);
		return;
	}
	string = text_json(text);
	value = json_pack("{ss so so}", "profile", name, "file", output_text(path), "text", string);
	output_json(value);
	explicit_bzero((char *)json_string_value(string), json_string_length(string));
}

/* Takes a flag out of the words, wherever it stands; there must be one more word, the name. */
static int take_flag(int argc, char **argv, const char *flag, bool *ret, struct error *error)
{
	int kept = 1;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], flag) == 0)
			*ret = true;
		else
			argv[kept++] = argv[i];
	if (kept == 2)
		return 0;
	return error_usage(error, "usage: subu profile %s NAME [%s]", argv[0], flag);
}

int cmd_profile_show(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(secret_text_clear) struct secret_text text = {}, shown = {};
	char path[PATH_MAX];
	bool secrets = false;
	int code = take_flag(argc, argv, "--secrets", &secrets, error);

	if (code == 0)
		code = profile_path(argv[1], path, error);
	if (code == 0)
		code = profile_read(argv[1], &text, error);
	if (code != 0)
		return code;
	if (!secrets)
		profile_text_hide(&text, &shown);
	print_text(command, argv[1], path, secrets ? &text : &shown);
	return 0;
}

/* Asks on the terminal. Anything but a yes is a no. */
static int ask(const char *name, struct error *error)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return error_set(error, EPERM,
				 "nobody is there to be asked whether the profile %s may go: "
				 "`subu profile delete %s --yes`",
				 name, name);
	fprintf(stderr, "Delete the profile %s, with its private key? [y/N] ", name);
	if (fgets(answer, sizeof(answer), stdin) && strchr("yY", *answer) && *answer)
		return 0;
	return error_set(error, ECANCELED, "the profile %s stays", name);
}

int cmd_profile_delete(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(memory_free) char *line = NULL;
	char path[PATH_MAX];
	bool yes = false;
	int code = take_flag(argc, argv, "--yes", &yes, error);

	if (code == 0)
		code = profile_path(argv[1], path, error);
	if (code < 0)
		return code;
	if (command->dry_run) {
		line = memory_format("delete %s", path);
		command_would(command, json_pack("{ss}", "removed", argv[1]), line);
		return 0;
	}
	if (!yes)
		code = ask(argv[1], error);
	if (code == 0)
		code = profile_delete(argv[1], error);
	if (code < 0)
		return code;
	line = memory_format("%s is gone", argv[1]);
	command_answer(command, json_pack("{ss}", "removed", argv[1]), line);
	return 0;
}
