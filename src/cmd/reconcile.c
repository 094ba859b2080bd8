/* reconcile */
#include <stdio.h>

#include "base/memory.h"
#include "cmd/cmd.h"

static void say_unresolved(void *data, const char *sentence)
{
	command_warn(data, "%s", sentence);
}

/* The plan of one sub-user: as a member of the JSON answer, or a line an operation. */
static void report(const struct command *command, const struct plan *plan, json_t *answer)
{
	char id[SUBU_ID_TEXT_MAX], words[OPERATION_TEXT_MAX];

	subu_id_format(plan->subu, id);
	if (command->json) {
		json_object_set_new(answer, id, command_plan_json(plan));
		return;
	}
	if (command->quiet)
		return;
	if (plan->count == 0)
		printf("%s: nothing to do\n", id);
	for (size_t i = 0; i < plan->count; i++)
		printf("%s: %s%s\n", id, command->dry_run ? "would " : "",
		       operation_format(plan, &plan->operations[i], words));
}

static int reconcile_one(const struct command *command, struct store *store, uint32_t subu,
			 json_t *answer, struct error *error)
{
	const struct reconcile reconcile = {
		.store = store,
		.dry_run = command->dry_run,
		.unchanged = true,
		.endpoints = ENDPOINT_RENEW,
		.listener = {.unresolved = say_unresolved, .data = (void *)command},
	};
	CLEANUP(plan_clear) struct plan plan = {.subu = subu};
	int code = store_begin(store, error);

	if (code == 0)
		code = reconcile_change(&reconcile, subu, &plan, error);
	if (code < 0)
		return error_wrap(error, "subu_%u", subu);
	report(command, &plan, answer);
	return 0;
}

/* One that cannot be brought about does not keep the others from it. */
static int reconcile_all(const struct command *command, struct store *store, json_t *answer,
			 struct error *error)
{
	CLEANUP(memory_free) struct subu *subus = NULL;
	size_t count, failed = 0;
	int code = store_list_subus(store, &subus, &count, error);

	if (code < 0)
		return code;
	for (size_t i = 0; i < count; i++) {
		if (reconcile_one(command, store, subus[i].id, answer, error) == 0)
			continue;
		fprintf(stderr, "subu: %s\n", error->text);
		failed++;
	}
	if (failed)
		return error_set(error, error->code, "%zu of %zu sub-users could not be reconciled",
				 failed, count);
	return 0;
}

int cmd_reconcile(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(output_release) json_t *answer = json_object();
	CLEANUP(store_close) struct store *store = NULL;
	struct subu subu;
	int code = command_open(command, STORE_WRITE, &store, error);

	if (code == 0 && argc == 2)
		code = command_find_subu(store, argv[1], &subu, error);
	if (code < 0)
		return code;
	code = argc == 2 ? reconcile_one(command, store, subu.id, answer, error)
			 : reconcile_all(command, store, answer, error);
	if (command->json && (code == 0 || json_object_size(answer)))
		output_json(answer);
	return code;
}
