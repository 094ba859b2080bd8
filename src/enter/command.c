#include "enter/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "enter/enter.h"

#define PATH_DEFAULT "/bin:/usr/bin" /* what execvp() takes when PATH is not set */

/* A folder of that name is none, and neither is what the user may not see. */
static bool is_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

bool command_exists(const char *name, const char *path)
{
	const char *folder = path ? path : PATH_DEFAULT, *end;
	struct stat status;

	if (strchr(name, '/'))
		return stat(name, &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
	for (;; folder = end + 1) {
		CLEANUP(memory_free) char *file = NULL;

		end = strchrnul(folder, ':');
		file = memory_zalloc((size_t)(end - folder) + strlen(name) + sizeof("./"));
		/* An empty folder is the current one. */
		stpcpy(stpcpy(mempcpy(file, folder, (size_t)(end - folder)),
			      end > folder ? "/" : "./"),
		       name);
		if (is_file(file))
			return true;
		if (!*end)
			return false;
	}
}

/* What execvp() says does not tell a missing command from a folder in PATH that may not be
 * searched, nor from a missing interpreter. */
int command_exec(char *const *argv, struct error *error)
{
	int reason;

	execvp(argv[0], argv);
	reason = errno;
	if (!command_exists(argv[0], getenv("PATH"))) {
		error_set(error, ENOENT, "cannot run '%s': no such %s", argv[0],
			  strchr(argv[0], '/') ? "file" : "command in PATH");
		return ENTER_STATUS_NOT_FOUND;
	}
	if (reason == ENOENT)
		error_set(error, ENOENT, "cannot run '%s': its interpreter is missing", argv[0]);
	else
		error_code(error, reason, "cannot run '%s'", argv[0]);
	return ENTER_STATUS_FORBIDDEN;
}
