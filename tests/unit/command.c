/* enter/command: what is a missing command, and what is one that cannot be run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "enter/command.h"
#include "enter/enter.h"

static char folder[] = "/tmp/test-command.XXXXXX";

static void make_file(const char *name, mode_t mode, const char *text)
{
	CLEANUP(fd_close) int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* The current folder is a new one that holds:
 *
 *	bin/plain (not executable)  bin/there (a script)  bin/broken (no interpreter)  bin/folder/
 */
static int enter_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("bin", 0755), 0);
	assert_int_equal(mkdir("bin/folder", 0755), 0);
	make_file("bin/plain", 0644, "");
	make_file("bin/there", 0755, "#!/bin/sh\nexit 3\n");
	make_file("bin/broken", 0755, "#!/nowhere/sh\n");
	return 0;
}

static int leave_folder(void **state)
{
	(void)state;
	return unlink("bin/plain") | unlink("bin/there") | unlink("bin/broken") |
	       rmdir("bin/folder") | rmdir("bin") | rmdir(folder);
}

static void test_exists(void **state)
{
	static const struct {
		const char *name, *path;
		bool exists;
	} cases[] = {
		{"there", "bin", true},
		{"there", "/nowhere:bin", true},
		{"there", "bin:/nowhere", true},
		{"plain", "bin", true},
		{"there", "/nowhere", false},
		{"there", "", false},
		{"bin/there", "", true},
		{"./bin/there", NULL, true},
		{"./there", "bin", false},
		{"folder", "bin", false},
		{"bin/folder", "", true},
		{"", "bin", false},
		{"sh", NULL, true},
		{"there", ":bin", true},
		{"bin/plain/x", "", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(command_exists(cases[i].name, cases[i].path), cases[i].exists);
	assert_int_equal(chdir("bin"), 0);
	assert_true(command_exists("there", ""));
	assert_true(command_exists("there", "/nowhere::/nowhere"));
	assert_int_equal(chdir(".."), 0);
}

/* The exit status of a child that becomes the command; the error's text by a pipe. */
static int run(const char *name, char *text, size_t size)
{
	char *argv[] = {(char *)name, NULL};
	struct error error;
	int pipes[2], status;
	ssize_t length;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	if (fork() == 0) {
		status = command_exec(argv, &error);
		if (write(pipes[1], error.text, strlen(error.text)) < 0)
			_exit(1);
		_exit(status);
	}
	close(pipes[1]);
	length = read(pipes[0], text, size - 1);
	text[length > 0 ? length : 0] = '\0';
	close(pipes[0]);
	assert_true(wait(&status) > 0);
	return WEXITSTATUS(status);
}

static void test_exec(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *text;
	} cases[] = {
		{"there", 3, ""},
		{"bin/there", 3, ""},
		{"plain", ENTER_STATUS_FORBIDDEN, "cannot run 'plain': Permission denied"},
		{"bin/folder", ENTER_STATUS_FORBIDDEN,
		 "cannot run 'bin/folder': Permission denied"},
		{"broken", ENTER_STATUS_FORBIDDEN,
		 "cannot run 'broken': its interpreter is missing"},
		{"nosuch", ENTER_STATUS_NOT_FOUND, "cannot run 'nosuch': no such command in PATH"},
		{"./nosuch", ENTER_STATUS_NOT_FOUND, "cannot run './nosuch': no such file"},
		{"", ENTER_STATUS_NOT_FOUND, "cannot run '': no such command in PATH"},
	};
	char text[256];

	(void)state;
	setenv("PATH", "/nowhere:bin", 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(run(cases[i].name, text, sizeof(text)), cases[i].status);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exists),
		cmocka_unit_test(test_exec),
	};

	return cmocka_run_group_tests_name("command", tests, enter_folder, leave_folder);
}
