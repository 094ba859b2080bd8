/* base/ip: what is read is what is written, and nothing else is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/memory.h"

static void test_cidr_round_trip(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"10.0.0.1", "10.0.0.1/32"},
		{"10.0.0.1/0", "10.0.0.1/0"},
		{"2001:db8::1", "2001:db8::1/128"},
		{"2001:DB8:0:0::1/64", "2001:db8::1/64"},
		{"::/0", "::/0"},
	};
	char text[CIDR_TEXT_MAX];
	struct error error;
	struct cidr cidr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(cidr_parse(cases[i].in, &cidr, &error), 0);
		assert_string_equal(cidr_format(&cidr, text), cases[i].out);
	}
}

static void test_cidr_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"10.0.0.1/",
		"10.0.0.1/33",
		"10.0.0.1/-1",
		"10.0.0.1/+1",
		"10.0.0/8",
		"::1/129",
		"10.0.0.1/8/8",
		" 10.0.0.1",
		"10.0.0.1 ",
		"1.2.3.4.5",
		"10.0.0.1/8x",
		"fe80::1%lo",
		"010.0.0.256/8",
		":::/0",
		"10.0.0.1/ 8",
	};
	struct cidr cidr = {.length = 77};
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(cidr_parse(bad[i], &cidr, &error) < 0);
		assert_int_equal(cidr.length, 77); /* untouched */
	}
}

static void test_network_and_contains(void **state)
{
	struct cidr cidr, network;
	struct error error;
	struct ip ip;
	char text[CIDR_TEXT_MAX];

	(void)state;
	assert_int_equal(cidr_parse("192.168.77.254/23", &cidr, &error), 0);
	network = cidr_network(&cidr);
	assert_string_equal(cidr_format(&network, text), "192.168.76.0/23");
	assert_int_equal(ip_parse("192.168.77.1", &ip, &error), 0);
	assert_true(cidr_contains(&network, &ip));
	assert_int_equal(ip_parse("192.168.78.1", &ip, &error), 0);
	assert_false(cidr_contains(&network, &ip));
	assert_int_equal(ip_parse("::ffff:192.168.77.1", &ip, &error), 0);
	assert_false(cidr_contains(&network, &ip));
}

static void test_list(void **state)
{
	CLEANUP(cidr_list_clear) struct cidr_list list = {}, other = {};
	CLEANUP(memory_free) char *text = NULL;
	struct error error;

	(void)state;
	assert_int_equal(cidr_list_parse(" 10.0.0.0/8 ,::/0,192.0.2.1", &list, &error), 0);
	text = cidr_list_format(&list);
	assert_string_equal(text, "10.0.0.0/8, ::/0, 192.0.2.1/32");
	assert_int_equal(cidr_list_parse("192.0.2.1/32,10.0.0.0/8,::/0", &other, &error), 0);
	assert_true(cidr_list_equal(&list, &other));
	cidr_list_clear(&other);
	assert_int_equal(cidr_list_parse("", &other, &error), 0);
	assert_int_equal(other.count, 0);
	assert_true(cidr_list_parse("10.0.0.0/8,", &other, &error) < 0);
	assert_true(cidr_list_parse(",10.0.0.0/8", &other, &error) < 0);
	assert_true(cidr_list_parse("10.0.0.0/8,,::/0", &other, &error) < 0);
}

static void test_socket_address(void **state)
{
	static const char *const good[] = {"192.0.2.1:51820", "[2001:db8::1]:1",
					   "[fe80::1%1]:65535"};
	static const char *const bad[] = {
		"",
		"192.0.2.1",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"2001:db8::1:51820",
		"[192.0.2.1]:5",
		"[2001:db8::1]",
		"host:51820",
		"[::1:5",
		":5",
	};
	union socket_address address;
	char text[SOCKET_TEXT_MAX];
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(socket_address_parse(good[i], &address, &error), 0);
		assert_string_equal(socket_address_format(&address, text), good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(socket_address_parse(bad[i], &address, &error) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cidr_round_trip),	     cmocka_unit_test(test_cidr_refused),
		cmocka_unit_test(test_network_and_contains), cmocka_unit_test(test_list),
		cmocka_unit_test(test_socket_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
