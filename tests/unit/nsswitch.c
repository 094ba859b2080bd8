/* enter/nsswitch: the line for hosts is ours, every other byte is the machine's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "enter/nsswitch.h"

static void test_rewrite(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", "hosts: files dns\n"},
		{"hosts: files mdns4_minimal [NOTFOUND=return] resolve dns\n",
		 "hosts: files dns\n"},
		{"passwd: files\nhosts: resolve\ngroup: files\n",
		 "passwd: files\nhosts: files dns\ngroup: files\n"},
		{"passwd: files", "passwd: files\nhosts: files dns\n"},
		{"hosts: resolve", "hosts: files dns\n"},
		{"  \thosts:resolve # why\n", "hosts: files dns\n"},
		{"hosts resolve\n", "hosts: files dns\n"},
		{"hosts", "hosts: files dns\n"},
		{"hosts:\nhosts:\n", "hosts: files dns\nhosts: files dns\n"},
		/* No lines for hosts: */
		{"#hosts: resolve\n", "#hosts: resolve\nhosts: files dns\n"},
		{"hostsx: a\nHOSTS: b\n", "hostsx: a\nHOSTS: b\nhosts: files dns\n"},
		{"\n\nhosts: resolve\r\n\n", "\n\nhosts: files dns\n\n"},
		{"passwd: hosts\n \n", "passwd: hosts\n \nhosts: files dns\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(memory_free) char *out = nsswitch_rewrite(cases[i].in);

		assert_string_equal(out, cases[i].out);
	}
}

/* What was rewritten stays as it is, whatever it was: many random texts of the pieces that matter.
 */
static void test_idempotent(void **state)
{
	static const char *const pieces[] = {"hosts", ":", " ", "\n", "#", "files", "\t", "hosts:"};
	char text[12 * 6 + 1];

	(void)state;
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		CLEANUP(memory_free) char *once = NULL;
		CLEANUP(memory_free) char *twice = NULL;

		text[0] = '\0';
		for (long n = random() % 12; n > 0; n--)
			strcat(text, pieces[(size_t)random() % ARRAY_SIZE(pieces)]);
		once = nsswitch_rewrite(text);
		twice = nsswitch_rewrite(once);
		assert_string_equal(once, twice);
		assert_non_null(strstr(once, "hosts: files dns\n"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewrite),
		cmocka_unit_test(test_idempotent),
	};

	return cmocka_run_group_tests_name("nsswitch", tests, NULL, NULL);
}
