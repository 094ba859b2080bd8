#include <stdio.h>

#include "base/memory.h"
#include "cmd/cmd.h"

int cmd_init(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(output_release) json_t *value = NULL;
	int code;

	if (command->dry_run)
		return error_usage(error, "init has no --dry-run: it makes one file, %s",
				   command->db);
	code = store_create(command->db, argv[1], error);
	if (code < 0)
		return code;
	if (command->json) {
		value = json_pack("{so}", "database", output_text(command->db));
		output_json(value);
	} else if (!command->quiet) {
		printf("%s made\n", command->db);
	}
	return 0;
}
