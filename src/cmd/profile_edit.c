/* profile edit. */
#include <errno.h>
#include <stdio.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "run/editor.h"
#include "run/profile_edit.h"

static int say_would(const struct command *command, const char *name, struct error *error)
{
	CLEANUP(memory_free) char *line = NULL;
	char path[PATH_MAX];
	int code = profile_path(name, path, error);

	if (code < 0)
		return code;
	line = memory_format("edit a copy of %s with '%.100s'", path, editor_command());
	command_would(command, json_pack("{ss}", "profile", name), line);
	return 0;
}

/* What became of the editor is the error; what became of the text is put behind it. */
static int give_up(struct profile_edit *edit, const struct error *failed, struct error *error)
{
	bool kept;
	int code = profile_edit_give_up(edit, &kept, error);

	if (code < 0)
		return code;
	if (!kept)
		return error_set(error, failed->code, "%s; the profile %s is as it was",
				 failed->text, edit->name);
	return error_set(error, failed->code,
			 "%s; the profile %s is as it was, and what you changed is kept at %s for "
			 "the next `subu profile edit %s`",
			 failed->text, edit->name, edit->draft, edit->name);
}

static void answer(const struct command *command, const char *name, enum profile_edit_result result)
{
	const bool changed = result == PROFILE_EDIT_REPLACED;
	CLEANUP(memory_free)
	char *line = memory_format("%s is %s", name, changed ? "changed" : "unchanged");

	command_answer(command, json_pack("{ss sb}", "profile", name, "changed", changed), line);
}

int cmd_profile_edit(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(profile_edit_clear) struct profile_edit edit = {.folder.fd = -1, .lock = -1};
	enum profile_edit_result result;
	unsigned int ignored = 0;
	struct error failed = {};
	int code;

	if (command->dry_run)
		return say_would(command, argv[1], error);
	code = profile_edit_begin(argv[1], &edit, error);
	if (code < 0)
		return code;
	if (edit.resumed)
		command_note(command, "going on with the text that an earlier edit kept at %s",
			     edit.draft);
	if (editor_run(editor_command(), edit.draft, &failed) < 0)
		return give_up(&edit, &failed, error);
	code = profile_edit_finish(&edit, &result, &ignored, error);
	if (code < 0)
		return code;
	answer(command, argv[1], result);
	command_warn_ignored(command, argv[1], ignored);
	return 0;
}
