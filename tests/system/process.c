/* kernel/process on the running kernel, as root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/process.h"

/* A child that has set itself up when this returns. */
static pid_t start(void (*set_up)(void))
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		set_up();
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void obedient(void)
{
}

static void stubborn(void)
{
	signal(SIGTERM, SIG_IGN);
}

static int signal_of(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return WTERMSIG(status);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_end_obedient(void **state)
{
	pid_t child = start(obedient);
	double begin = seconds();
	struct error error;

	(void)state;
	assert_int_equal(process_end(&child, 1, 60000, &error), 0);
	assert_true(seconds() - begin < 30);
	assert_int_equal(signal_of(child), SIGTERM);
}

static void test_end_stubborn(void **state)
{
	pid_t children[3] = {start(stubborn), start(obedient), start(stubborn)};
	struct error error;

	(void)state;
	assert_int_equal(kill(children[2], SIGSTOP), 0);
	assert_int_equal(process_end(children, 3, 100, &error), 0);
	assert_int_equal(signal_of(children[0]), SIGKILL);
	assert_int_equal(signal_of(children[1]), SIGTERM);
	assert_int_equal(signal_of(children[2]), SIGKILL);
}

static void test_end_gone(void **state)
{
	pid_t child = start(obedient);
	struct error error;

	(void)state;
	kill(child, SIGKILL);
	assert_int_equal(process_end(&child, 1, 0, &error), 0); /* a zombie */
	waitpid(child, NULL, 0);
	assert_int_equal(process_end(&child, 1, 0, &error), 0); /* a number of nobody's */
	assert_int_equal(process_end(NULL, 0, 0, &error), 0);
	child = 0; /* would be the whole process group to kill() */
	assert_int_equal(process_end(&child, 1, 0, &error), -EINVAL);
}

static void test_end_many(void **state)
{
	pid_t children[600];
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		children[i] = start(obedient);
	assert_int_equal(process_end(children, ARRAY_SIZE(children), 60000, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		assert_int_equal(signal_of(children[i]), SIGTERM);
}

static char lock_path[] = "/tmp/subu-test-lock-XXXXXX";

static void hold_lock(void)
{
	struct error error;
	int fd;

	if (process_lock(lock_path, &fd, &error) < 0)
		_exit(1);
}

static void test_lock(void **state)
{
	struct error error;
	struct stat status;
	pid_t child, holder = 77;
	int fd = mkstemp(lock_path);

	(void)state;
	close(fd);
	unlink(lock_path);
	fd = 77;
	assert_int_equal(process_lock_holder(lock_path, &holder, &error), 0);
	assert_int_equal(holder, 0);
	child = start(hold_lock);
	assert_int_equal(stat(lock_path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(process_lock_holder(lock_path, &holder, &error), 0);
	assert_int_equal(holder, child);
	assert_int_equal(process_lock(lock_path, &fd, &error), -EBUSY);
	assert_int_equal(fd, 77);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(process_lock_holder(lock_path, &holder, &error), 0);
	assert_int_equal(holder, 0);
	assert_int_equal(chmod(lock_path, 0666), 0);
	assert_int_equal(process_lock(lock_path, &fd, &error), 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	close(fd);
	unlink(lock_path);
}

/* Drops all in a child that then executes the command as root; its status. */
static int run_dropped(const char *command)
{
	struct error error;
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (process_drop_capabilities(&error) < 0)
			_exit(99);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(98);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_nothing_comes_back_by_exec(void **state)
{
	(void)state;
	assert_int_equal(getuid(), 0);
	assert_int_equal(run_dropped("test $(id -u) = 0"), 0);
	assert_int_equal(run_dropped("test $(grep -c '^Cap[A-Z][a-z]*:.0000000000000000$' "
				     "/proc/self/status) = 5"),
			 0);
	assert_int_equal(run_dropped("grep -q '^NoNewPrivs:.1$' /proc/self/status"), 0);
	assert_int_not_equal(run_dropped("exec 2>/dev/null; mount -t tmpfs none /mnt"), 0);
}

/* A second drop finds nothing to drop, and no right to: that is no failure. */
static void test_drop_twice(void **state)
{
	struct error error;
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(process_drop_capabilities(&error) < 0 ||
		      process_drop_capabilities(&error) < 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_standard_fds(void **state)
{
	struct stat null, status;
	struct error error;
	pid_t child;
	int code;

	(void)state;
	assert_int_equal(stat("/dev/null", &null), 0);
	for (unsigned int closed = 0; closed < 8; closed++) {
		child = fork();
		if (child == 0) {
			for (int fd = 0; fd < 3; fd++)
				if (closed & 1U << fd)
					close(fd);
			if (process_fix_standard_fds(&error) < 0)
				_exit(1);
			for (int fd = 0; fd < 3; fd++)
				if (fstat(fd, &status) < 0 ||
				    (closed & 1U << fd && status.st_rdev != null.st_rdev))
					_exit(2);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &code, 0), child);
		assert_int_equal(code, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_obedient),
		cmocka_unit_test(test_end_stubborn),
		cmocka_unit_test(test_end_gone),
		cmocka_unit_test(test_end_many),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_nothing_comes_back_by_exec),
		cmocka_unit_test(test_drop_twice),
		cmocka_unit_test(test_standard_fds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
