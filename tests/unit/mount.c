/* kernel/mount: the lines of /proc/self/mountinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>

#include "base/memory.h"
#include "kernel/mount.h"

static void test_info(void **state)
{
	static const struct {
		const char *line;
		unsigned int parent;
		const char *path, *type;
	} cases[] = {
		{"22 27 0:21 / /proc rw,relatime - proc proc rw\n", 27, "/proc", "proc"},
		{"31 23 0:28 / /sys/fs/cgroup rw shared:9 master:1 - cgroup2 cgroup2 rw\n", 23,
		 "/sys/fs/cgroup", "cgroup2"},
		{"1 1 254:0 /a\\040b /x\\040y\\134z\\011\\012 rw - ext4 /dev/vda rw", 1,
		 "/x y\\z\t\n", "ext4"},
		{"66 65 0:4 net:[4026532177] /run/netns/a\\0409 rw - nsfs nsfs rw", 65,
		 "/run/netns/a 9", "nsfs"},
	};
	struct mount_info info;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(memory_free) char *line = memory_strdup(cases[i].line);

		assert_int_equal(mount_info_parse(line, &info), 0);
		assert_int_equal(info.parent, cases[i].parent);
		assert_string_equal(info.path, cases[i].path);
		assert_string_equal(info.type, cases[i].type);
	}
}

static void test_info_refused(void **state)
{
	static const char *const bad[] = {"",
					  "\n",
					  "22",
					  "22 27 0:21 /",
					  "x 27 0:21 / /proc rw",
					  "22 27 0:21 / /proc rw proc",
					  "22 27 0:21 / - proc proc rw",
					  "22 27 0:21 / /proc rw - "};
	struct mount_info info = {.parent = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(memory_free) char *line = memory_strdup(bad[i]);

		assert_int_equal(mount_info_parse(line, &info), -EINVAL);
		assert_int_equal(info.parent, 77); /* untouched */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_info_refused),
	};

	return cmocka_run_group_tests_name("mount", tests, NULL, NULL);
}
