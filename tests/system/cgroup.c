/* kernel/cgroup on the running kernel, as root: groups that are made, joined, fought over and taken
 * away.
 *
 *	the root of the hierarchy
 *	└── subu-test-N         the test's own
 *	    └── inner           joined, with groups of its own below
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/cgroup.h"
#include "kernel/process.h"

struct group {
	char outer[32], inner[48], deep[64];
};

static int setup(void **state)
{
	static unsigned int number;
	struct group *group = memory_zalloc(sizeof(*group));

	snprintf(group->outer, sizeof(group->outer), "subu-test-%d-%u", getpid(), number++);
	snprintf(group->inner, sizeof(group->inner), "%s/inner", group->outer);
	snprintf(group->deep, sizeof(group->deep), "%s/a/b", group->inner);
	*state = group;
	return 0;
}

static bool is_there(const char *name)
{
	CLEANUP(memory_free) char *path = NULL;
	struct error error;

	assert_int_equal(cgroup_path(name, &path, &error), 0);
	return access(path, F_OK) == 0;
}

static void list(const char *name, pid_t **ret, size_t *ret_count)
{
	CLEANUP(fd_close) int fd = -1;
	struct error error;

	assert_int_equal(cgroup_open(name, &fd, &error), 0);
	assert_int_equal(cgroup_processes(fd, ret, ret_count, &error), 0);
}

static int teardown(void **state)
{
	struct group *group = *state;
	CLEANUP(memory_free) pid_t *pids = NULL;
	struct error error;
	size_t count;
	int code;

	if (is_there(group->outer)) {
		list(group->outer, &pids, &count);
		process_end(pids, count, 0, &error);
	}
	code = cgroup_delete(group->outer, &error);
	if (code < 0)
		fprintf(stderr, "%s\n", error.text);
	free(group);
	return code;
}

/* A child that goes with the test, should that fail. */
static pid_t start(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

/* A process in the group, once it is there. */
static pid_t start_in(const char *name)
{
	CLEANUP(fd_close) int fd = -1;
	struct error error;
	int joined[2];
	pid_t child;
	char byte;

	assert_int_equal(cgroup_open(name, &fd, &error), 0);
	assert_int_equal(pipe(joined), 0);
	child = start();
	if (child == 0) {
		if (cgroup_join(fd, &error) < 0 || write(joined[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(joined[1]);
	assert_int_equal(read(joined[0], &byte, 1), 1);
	close(joined[0]);
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void test_made_and_taken_away(void **state)
{
	const struct group *group = *state;
	CLEANUP(fd_close) int fd = -1;
	CLEANUP(fd_close) int again = -1;
	struct error error;
	uint64_t id, same;

	assert_int_equal(cgroup_open(group->inner, &fd, &error), -ENOENT);
	assert_int_equal(fd, -1);
	assert_int_equal(cgroup_delete(group->inner, &error), 0);
	assert_int_equal(cgroup_create(group->inner, &error), 0);
	assert_int_equal(cgroup_open(group->inner, &fd, &error), 0);
	assert_int_equal(cgroup_create(group->inner, &error), 0);
	assert_int_equal(cgroup_open(group->inner, &again, &error), 0);
	assert_int_equal(cgroup_id(fd, &id, &error), 0);
	assert_int_equal(cgroup_id(again, &same, &error), 0);
	assert_int_equal(id, same);
	assert_int_equal(cgroup_delete(group->inner, &error), 0);
	assert_false(is_there(group->outer));
	assert_int_equal(cgroup_delete(group->inner, &error), 0);
}

static void test_the_group_above_stays_for_others(void **state)
{
	const struct group *group = *state;
	CLEANUP(memory_free) char *other = memory_format("%s/other", group->outer);
	struct error error;

	assert_int_equal(cgroup_create(group->inner, &error), 0);
	assert_int_equal(cgroup_create(other, &error), 0);
	assert_int_equal(cgroup_delete(group->inner, &error), 0);
	assert_false(is_there(group->inner));
	assert_true(is_there(other));
	assert_int_equal(cgroup_delete(other, &error), 0);
	assert_false(is_there(group->outer));
}

static bool holds(const pid_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static void test_processes(void **state)
{
	const struct group *group = *state;
	CLEANUP(memory_free) pid_t *pids = NULL;
	struct error error;
	pid_t in_inner, in_deep;
	size_t count;

	assert_int_equal(cgroup_create(group->deep, &error), 0);
	list(group->inner, &pids, &count);
	assert_int_equal(count, 0);
	memory_free(&pids);
	in_inner = start_in(group->inner);
	in_deep = start_in(group->deep);
	list(group->inner, &pids, &count);
	assert_int_equal(count, 2);
	assert_true(holds(pids, count, in_inner) && holds(pids, count, in_deep));
	assert_int_equal(cgroup_delete(group->inner, &error), -EBUSY);
	assert_true(is_there(group->deep));
	assert_non_null(strstr(error.text, group->inner));
	end(in_deep);
	assert_int_equal(cgroup_delete(group->inner, &error), -EBUSY);
	end(in_inner);
	assert_int_equal(cgroup_delete(group->inner, &error), 0);
	assert_false(is_there(group->inner));
}

/* process_end() returns when they are zombies: nothing of them keeps the group then. */
static void test_taken_away_after_the_last_process(void **state)
{
	const struct group *group = *state;
	struct error error;

	for (int i = 0; i < 200; i++) {
		CLEANUP(memory_free) pid_t *pids = NULL;
		pid_t child;
		size_t count;

		assert_int_equal(cgroup_create(group->inner, &error), 0);
		child = start_in(group->inner);
		list(group->inner, &pids, &count);
		assert_int_equal(count, 1);
		assert_int_equal(process_end(pids, count, 1000, &error), 0);
		assert_int_equal(cgroup_delete(group->inner, &error), 0);
		waitpid(child, NULL, 0);
	}
}

/* Root inside may have made groups whose threads are divided, and whose processes only the group at
 * their head lists. */
static void test_threaded_groups_below(void **state)
{
	const struct group *group = *state;
	CLEANUP(memory_free) char *below = memory_format("%s/threaded", group->inner);
	CLEANUP(memory_free) char *path = NULL;
	CLEANUP(memory_free) char *type = NULL;
	CLEANUP(memory_free) pid_t *pids = NULL;
	CLEANUP(file_close) FILE *file = NULL;
	struct error error;
	pid_t child;
	size_t count;

	assert_int_equal(cgroup_create(below, &error), 0);
	assert_int_equal(cgroup_path(below, &path, &error), 0);
	type = memory_format("%s/cgroup.type", path);
	file = fopen(type, "we");
	assert_non_null(file);
	assert_true(fputs("threaded", file) >= 0 && fflush(file) == 0);
	child = start_in(group->inner);
	list(group->inner, &pids, &count);
	assert_int_equal(count, 1);
	assert_int_equal(pids[0], child);
	end(child);
}

/* While groups below come and go, the processes of those that stay are all there. */
static void test_listed_while_groups_go(void **state)
{
	const struct group *group = *state;
	struct error error;
	pid_t maker, child;

	assert_int_equal(cgroup_create(group->inner, &error), 0);
	child = start_in(group->inner);
	maker = start();
	if (maker == 0) {
		CLEANUP(memory_free) char *below = memory_format("%s/a", group->inner);

		for (;;) {
			cgroup_create(group->deep, &error);
			cgroup_delete(below, &error);
		}
	}
	for (int i = 0; i < 3000; i++) {
		CLEANUP(memory_free) pid_t *pids = NULL;
		size_t count;

		list(group->inner, &pids, &count);
		assert_int_equal(count, 1);
	}
	end(maker);
	end(child);
}

/* Databases know nothing of each other, and all their sub-users are below one group. */
static void test_many_at_once(void **state)
{
	const struct group *group = *state;
	pid_t children[8];
	struct error error;

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = start();
		if (children[i] == 0) {
			CLEANUP(memory_free)
			char *own = memory_format("%s/%zu", group->outer, i / 2);

			for (int j = 0; j < 100; j++)
				if ((i < 4 && cgroup_create(own, &error) < 0) ||
				    cgroup_delete(own, &error) < 0) {
					fprintf(stderr, "%s\n", error.text);
					_exit(1);
				}
			_exit(0);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		int status;

		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_false(is_there(group->outer));
}

/* All of it goes, though each finds that the other was faster somewhere. */
static void test_two_take_one_away(void **state)
{
	const struct group *group = *state;
	struct error error;

	for (int i = 0; i < 100; i++) {
		pid_t other;
		int status;

		for (int j = 0; j < 6; j++) {
			CLEANUP(memory_free) char *name = memory_format("%s%d", group->deep, j);

			assert_int_equal(cgroup_create(name, &error), 0);
		}
		other = start();
		if (other == 0)
			_exit(-cgroup_delete(group->inner, &error));
		assert_int_equal(cgroup_delete(group->inner, &error), 0);
		waitpid(other, &status, 0);
		assert_int_equal(status, 0);
		assert_false(is_there(group->inner));
	}
}

#define with_group(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_group(test_made_and_taken_away),
		with_group(test_the_group_above_stays_for_others),
		with_group(test_processes),
		with_group(test_taken_away_after_the_last_process),
		with_group(test_threaded_groups_below),
		with_group(test_listed_while_groups_go),
		with_group(test_many_at_once),
		with_group(test_two_take_one_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
