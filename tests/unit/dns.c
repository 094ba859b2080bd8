/* model/dns: servers and search domains from one list, and the resolv.conf made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "model/dns.h"

static void test_list(void **state)
{
	CLEANUP(memory_free) char *text = NULL, *resolv_conf = NULL;
	struct error error;
	struct dns dns = {};

	(void)state;
	assert_int_equal(dns_parse(" 10.0.0.1 ,corp.example, 2001:DB8::1", &dns, &error), 0);
	assert_int_equal(dns_parse("example.net.", &dns, &error), 0);
	assert_int_equal(dns_parse("", &dns, &error), 0);
	text = dns_format(&dns);
	assert_string_equal(text, "10.0.0.1, 2001:db8::1, corp.example, example.net.");
	resolv_conf = dns_resolv_conf(&dns);
	assert_string_equal(resolv_conf,
			    "nameserver 10.0.0.1\nnameserver 2001:db8::1\n"
			    "search corp.example example.net.\n");
}

/* Without a server nothing may be left for the C library to ask but the namespace's own loopback.
 */
static void test_none(void **state)
{
	CLEANUP(memory_free) char *text = NULL, *empty = NULL, *search_only = NULL;
	struct error error;
	struct dns dns = {};

	(void)state;
	text = dns_format(&dns);
	assert_string_equal(text, "");
	empty = dns_resolv_conf(&dns);
	assert_int_equal(empty[0], '#');
	assert_ptr_equal(strchr(empty, '\n'), empty + strlen(empty) - 1);
	assert_int_equal(dns_parse("corp.example", &dns, &error), 0);
	search_only = dns_resolv_conf(&dns);
	assert_string_equal(search_only, empty);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		",",	       "10.0.0.1,",
		"10.0.0.1,,a", "10.0.0.256",
		"10.0.0.1/32", "10.1",
		"a b",	       "a;b",
		"a\nb",	       "-a",
		"fe80::1%lo",  "[::1]",
		"10.0.0.1:53", "\xc3\xa9.example",
	};
	struct dns dns = {.server_count = 1}, before = dns;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(dns_parse(bad[i], &dns, &error) < 0);
		assert_memory_equal(&dns, &before, sizeof(dns));
	}
}

static void test_full(void **state)
{
	struct dns dns = {}, before;
	struct error error;

	(void)state;
	for (int i = 0; i < DNS_SERVERS_MAX; i++)
		assert_int_equal(dns_parse("10.0.0.1", &dns, &error), 0);
	for (int i = 0; i < DNS_SEARCH_MAX; i++)
		assert_int_equal(dns_parse("corp.example", &dns, &error), 0);
	before = dns;
	assert_int_equal(dns_parse("10.0.0.1", &dns, &error), -E2BIG);
	assert_int_equal(dns_parse("corp.example", &dns, &error), -E2BIG);
	assert_memory_equal(&dns, &before, sizeof(dns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
