#include "cmd/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

static bool is_called(const struct verb *verb, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verb->aliases) && verb->aliases[i]; i++)
		if (strcmp(verb->aliases[i], name) == 0)
			return true;
	return strcmp(verb->name, name) == 0;
}

const struct verb *verb_find(const struct verb *table, const char *name)
{
	for (; table->name; table++)
		if (is_called(table, name))
			return table;
	return NULL;
}

int verb_unknown(const struct verb *owner, const char *name, struct error *error)
{
	return error_usage(error, "%s has no '%.64s': see `subu help %s`", owner->name, name,
			   owner->name);
}

const char *verb_prefix(const struct verb *verb)
{
	for (const struct verb *owner = verb_table; owner->name; owner++)
		if (owner->table && verb_find(owner->table, verb->name) == verb)
			return owner->prefix;
	return "";
}

static void say_waiting(const char *path)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "subu: waiting for another subu to be done with %s\n", path);
}

int command_open(const struct command *command, enum store_access mode, struct store **ret,
		 struct error *error)
{
	return store_open(command->db, mode, command->quiet ? NULL : say_waiting, ret, error);
}

int command_find_subu(struct store *store, const char *words, struct subu *ret, struct error *error)
{
	struct name_reference reference;
	int code = name_parse_subu(words, &reference, error);

	return code < 0 ? code : store_find_subu(store, &reference, ret, error);
}

int command_find_present(struct store *store, const char *words, struct subu *ret,
			 struct error *error)
{
	int code = command_find_subu(store, words, ret, error);

	if (code < 0 || ret->phase == PHASE_PRESENT)
		return code;
	return error_set(error, EBUSY, "subu_%u is half %s: run `subu reconcile subu_%u`", ret->id,
			 ret->phase == PHASE_MAKING ? "made" : "removed", ret->id);
}

int command_find_tunnel(struct store *store, const char *words, struct tunnel *ret,
			struct error *error)
{
	uint32_t id;
	int code = name_parse_tunnel(words, &id, error);

	return code < 0 ? code : store_find_tunnel(store, id, ret, error);
}

__attribute__((format(printf, 3, 0))) static void
say(const struct command *command, const char *prefix, const char *format, va_list args)
{
	char sentence[1024];

	if (command->quiet)
		return;
	vsnprintf(sentence, sizeof(sentence), format, args);
	text_make_printable(sentence); /* it may quote the name of a file */
	fprintf(stderr, "subu: %s%s\n", prefix, sentence);
}

void command_note(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(command, "", format, args);
	va_end(args);
}

void command_warn(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(command, "warning: ", format, args);
	va_end(args);
}

void command_warn_ignored(const struct command *command, const char *what, unsigned int count)
{
	if (count)
		command_warn(
			command,
			"%s: %u lines with PreUp, PostUp, PreDown, PostDown or SaveConfig were "
			"passed over: subu runs no commands from a configuration",
			what, count);
}

json_t *command_plan_json(const struct plan *plan)
{
	json_t *array = json_array();
	char words[OPERATION_TEXT_MAX];

	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(
			array, json_string(operation_format(plan, &plan->operations[i], words)));
	return array;
}

json_t *command_cidrs_json(const struct cidr_list *list)
{
	json_t *array = json_array();
	char text[CIDR_TEXT_MAX];

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(cidr_format(&list->items[i], text)));
	return array;
}

static void print_plan(const struct plan *plan)
{
	char words[OPERATION_TEXT_MAX];

	if (plan->count == 0)
		puts("nothing to do in the kernel");
	for (size_t i = 0; i < plan->count; i++)
		printf("would %s\n", operation_format(plan, &plan->operations[i], words));
}

static void answer(const struct command *command, const json_t *value, const char *line)
{
	if (command->json)
		output_json(value);
	else if (command->quiet)
		printf("%.*s\n", (int)strcspn(line, " "), line);
	else
		puts(line);
}

static void answer_plan(const struct command *command, json_t *value, const struct plan *plan)
{
	if (!command->json) {
		print_plan(plan);
		return;
	}
	json_object_set_new(value, "plan", command_plan_json(plan));
	output_json(value);
}

void command_answer(const struct command *command, json_t *value, const char *line)
{
	CLEANUP(output_release) json_t *owned = value;

	answer(command, owned, line);
}

void command_would(const struct command *command, json_t *value, const char *sentence)
{
	CLEANUP(output_release) json_t *owned = value;

	if (!command->json) {
		printf("would %s\n", sentence);
		return;
	}
	json_object_set_new(owned, "plan", json_pack("[o]", output_text(sentence)));
	output_json(owned);
}

void command_say_plan(const struct command *command, const struct plan *plan)
{
	CLEANUP(output_release) json_t *value = json_object();

	answer_plan(command, value, plan);
}

json_t *command_age(int64_t when)
{
	int64_t age = time(NULL) - when;

	if (when == 0)
		return json_null();
	if (age < 120)
		return json_sprintf("%lld s ago", (long long)(age < 0 ? 0 : age));
	if (age < 7200)
		return json_sprintf("%lld min ago", (long long)age / 60);
	return json_sprintf("%lld h ago", (long long)age / 3600);
}

int command_change(const struct command *command, const struct reconcile *reconcile, uint32_t subu,
		   json_t *value, const char *line, struct error *error)
{
	CLEANUP(output_release) json_t *owned = value;
	CLEANUP(plan_clear) struct plan plan = {};
	int code = reconcile_change(reconcile, subu, &plan, error);

	if (code < 0)
		return code;
	if (command->dry_run)
		answer_plan(command, owned, &plan);
	else
		answer(command, owned, line);
	return 0;
}

int command_commit(const struct command *command, struct store *store, json_t *value,
		   const char *line, struct error *error)
{
	CLEANUP(output_release) json_t *owned = value;
	const struct plan nothing = {};
	int code;

	if (command->dry_run) {
		store_rollback(store);
		answer_plan(command, owned, &nothing);
		return 0;
	}
	code = store_commit(store, error);
	if (code == 0)
		answer(command, owned, line);
	return code;
}
