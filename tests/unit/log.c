/* wireguard/log: a line is said with the time and the device; whoever causes many gets few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "wireguard/log.h"

/* stderr as it was, and the file in its place. */
static int said, before;

static int setup(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	if (!file)
		return -1;
	said = dup(fileno(file));
	fclose(file);
	before = dup(STDERR_FILENO);
	return dup2(said, STDERR_FILENO) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	fd_close(&said);
	return 0;
}

/* Gives stderr back and returns what was said, for the caller to free. */
static char *all_said(void)
{
	char *text = memory_zalloc(64 << 10);

	dup2(before, STDERR_FILENO);
	fd_close(&before);
	assert_true(pread(said, text, (64 << 10) - 1, 0) >= 0);
	return text;
}

static void format_now(char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(text, size, "%Y-%m-%dT%H:%M:%SZ wg0: hello 7\n", &utc);
}

static void test_line(void **state)
{
	struct log log = {.name = "wg0"};
	char early[64], late[64];
	CLEANUP(memory_free) char *text = NULL;

	(void)state;
	format_now(early, sizeof(early));
	log_line(&log, "hello %d", 7);
	format_now(late, sizeof(late));
	text = all_said();
	assert_true(strcmp(text, early) == 0 || strcmp(text, late) == 0);
}

static void test_many_lines(void **state)
{
	struct log log = {.name = "wg0"};
	CLEANUP(memory_free) char *text = NULL;
	unsigned int lines = 0;

	(void)state;
	for (unsigned int i = 0; i < LOG_BURST + 100; i++)
		log_line(&log, "line %u", i);
	/* As if an hour had passed. */
	log.since -= 3600;
	log_line(&log, "afterwards");
	text = all_said();
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, LOG_BURST + 1);
	assert_non_null(strstr(text, "afterwards (100 lines left out)\n"));
}

static void test_long_line(void **state)
{
	struct log log = {.name = "wg0"};
	CLEANUP(memory_free) char *text = NULL;
	char line[2000];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	log_line(&log, "%s", line);
	text = all_said();
	assert_true(strlen(text) < 400);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_line, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
