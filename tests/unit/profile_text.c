/* run/profile_text: what is hidden of a profile, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "run/profile_text.h"

#define KEY    "uDUe7EhB0XLVNd+omAt6fucXMZu+l6oxsbhISXW5Vmo="
#define PUBLIC "ZmSkADtMnnUhh+zKrOLUJs+ntZP/mXSaqeBDVmDr+QU="

struct text_case {
	const char *text, *shown;
};

static void assert_shown(const struct text_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(memory_free) char *exact = memory_zalloc(strlen(cases[i].text) + 1);
		CLEANUP(secret_text_clear) struct secret_text shown = {};
		struct secret_text text = {exact, strlen(cases[i].text)};

		memcpy(exact, cases[i].text, text.size);
		profile_text_hide(&text, &shown);
		assert_int_equal(shown.size, strlen(cases[i].shown));
		assert_memory_equal(shown.bytes, cases[i].shown, shown.size);
	}
}

static void test_assigned(void **state)
{
	static const struct text_case cases[] = {
		{"PrivateKey = " KEY "\n", "PrivateKey = (hidden)\n"},
		{"PrivateKey=" KEY, "PrivateKey=(hidden)"},
		{"privatekey\t =\t" KEY "\n", "privatekey\t =(hidden)\n"},
		{"  PRESHAREDKEY =   " KEY "  \n", "  PRESHAREDKEY = (hidden)\n"},
		{"PresharedKey = " KEY "\r\nMTU = 1\r\n", "PresharedKey = (hidden)\r\nMTU = 1\r\n"},
		{"\xef\xbb\xbfPrivateKey = " KEY, "\xef\xbb\xbfPrivateKey = (hidden)"},
		/* Whatever the value is, to the end of the line. */
		{"PrivateKey = short # " KEY "\n", "PrivateKey = (hidden)\n"},
		{"PrivateKey =\nPrivateKey=\n", "PrivateKey =(hidden)\nPrivateKey=(hidden)\n"},
		/* In comments too, and behind another word. */
		{"#PrivateKey = " KEY "\n", "#PrivateKey = (hidden)\n"},
		{"# old: PresharedKey=" KEY "\n", "# old: PresharedKey=(hidden)\n"},
		{"MTU = 1420 #oldPrivateKey=abc\n", "MTU = 1420 #oldPrivateKey=(hidden)\n"},
	};

	(void)state;
	assert_shown(cases, ARRAY_SIZE(cases));
}

static void test_loose(void **state)
{
	static const struct text_case cases[] = {
		{"# my key: " KEY "\n", "# my key: (hidden)\n"},
		{KEY, "(hidden)"},
		{KEY KEY, "(hidden)(hidden)"},
		{"PostUp = wg set %i private-key <(echo " KEY ")\n",
		 "PostUp = wg set %i private-key <(echo (hidden))\n"},
		{"Private Key : '" KEY "'", "Private Key : '(hidden)'"},
		{"PrivateKey\n" KEY "\n", "PrivateKey\n(hidden)\n"},
		{"PublicKey = " PUBLIC " # " KEY, "PublicKey = " PUBLIC " # (hidden)"},
	};

	(void)state;
	assert_shown(cases, ARRAY_SIZE(cases));
}

static void test_shown(void **state)
{
	static const struct text_case cases[] = {
		{"", ""},
		{"\n", "\n"},
		{"\r\n\r", "\r\n\r"},
		{"PublicKey = " PUBLIC "\n", "PublicKey = " PUBLIC "\n"},
		{"publickey\t=\t" PUBLIC "\r\n", "publickey\t=\t" PUBLIC "\r\n"},
		{"#PublicKey=" PUBLIC, "#PublicKey=" PUBLIC},
		{"# A PrivateKey is a secret\n", "# A PrivateKey is a secret\n"},
		{"Address = 10.0.0.2/32, fd00::2/128\nEndpoint = vpn.example.com:51820",
		 "Address = 10.0.0.2/32, fd00::2/128\nEndpoint = vpn.example.com:51820"},
		{"PostUp = /usr/local/lib/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q up\n",
		 "PostUp = /usr/local/lib/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q up\n"},
	};

	(void)state;
	assert_shown(cases, ARRAY_SIZE(cases));
}

/* What grows most: a line for each empty value. And a long line, which must not take long. */
static void test_room(void **state)
{
	enum { LINES = 1000, LINE = sizeof("PrivateKey=\n") - 1, LONG = 1 << 20 };
	CLEANUP(secret_text_clear) struct secret_text shown = {};
	CLEANUP(memory_free) char *bytes = memory_zalloc(LONG);
	struct secret_text text = {bytes, (size_t)LINES * LINE};

	(void)state;
	for (size_t i = 0; i < LINES; i++)
		memcpy(bytes + i * LINE, "PrivateKey=\n", LINE);
	profile_text_hide(&text, &shown);
	assert_int_equal(shown.size, LINES * (sizeof("PrivateKey=(hidden)\n") - 1));
	secret_text_clear(&shown);
	memset(bytes, 'a', LONG);
	text.size = LONG;
	profile_text_hide(&text, &shown);
	assert_int_equal(shown.size, LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_assigned),
		cmocka_unit_test(test_loose),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
