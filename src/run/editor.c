#include "run/editor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "enter/command.h"

#define STATUS_NOT_RUN 127 /* as a shell says it */

/* What a shell does not take as it stands (POSIX.1-2017 XCU section 2.2). */
#define SHELL_CHARACTERS "|&;<>()$`\\\"' \t\n*?[#~=%"

const char *editor_command(void)
{
	static const char *const variables[] = {"VISUAL", "EDITOR"};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *command = getenv(variables[i]);

		if (command && *command)
			return command;
	}
	return command_exists("vi", getenv("PATH")) ? "vi" : "editor";
}

/* What the terminal sends goes to both, and the editor alone has a use for it: this program stays to
 * see how that ends. */
struct terminal_signals {
	struct sigaction interrupt, quit; /* as they were */
};

static void signals_ignore(struct terminal_signals *before)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGINT, &ignore, &before->interrupt);
	sigaction(SIGQUIT, &ignore, &before->quit);
}

static void signals_restore(const struct terminal_signals *before)
{
	sigaction(SIGINT, &before->interrupt, NULL);
	sigaction(SIGQUIT, &before->quit, NULL);
}

/* A shell reads a command with quotes or options in it, and hands the path on as it is. It is left
 * out where it has nothing to read: between this program and the editor it would take signals from
 * the terminal for its own. */
static _Noreturn void become_editor(const char *command, const char *path)
{
	char *line = memory_format("%s \"$@\"", command);

	umask(S_IRWXG | S_IRWXO);
	if (strpbrk(command, SHELL_CHARACTERS))
		execlp("sh", "sh", "-c", line, command, path, NULL);
	else
		execlp(command, command, path, NULL);
	_exit(STATUS_NOT_RUN);
}

static int wait_for(pid_t child, const char *command, struct error *error)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(error, "cannot wait for the editor '%.100s'", command);
	if (WIFSIGNALED(status))
		return error_set(error, ECHILD, "the editor '%.100s' was ended by signal %d",
				 command, WTERMSIG(status));
	if (WEXITSTATUS(status) == STATUS_NOT_RUN)
		return error_set(error, ECHILD,
				 "cannot run the editor '%.100s': name one that is there with "
				 "EDITOR",
				 command);
	if (WEXITSTATUS(status) != 0)
		return error_set(error, ECHILD, "the editor '%.100s' ended with status %d", command,
				 WEXITSTATUS(status));
	return 0;
}

int editor_run(const char *command, const char *path, struct error *error)
{
	struct terminal_signals before;
	pid_t child;
	int code;

	signals_ignore(&before);
	child = fork();
	if (child == 0) {
		signals_restore(&before);
		become_editor(command, path);
	}
	if (child < 0)
		code = error_errno(error, "cannot start the editor '%.100s'", command);
	else
		code = wait_for(child, command, error);
	signals_restore(&before);
	return code;
}
