/* Foreign text made fit to be shown: by hand for each bound of RFC 3629, and every text of one to
 * four bytes of interest against what jansson, another's reader of UTF-8, makes of it. */
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/output.h"
#include "base/text.h"

static void shows(const char *text, const char *expected)
{
	CLEANUP(memory_free) char *copy = memory_strdup(text);

	text_make_printable(copy);
	assert_string_equal(copy, expected);
}

static void test_printable_stays(void **state)
{
	(void)state;
	shows("", "");
	shows(" A-z~", " A-z~");
	shows("café", "café");
	shows("\xc2\xa0\xdf\xbf", "\xc2\xa0\xdf\xbf");
	shows("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
	      "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
	shows("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

static void test_controls(void **state)
{
	(void)state;
	shows("a\n\tb\x1b[31m\x7f", "a??b?[31m?");
	shows("\xc2\x80\xc2\x9b[31m\xc2\x9f", "????[31m??");
}

static void test_not_utf8(void **state)
{
	(void)state;
	shows("caf\xe9", "caf?");
	shows("\x80 \xbf \xc0\x80 \xc1\xbf", "? ? ?? ??");
	shows("\xe0\x9f\xbf", "???");
	shows("\xed\xa0\x80", "???");
	shows("\xf0\x8f\xbf\xbf", "????");
	shows("\xf4\x90\x80\x80", "????");
	shows("\xf5\x80\x80\x80 \xff", "???? ?");
	shows("\xe2\x82", "??");
	shows("\xe2\x82x\xf0\x9f\x98\xc3\xa9", "??x???\xc3\xa9");
}

/* What is printable is what jansson reads, controls aside, and all of it is read afterwards. */
static void check_with_jansson(const char *text)
{
	CLEANUP(memory_free) char *copy = memory_strdup(text);
	CLEANUP(output_release) json_t *before = json_string(text);
	CLEANUP(output_release) json_t *after = NULL;

	text_make_printable(copy);
	after = json_string(copy);
	assert_non_null(after);
	if (strcmp(copy, text) == 0)
		assert_non_null(before);
	else if (before)
		assert_true(strcspn(text, "\x01\x1f\x7f") < strlen(text) || strstr(text, "\xc2"));
}

static void test_against_jansson(void **state)
{
	static const char bytes[] =
		"\x01\x1f\x20\x7e\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf"
		"\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff";
	const size_t count = sizeof(bytes); /* the NUL makes the shorter ones */
	char text[5] = "";

	(void)state;
	for (size_t i = 0; i < count * count * count * count; i++) {
		text[0] = bytes[i % count];
		text[1] = bytes[i / count % count];
		text[2] = bytes[i / count / count % count];
		text[3] = bytes[i / count / count / count];
		check_with_jansson(text);
	}
}

static void test_json_string_of_any_bytes(void **state)
{
	CLEANUP(output_release) json_t *string = output_text("eth\xff\n0");

	(void)state;
	assert_string_equal(json_string_value(string), "eth??0");
}

static void test_no_answer_is_not_lost_in_silence(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_int_not_equal(child, -1);
	if (child == 0) {
		close(STDERR_FILENO);
		output_json(NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable_stays),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_against_jansson),
		cmocka_unit_test(test_json_string_of_any_bytes),
		cmocka_unit_test(test_no_answer_is_not_lost_in_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
