/* model/endpoint: HOST:PORT, and which hosts are names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/endpoint.h"

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static void test_round_trip(void **state)
{
	static const char *const good[] = {
		"vpn.example:51820",	   "192.0.2.1:1",	  "[2001:db8::1]:65535",
		"[fe80::1%eth0]:51820",	   "localhost:80",	  "a_b-c.d.e:443",
		"example.com.:443",	   LABEL_63 ".example:1", "1und1.example:1",
		"xn--bcher-kva.example:1",
	};
	char text[ENDPOINT_TEXT_MAX];
	struct endpoint endpoint;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(endpoint_parse(good[i], &endpoint, &error), 0);
		assert_string_equal(endpoint_format(&endpoint, text), good[i]);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		":51820",
		"host",
		"host:",
		"host:0",
		"host:65536",
		"host:-1",
		"host:+1",
		"host: 1",
		"host:1 ",
		" host:1",
		"ho st:1",
		"host:https",
		"2001:db8::1:51820",
		"[2001:db8::1]",
		"[192.0.2.1]:1",
		"[host]:1",
		"[]:1",
		"[::1:1",
		"::1]:1",
		"[::1%]:1",
		"[::1%a/b]:1",
		"[::1%a b]:1",
		"[::1%sixteen-letters-]:1",
		"a..b:1",
		".a:1",
		"-a:1",
		"a-:1",
		"a.-b:1",
		"a/b:1",
		"b\xc3\xbc"
		"cher:1",
		"a\n:1",
		"10.1:1",
		"1.2.3.256:1",
		"0x7f.1:1",
		"017700000001:1",
		"2130706433:1",
		"1.2.3.4.5:1",
		"a" LABEL_63 ":1",
	};
	struct endpoint endpoint = {.port = 77};
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (endpoint_parse(bad[i], &endpoint, &error) == 0)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(endpoint.port, 77); /* untouched */
	}
}

/* 253 characters are the most, a dot at the end among them. */
static void test_longest(void **state)
{
	char text[300] = LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63;
	struct endpoint endpoint;
	struct error error;

	(void)state;
	strcpy(&text[253], ":51820");
	assert_int_equal(endpoint_parse(text, &endpoint, &error), 0);
	assert_int_equal(strlen(endpoint.host), 253);
	strcpy(&text[253], "x:51820");
	assert_true(endpoint_parse(text, &endpoint, &error) < 0);
}

static void test_numeric(void **state)
{
	union socket_address address = {};
	struct endpoint endpoint;
	char text[SOCKET_TEXT_MAX];
	struct error error;

	(void)state;
	assert_int_equal(endpoint_parse("[2001:DB8::1]:51820", &endpoint, &error), 0);
	assert_true(endpoint_is_numeric(&endpoint, &address));
	assert_string_equal(socket_address_format(&address, text), "[2001:db8::1]:51820");
	assert_int_equal(endpoint_parse("192.0.2.1:51820", &endpoint, &error), 0);
	assert_true(endpoint_is_numeric(&endpoint, &address));
	assert_string_equal(socket_address_format(&address, text), "192.0.2.1:51820");
	assert_int_equal(endpoint_parse("vpn.example:51820", &endpoint, &error), 0);
	assert_false(endpoint_is_numeric(&endpoint, &address));
	assert_string_equal(socket_address_format(&address, text), "192.0.2.1:51820");
}

static void test_equal(void **state)
{
	struct endpoint a, b;
	struct error error;

	(void)state;
	assert_int_equal(endpoint_parse("VPN.example:51820", &a, &error), 0);
	assert_int_equal(endpoint_parse("vpn.Example:51820", &b, &error), 0);
	assert_true(endpoint_equal(&a, &b));
	b.port++;
	assert_false(endpoint_equal(&a, &b));
	assert_true(endpoint_equal(&(struct endpoint){}, &(struct endpoint){}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_longest),	   cmocka_unit_test(test_numeric),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
