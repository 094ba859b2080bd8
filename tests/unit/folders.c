/* run/folders: folders that are made, and those that are refused, below one of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "run/folders.h"

struct place {
	char folder[64], made[128]; /* the test's own; and subu below it, not there yet */
};

static int setup(void **state)
{
	struct place *place = memory_zalloc(sizeof(*place));

	strcpy(place->folder, "/tmp/subu-folders-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->made, sizeof(place->made), "%s/a/b/subu", place->folder);
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a/b/subu", "a/b", "a", ""};
	struct place *place = *state;
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", place->folder, names[i]);
		remove(path);
	}
	free(place);
	return 0;
}

static void assert_refused(const char *path, int expected, const char *complaint)
{
	struct error error;
	int fd = -1;

	assert_int_equal(folder_make(path, &error), expected);
	assert_non_null(strstr(error.text, path));
	assert_non_null(strstr(error.text, complaint));
	assert_int_equal(folder_open(path, &fd, &error), expected);
	assert_int_equal(fd, -1);
}

static void test_made(void **state)
{
	const struct place *place = *state;
	char parent[128], path[PATH_MAX];
	CLEANUP(fd_close) int fd = -1;
	struct stat status;
	struct error error;

	assert_int_equal(folder_open(place->made, &fd, &error), -ENOENT);
	snprintf(parent, sizeof(parent), "%s/a/b", place->folder);
	setenv("XDG_CONFIG_HOME", parent, 1);
	assert_int_equal(folders_config_path(path, &error), 0);
	assert_int_equal(stat(path, &status), -1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(folders_config(path, &error), 0);
		assert_string_equal(path, place->made);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode, S_IFDIR | 0700);
	}
	assert_int_equal(stat(parent, &status), 0);
	assert_int_equal(status.st_mode, S_IFDIR | 0700);
	assert_int_equal(folder_open(place->made, &fd, &error), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void test_writable_by_others(void **state)
{
	const struct place *place = *state;
	struct error error;

	assert_int_equal(folder_make(place->made, &error), 0);
	chmod(place->made, 0755);
	assert_int_equal(folder_make(place->made, &error), 0);
	chmod(place->made, 0720);
	assert_refused(place->made, -EPERM, "chmod go-w");
	chmod(place->made, 0702);
	assert_refused(place->made, -EPERM, "chmod go-w");
}

static void test_symbolic_link(void **state)
{
	const struct place *place = *state;
	struct error error;

	assert_int_equal(folder_make(place->made, &error), 0);
	assert_int_equal(rmdir(place->made), 0);
	assert_int_equal(symlink(place->folder, place->made), 0);
	assert_refused(place->made, -ENOTDIR, "no symbolic link");
	assert_int_equal(unlink(place->made), 0);
	assert_int_equal(symlink("/nowhere", place->made), 0);
	assert_refused(place->made, -ENOTDIR, "no symbolic link");
}

static void test_file(void **state)
{
	const struct place *place = *state;
	struct error error;

	assert_int_equal(folder_make(place->made, &error), 0);
	assert_int_equal(rmdir(place->made), 0);
	fclose(fopen(place->made, "w"));
	assert_refused(place->made, -ENOTDIR, "must be a folder");
}

/* One that root has, or for root one of nobody's. */
static void test_another_users(void **state)
{
	const struct place *place = *state;
	struct error error;
	char path[256];

	if (geteuid() != 0) {
		assert_refused("/", -EPERM, "belongs to user 0");
		return;
	}
	assert_int_equal(folder_make(place->made, &error), 0);
	assert_int_equal(chown(place->made, 65534, 65534), 0);
	assert_refused(place->made, -EPERM, "belongs to user 65534");
	snprintf(path, sizeof(path), "%s/below", place->made);
	assert_int_equal(folder_make(path, &error), -EPERM);
	assert_non_null(strstr(error.text, "root makes no folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writable_by_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symbolic_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_users, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
