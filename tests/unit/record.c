/* run/record: what is written of a tunnel is read again, and nothing else is. */
#include "run/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/output.h"

static struct record sample(void)
{
	return (struct record){
		.name = "run@4194304",
		.profile = "home",
		.supervisor = {4194304, 18446744073709ULL},
		.anchor = {7, 8},
		.backend = BACKEND_KERNEL,
		.since = 1700000000,
		.addresses = memory_strdup("10.0.0.2/32, fd00::2/128"),
		.dns = memory_strdup("10.0.0.1, corp.example"),
		.source = memory_strdup("/home/a/vpn.conf 1700000000.5 300"),
		.fingerprint = memory_strdup("ElbDkGnyVUuKQ0vX9BXuYJWNsJdgBVe2IbQQ1JrmA1E="),
	};
}

static void test_round(void **state)
{
	CLEANUP(record_clear) struct record wrote = sample();
	CLEANUP(record_clear) struct record read = {};
	CLEANUP(output_release) json_t *value = record_pack(&wrote);
	struct error error;

	assert_int_equal(record_unpack(value, &read, &error), 0);
	assert_string_equal(read.name, wrote.name);
	assert_string_equal(read.profile, wrote.profile);
	assert_string_equal(read.addresses, wrote.addresses);
	assert_string_equal(read.dns, wrote.dns);
	assert_string_equal(read.source, wrote.source);
	assert_string_equal(read.fingerprint, wrote.fingerprint);
	assert_int_equal(read.supervisor.pid, wrote.supervisor.pid);
	assert_true(read.supervisor.start == wrote.supervisor.start);
	assert_int_equal(read.anchor.pid, wrote.anchor.pid);
	assert_true(read.anchor.start == wrote.anchor.start);
	assert_int_equal(read.backend, wrote.backend);
	assert_true(read.since == wrote.since);
}

static void refuse(json_t *value)
{
	struct record read = {.backend = BACKEND_KERNEL};
	struct error error;

	assert_int_equal(record_unpack(value, &read, &error), -EPROTO);
	/* Nothing of it has been taken. */
	assert_int_equal(read.backend, BACKEND_KERNEL);
	assert_null(read.addresses);
}

static void test_missing(void **state)
{
	CLEANUP(record_clear) struct record wrote = sample();
	CLEANUP(output_release) json_t *value = record_pack(&wrote);
	const char *key;
	json_t *member;

	assert_int_equal(json_object_size(value), 12);
	json_object_foreach(value, key, member)
	{
		CLEANUP(output_release) json_t *without = json_copy(value);
		CLEANUP(output_release) json_t *other = json_copy(value);

		json_object_del(without, key);
		refuse(without);
		json_object_set_new(other, key, json_array());
		refuse(other);
	}
}

static void test_long(void **state)
{
	CLEANUP(record_clear) struct record wrote = sample();
	CLEANUP(output_release) json_t *value = record_pack(&wrote);
	char text[RECORD_NAME_MAX + 1] = {};

	memset(text, 'x', RECORD_NAME_MAX);
	json_object_set_new(value, "name", json_string(text));
	refuse(value);
	json_object_set_new(value, "name", json_string("x"));
	json_object_set_new(value, "profile", json_string(text));
	refuse(value);
	refuse(json_null());
}

static void test_numbers(void **state)
{
	static const char *const keys[] = {"supervisor", "anchor"};
	static const json_int_t wrong[] = {-1, 4294967296 + 1, INT64_MIN};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(wrong); j++) {
			CLEANUP(record_clear) struct record wrote = sample();
			CLEANUP(output_release) json_t *value = record_pack(&wrote);

			json_object_set_new(value, keys[i], json_integer(wrong[j]));
			refuse(value);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
