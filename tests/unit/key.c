/* model/key: the vectors of RFC 7748, and which text is a key. Encoding is compared with
 * libcrypto's, which looks its characters up in a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/memory.h"
#include "model/key.h"

#define KEY_HEX "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"

/* RFC 7748 section 6.1: Alice's pair and Bob's. */
static void test_derive_public(void **state)
{
	static const struct {
		const char *private_key, *public_key;
	} vectors[] = {
		{KEY_HEX, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
		{"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
		 "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
	};
	struct key private_key, public_key;
	char text[KEY_HEX_MAX];
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		assert_int_equal(key_from_hex(vectors[i].private_key, &private_key, &error), 0);
		assert_int_equal(key_derive_public(&private_key, &public_key, &error), 0);
		key_to_hex(&public_key, text);
		assert_string_equal(text, vectors[i].public_key);
	}
}

static void test_text_round_trip(void **state)
{
	char text[KEY_BASE64_MAX], hex[KEY_HEX_MAX], expected[KEY_BASE64_MAX];
	struct key key, again;
	struct error error;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(RAND_bytes(key.bytes, sizeof(key.bytes)), 1);
		EVP_EncodeBlock((unsigned char *)expected, key.bytes, sizeof(key.bytes));
		key_to_base64(&key, text);
		assert_string_equal(text, expected);
		assert_int_equal(key_from_base64(text, &again, &error), 0);
		assert_true(key_equal(&key, &again));
		key_to_hex(&key, hex);
		assert_int_equal(key_from_hex(hex, &again, &error), 0);
		assert_true(key_equal(&key, &again));
	}
}

/* Every byte at every place: what is read is what would be written, and all that can be is read. */
static void test_base64_every_byte(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	char text[KEY_BASE64_MAX], again[KEY_BASE64_MAX];
	struct key key = {};
	struct error error;

	(void)state;
	for (size_t at = 0; at < KEY_BASE64_MAX - 1; at++)
		for (int byte = 1; byte < 256; byte++) {
			const char *place = strchr(alphabet, byte);
			bool right = at == 43 ? byte == '=' : place != NULL;

			if (at == 42 && place)
				right = (place - alphabet) % 4 == 0;
			key_to_base64(&(struct key){}, text);
			text[at] = (char)byte;
			assert_int_equal(key_from_base64(text, &key, &error) == 0, right);
			if (!right)
				continue;
			key_to_base64(&key, again);
			assert_string_equal(again, text);
		}
}

static void test_hex_every_byte(void **state)
{
	struct key key = {};
	char text[KEY_HEX_MAX];
	struct error error;

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		bool right = strchr("0123456789abcdefABCDEF", byte) != NULL;

		strcpy(text, KEY_HEX);
		text[63] = (char)byte;
		assert_int_equal(key_from_hex(text, &key, &error) == 0, right);
		if (right)
			assert_int_equal(key.bytes[31], 0x20 + strtol(&text[63], NULL, 16));
	}
}

static void test_refused(void **state)
{
	static const char secret[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo";
	static const char *const tails[] = {"", "==", "=\n", "= ", "=A", "A=", "\n="};
	struct key key = {{77}};
	struct error error;
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		strcpy(stpcpy(text, secret), tails[i]);
		assert_true(key_from_base64(text, &key, &error) < 0);
		assert_null(strstr(error.text, "dwdt"));
		assert_int_equal(key.bytes[0], 77); /* untouched */
	}
	assert_true(key_from_base64("", &key, &error) < 0);
	assert_true(key_from_hex("", &key, &error) < 0);
	assert_true(key_from_hex(KEY_HEX "0", &key, &error) < 0);
	assert_true(key_from_hex(KEY_HEX "00", &key, &error) < 0);
	assert_true(key_from_hex(&KEY_HEX[1], &key, &error) < 0);
	assert_int_equal(key.bytes[0], 77);
}

static void test_generate(void **state)
{
	struct key key, previous = {};
	struct error error;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(key_generate_private(&key, &error), 0);
		assert_int_equal(key.bytes[0] & 7, 0);
		assert_int_equal(key.bytes[31] & 0xc0, 0x40);
		assert_false(key_equal(&key, &previous));
		previous = key;
	}
	assert_false(key_is_zero(&key));
	key_wipe(&key);
	assert_true(key_is_zero(&key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derive_public),	  cmocka_unit_test(test_text_round_trip),
		cmocka_unit_test(test_base64_every_byte), cmocka_unit_test(test_hex_every_byte),
		cmocka_unit_test(test_refused),		  cmocka_unit_test(test_generate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
