/* wireguard/hash, curve, aead, xchacha: what the documents say comes out, comes out. The values of
 * HMAC, HKDF and keyed BLAKE2s are those of Python's hashlib and hmac. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "hex.h"
#include "wireguard/aead.h"
#include "wireguard/curve.h"
#include "wireguard/hash.h"
#include "wireguard/xchacha.h"

static void count_up(uint8_t *bytes, size_t size, uint8_t from)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(from + i);
}

/* RFC 7693 appendix B. */
static void test_hash(void **state)
{
	uint8_t key[32], out[32];

	(void)state;
	hash_digest("ab", 2, "c", 1, out);
	assert_hex_equal(out, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
	count_up(key, sizeof(key), 0);
	hash_mac(key, sizeof(key), "abc", 3, out);
	assert_hex_equal(out, "61ba5f165c194692e09d12520cc4c74a");
	hash_hmac(key, "abc", 3, out);
	assert_hex_equal(out, "82623be5bc0a391b24dce53e67d028eff92d586de0485ac37822e597d049c74f");
}

static void test_kdf(void **state)
{
	uint8_t key[32], second[32], third[32];

	(void)state;
	count_up(key, sizeof(key), 0);
	hash_kdf(key, "input", 5, second, third);
	assert_hex_equal(key, "87b7f70b24183c6db5dc4f6d9f4c47cdb203321aa2a0bef714896adb3107a040");
	assert_hex_equal(second,
			 "538a02e1eb2e31b7e4d4b82476d1fe2acf50085d3fb584537279195f5d1f5824");
	assert_hex_equal(third, "9ad858025593be88de0f9442a589cfe84a88dc19e4753d93684d1c5efc4837f9");

	count_up(key, sizeof(key), 0);
	hash_kdf(key, "input", 5, NULL, NULL);
	assert_hex_equal(key, "87b7f70b24183c6db5dc4f6d9f4c47cdb203321aa2a0bef714896adb3107a040");
}

/* RFC 7748 section 6.1, Bob's side. */
static void test_curve(void **state)
{
	CLEANUP(curve_pair_clear) struct curve_pair bob = {};
	struct key private_key, alice, shared;

	(void)state;
	hex_read("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
		 private_key.bytes);
	hex_read("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", alice.bytes);
	assert_true(curve_pair_set(&bob, &private_key));
	assert_hex_equal(bob.public_key.bytes,
			 "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	assert_true(curve_shared(&bob, &alice, &shared));
	assert_hex_equal(shared.bytes,
			 "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

/* The points of small order that RFC 7748 section 7 warns of. */
static void test_curve_refuses_small_order(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	CLEANUP(curve_pair_clear) struct curve_pair pair = {};
	struct key point, shared = {{77}};

	(void)state;
	assert_false(curve_shared(&pair, &pair.public_key, &shared)); /* no pair */
	assert_true(curve_pair_generate(&pair));
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		hex_read(points[i], point.bytes);
		assert_false(curve_shared(&pair, &point, &shared));
		assert_int_equal(shared.bytes[0], 77);
	}
}

static void test_aead(void **state)
{
	CLEANUP(aead_key_clear) struct aead_key sealing = {}, opening = {};
	uint8_t bytes[32], data[9 + AEAD_TAG_SIZE];

	(void)state;
	count_up(bytes, sizeof(bytes), 0x80);
	assert_true(aead_key_set(&sealing, bytes, AEAD_SEAL));
	assert_true(aead_key_set(&opening, bytes, AEAD_OPEN));
	memcpy(data, "transport", 9);
	assert_true(aead_seal(&sealing, 0x0102030405060708, data, 9));
	assert_hex_equal(data, "80c38fd523aa34af57c966196bb9b47c95c870c1d203278d77");
	assert_true(aead_open(&opening, 0x0102030405060708, data, sizeof(data)));
	assert_memory_equal(data, "transport", 9);

	/* Another counter, then nothing at all, by the same contexts. */
	assert_true(aead_seal(&sealing, 7, data, 0));
	assert_hex_equal(data, "e69a4e87ebac391984c1cd45c9942a5b");
	assert_true(aead_open(&opening, 7, data, AEAD_TAG_SIZE));
	assert_false(aead_open(&opening, 8, data, AEAD_TAG_SIZE));
	assert_false(aead_open(&opening, 7, data, AEAD_TAG_SIZE - 1));
	assert_true(aead_open(&opening, 7, data, AEAD_TAG_SIZE));
}

/* draft-irtf-cfrg-xchacha-03 section 2.2.1. */
static void test_hchacha(void **state)
{
	uint8_t key[32], nonce[16], out[32];

	(void)state;
	count_up(key, sizeof(key), 0);
	hex_read("000000090000004a0000000031415927", nonce);
	hchacha(key, nonce, out);
	assert_hex_equal(out, "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc");
}

/* draft-irtf-cfrg-xchacha-03 appendix A.3.1. */
static void test_xchacha(void **state)
{
	static const char text[] =
		"Ladies and Gentlemen of the class of '99: If I could offer you "
		"only one tip for the future, sunscreen would be it.";
	enum { SIZE = sizeof(text) - 1 };
	uint8_t key[32], nonce[24], associated[12], data[SIZE + AEAD_TAG_SIZE];

	(void)state;
	count_up(key, sizeof(key), 0x80);
	count_up(nonce, sizeof(nonce), 0x40);
	hex_read("50515253c0c1c2c3c4c5c6c7", associated);
	memcpy(data, text, SIZE);
	assert_true(xchacha_seal(key, nonce, associated, sizeof(associated), data, SIZE));
	assert_hex_equal(data,
			 "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
			 "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
			 "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
			 "21f9664c97637da9768812f615c68b13b52e"
			 "c0875924c1c7987947deafd8780acf49");
	assert_true(xchacha_open(key, nonce, associated, sizeof(associated), data, sizeof(data)));
	assert_memory_equal(data, text, SIZE);
	assert_true(xchacha_seal(key, nonce, associated, sizeof(associated), data, SIZE));
	nonce[0] ^= 1;
	assert_false(xchacha_open(key, nonce, associated, sizeof(associated), data, sizeof(data)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),	cmocka_unit_test(test_kdf),
		cmocka_unit_test(test_curve),	cmocka_unit_test(test_curve_refuses_small_order),
		cmocka_unit_test(test_aead),	cmocka_unit_test(test_hchacha),
		cmocka_unit_test(test_xchacha),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
