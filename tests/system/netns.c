/* kernel/netns on the running kernel, as root: names that are made, killed half-way, fought over
 * and taken away; and kernel/sysctl, whose settings are a namespace's own. */
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
#include <unistd.h>

#include "base/memory.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "kernel/sysctl.h"
#include "scratch.h"

#define PATH_MAX_HERE 64

static void path_of(const char *name, char path[static PATH_MAX_HERE])
{
	snprintf(path, PATH_MAX_HERE, "/run/netns/%s", name);
}

/* Mounts that stand at the path now, one above the other. */
static int count_mounts(const char *path)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[1024], point[512];
	int count = 0;

	assert_non_null(mounts);
	while (fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %*s %*s %*s %511s", point) == 1 && !strcmp(point, path))
			count++;
	fclose(mounts);
	return count;
}

static ino_t own_netns(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

static void test_made_as_iproute2_makes_it(void **state)
{
	const struct scratch *scratch = *state;
	char path[PATH_MAX_HERE], command[128];
	struct error error;
	struct stat status;
	int fd;

	path_of(scratch->name, path);
	assert_int_equal(count_mounts(path), 1);
	assert_int_equal(stat("/run/netns", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	assert_true(scratch_run(scratch, "true"));
	assert_int_equal(netns_create(scratch->name, &error), -EEXIST);
	assert_int_equal(count_mounts(path), 1);
	snprintf(command, sizeof(command), "ip netns delete %s", scratch->name);
	assert_int_equal(system(command), 0);
	assert_int_equal(netns_open(scratch->name, &fd, &error), -ENOENT);
	snprintf(command, sizeof(command), "ip netns add %s", scratch->name);
	assert_int_equal(system(command), 0);
	assert_int_equal(netns_open(scratch->name, &fd, &error), 0);
	close(fd);
	assert_int_equal(netns_delete(scratch->name, &error), 0);
	assert_int_equal(netns_delete(scratch->name, &error), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_bad_names(void **state)
{
	static const char *const bad[] = {"", ".", "..", "../x", "a/b", "/x"};
	char longest[300];
	struct error error;
	int fd = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(netns_create(bad[i], &error), -EINVAL);
		assert_int_equal(netns_delete(bad[i], &error), -EINVAL);
		assert_int_equal(netns_open(bad[i], &fd, &error), -EINVAL);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(netns_create(longest, &error), -EINVAL);
	assert_int_equal(fd, 77);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void test_files_in_the_way(void **state)
{
	const struct scratch *scratch = *state;
	char path[PATH_MAX_HERE];
	struct error error;
	int fd;

	path_of(scratch->name, path);
	assert_int_equal(netns_delete(scratch->name, &error), 0);
	write_file(path, "");
	assert_int_equal(netns_open(scratch->name, &fd, &error), -ENOENT);
	assert_int_equal(netns_create(scratch->name, &error), 0);
	assert_int_equal(count_mounts(path), 1);
	assert_int_equal(netns_delete(scratch->name, &error), 0);

	write_file(path, "precious");
	assert_int_equal(netns_open(scratch->name, &fd, &error), -ENOENT);
	assert_int_equal(netns_create(scratch->name, &error), -EEXIST);
	assert_int_equal(count_mounts(path), 0);
	assert_int_equal(netns_delete(scratch->name, &error), 0);
	assert_int_equal(access(path, F_OK), -1);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(netns_create(scratch->name, &error) < 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_true(netns_create(scratch->name, &error) < 0);
	assert_int_equal(unlink(path), 0);
}

/* A child makes and unmakes the name as fast as it can, and is killed some time; whatever it left
 * is one namespace, an empty file or nothing. */
static void test_killed_at_any_instant(void **state)
{
	const struct scratch *scratch = *state;
	char path[PATH_MAX_HERE];
	struct error error;
	int code, taken_over = 0;

	path_of(scratch->name, path);
	srandom(1);
	for (int i = 0; i < 300; i++) {
		pid_t child = fork();

		if (child == 0) {
			for (;;) {
				netns_create(scratch->name, &error);
				netns_delete(scratch->name, &error);
			}
		}
		usleep((useconds_t)(random() % 3000));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		assert_true(count_mounts(path) <= 1);
		code = netns_create(scratch->name, &error);
		assert_true(code == 0 || code == -EEXIST);
		taken_over += code == 0;
		assert_int_equal(count_mounts(path), 1);
		assert_int_equal(netns_delete(scratch->name, &error), 0);
		assert_int_equal(count_mounts(path), 0);
		assert_int_equal(access(path, F_OK), -1);
	}
	assert_true(taken_over > 0);
}

static void test_many_make_one(void **state)
{
	const struct scratch *scratch = *state;
	char path[PATH_MAX_HERE];
	struct error error;
	pid_t children[16];
	int status, made;

	path_of(scratch->name, path);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(netns_delete(scratch->name, &error), 0);
		for (size_t j = 0; j < ARRAY_SIZE(children); j++) {
			children[j] = fork();
			if (children[j] == 0)
				_exit(-netns_create(scratch->name, &error));
		}
		made = 0;
		for (size_t j = 0; j < ARRAY_SIZE(children); j++) {
			waitpid(children[j], &status, 0);
			assert_true(WIFEXITED(status));
			assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EEXIST);
			made += WEXITSTATUS(status) == 0;
		}
		assert_int_equal(made, 1);
		assert_int_equal(count_mounts(path), 1);
	}
}

static void test_visit(void **state)
{
	const struct scratch *scratch = *state;
	ino_t home = own_netns();
	struct error error;

	{
		CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;

		assert_int_equal(netns_visit_begin(&visit, scratch->netns, &error), 0);
		assert_int_not_equal(own_netns(), home);
	}
	assert_int_equal(own_netns(), home);
	{
		CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
		CLEANUP(fd_close) int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

		assert_int_equal(netns_visit_begin(&visit, file, &error), -EINVAL);
	}
	assert_int_equal(own_netns(), home);
}

static pid_t start_inside(const struct scratch *scratch)
{
	struct error error;
	pid_t child = fork();

	if (child == 0) {
		if (netns_enter(scratch->netns, &error) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	return child;
}

static void test_processes(void **state)
{
	const struct scratch *scratch = *state;
	CLEANUP(memory_free) pid_t *pids = NULL;
	struct error error;
	size_t count = 77;
	pid_t child;

	assert_int_equal(netns_processes(scratch->netns, &pids, &count, &error), 0);
	assert_int_equal(count, 0);
	child = start_inside(scratch);
	for (int i = 0; i < 500 && count == 0; i++) {
		usleep(10000);
		memory_free(&pids);
		assert_int_equal(netns_processes(scratch->netns, &pids, &count, &error), 0);
	}
	assert_int_equal(count, 1);
	assert_int_equal(pids[0], child);
	assert_int_equal(process_end(pids, count, 1000, &error), 0);
	memory_free(&pids);
	assert_int_equal(netns_processes(scratch->netns, &pids, &count, &error), 0);
	assert_int_equal(count, 0); /* a zombie has no namespace */
	waitpid(child, NULL, 0);
	memory_free(&pids);

	/* The caller is not counted among its namespace's processes. */
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	assert_int_equal(netns_visit_begin(&visit, scratch->netns, &error), 0);
	assert_int_equal(netns_processes(scratch->netns, &pids, &count, &error), 0);
	assert_int_equal(count, 0);
}

static void test_sysctl_of_the_namespace(void **state)
{
	const struct scratch *scratch = *state;
	static const char setting[] = "net/ipv4/ping_group_range";
	char outside[64], inside[64];
	struct error error;

	assert_int_equal(sysctl_read(setting, outside, sizeof(outside), &error), 0);
	{
		CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;

		assert_int_equal(netns_visit_begin(&visit, scratch->netns, &error), 0);
		assert_int_equal(sysctl_write(setting, "12 34", &error), 0);
		assert_int_equal(sysctl_read(setting, inside, sizeof(inside), &error), 0);
		assert_string_equal(inside, "12 34");
		assert_int_equal(sysctl_write(setting, "rubbish", &error), -EINVAL);
	}
	assert_int_equal(sysctl_read(setting, inside, sizeof(inside), &error), 0);
	assert_string_equal(inside, outside);

	strcpy(inside, "same");
	assert_int_equal(sysctl_read("net/ipv4/no_such", inside, sizeof(inside), &error), -ENOENT);
	assert_int_equal(sysctl_write("net/ipv4/no_such", "1", &error), -ENOENT);
	assert_int_equal(sysctl_read("../../etc/hostname", inside, sizeof(inside), &error),
			 -EINVAL);
	assert_int_equal(sysctl_read("/etc/hostname", inside, sizeof(inside), &error), -EINVAL);
	assert_int_equal(sysctl_read(setting, inside, 2, &error), -ERANGE);
	assert_string_equal(inside, "same");
}

#define with_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_scratch(test_made_as_iproute2_makes_it),
		cmocka_unit_test(test_bad_names),
		with_scratch(test_files_in_the_way),
		with_scratch(test_killed_at_any_instant),
		with_scratch(test_many_make_one),
		with_scratch(test_visit),
		with_scratch(test_processes),
		with_scratch(test_sysctl_of_the_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
