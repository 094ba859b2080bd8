#include "attempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

void become_ordinary(void)
{
	must(setgroups(0, NULL) == 0);
	must(setresgid(ORDINARY, ORDINARY, ORDINARY) == 0);
	must(setresuid(ORDINARY, ORDINARY, ORDINARY) == 0);
	/* /proc/self is root's again after a change of user. */
	must(prctl(PR_SET_DUMPABLE, 1) == 0);
}

struct error attempt(int (*step)(struct error *error))
{
	struct error error = {0};
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		step(&error);
		must(write(ends[1], &error, sizeof(error)) == sizeof(error));
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], &error, sizeof(error)), sizeof(error));
	close(ends[0]);
	return error;
}

void assert_succeeds(int (*step)(struct error *error))
{
	struct error error = attempt(step);

	assert_string_equal(error.text, "");
	assert_int_equal(error.code, 0);
}

void assert_refused(int (*step)(struct error *error), int code, const char *text,
		    const char *remedy)
{
	struct error error = attempt(step);

	assert_int_equal(error.code, code);
	if (strncmp(error.text, text, strlen(text)) != 0 || !strstr(error.text, remedy))
		fail_msg("neither '%s' nor '%s': %s", text, remedy, error.text);
}
