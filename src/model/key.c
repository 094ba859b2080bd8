/* Keys as text, without telling by time or by cache line what the key is: a character is turned
 * into its value, and back, by arithmetic on ranges that runs the same way for every value. There
 * is no table to look up and no branch before the whole text has been read. What may be told by
 * time is the length of a text, and whether it was a key at all. */
#include "model/key.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/memory.h"

/* All ones when low <= value <= high, else 0. The operands are small: nothing overflows. */
static int range_mask(int value, int low, int high)
{
	return ~((value - low) | (high - value)) >> 31;
}

/* The value of a character of base64: 0–63, or -1. */
static int base64_value(int c)
{
	return -1 + (range_mask(c, 'A', 'Z') & (c - 'A' + 1)) +
	       (range_mask(c, 'a', 'z') & (c - 'a' + 27)) +
	       (range_mask(c, '0', '9') & (c - '0' + 53)) + (range_mask(c, '+', '+') & 63) +
	       (range_mask(c, '/', '/') & 64);
}

static char base64_character(int value)
{
	return (char)((range_mask(value, 0, 25) & (value + 'A')) |
		      (range_mask(value, 26, 51) & (value - 26 + 'a')) |
		      (range_mask(value, 52, 61) & (value - 52 + '0')) |
		      (range_mask(value, 62, 62) & '+') | (range_mask(value, 63, 63) & '/'));
}

/* The value of a hexadecimal digit: 0–15, or -1. */
static int hex_value(int c)
{
	return -1 + (range_mask(c, '0', '9') & (c - '0' + 1)) +
	       (range_mask(c, 'a', 'f') & (c - 'a' + 11)) +
	       (range_mask(c, 'A', 'F') & (c - 'A' + 11));
}

static char hex_character(int value)
{
	return (char)((range_mask(value, 0, 9) & (value + '0')) |
		      (range_mask(value, 10, 15) & (value - 10 + 'a')));
}

/* Ten groups of four characters carry three bytes each; the last group is three characters for two
 * bytes, its lowest two bits zero, and the '='. */
int key_from_base64(const char *text, struct key *ret, struct error *error)
{
	CLEANUP(key_wipe) struct key key = {};
	int wrong, value;
	uint32_t bits = 0;
	size_t at = 0;

	if (strlen(text) != KEY_BASE64_MAX - 1)
		goto malformed;
	wrong = text[KEY_BASE64_MAX - 2] ^ '=';
	for (size_t i = 0; i < KEY_BASE64_MAX - 2; i++) {
		value = base64_value((unsigned char)text[i]);
		wrong |= value & ~0x3f;
		bits = bits << 6 | (uint32_t)(value & 0x3f);
		if (i % 4)
			key.bytes[at++] = (uint8_t)(bits >> (6 - i % 4 * 2));
	}
	wrong |= (int)(bits & 0x3);
	if (wrong)
		goto malformed;
	*ret = key;
	return 0;
malformed:
	return error_set(error, EINVAL,
			 "a key is 44 characters of base64 with '=' at the end, as 'wg genkey' and "
			 "'wg pubkey' print it");
}

int key_from_hex(const char *text, struct key *ret, struct error *error)
{
	CLEANUP(key_wipe) struct key key = {};
	int wrong = 0, value;

	if (strlen(text) != KEY_HEX_MAX - 1)
		goto malformed;
	for (size_t i = 0; i < KEY_HEX_MAX - 1; i++) {
		value = hex_value((unsigned char)text[i]);
		wrong |= value & ~0xf;
		key.bytes[i / 2] = (uint8_t)(key.bytes[i / 2] << 4 | (value & 0xf));
	}
	if (wrong)
		goto malformed;
	*ret = key;
	return 0;
malformed:
	return error_set(error, EINVAL, "a key in hexadecimal is 64 digits of 0-9 and a-f");
}

void key_to_base64(const struct key *key, char text[static KEY_BASE64_MAX])
{
	uint32_t bits = 0;
	size_t at = 0;

	for (size_t i = 0; i < KEY_SIZE; i++) {
		bits = bits << 8 | key->bytes[i];
		text[at++] = base64_character((int)(bits >> (2 + i % 3 * 2) & 0x3f));
		if (i % 3 == 2)
			text[at++] = base64_character((int)(bits & 0x3f));
	}
	text[at++] = base64_character((int)(bits << 2 & 0x3f));
	text[at++] = '=';
	text[at] = '\0';
}

void key_to_hex(const struct key *key, char text[static KEY_HEX_MAX])
{
	for (size_t i = 0; i < KEY_SIZE; i++) {
		text[i * 2] = hex_character(key->bytes[i] >> 4);
		text[i * 2 + 1] = hex_character(key->bytes[i] & 0xf);
	}
	text[KEY_HEX_MAX - 1] = '\0';
}

int key_generate_private(struct key *ret, struct error *error)
{
	CLEANUP(key_wipe) struct key key;

	if (getentropy(key.bytes, sizeof(key.bytes)) < 0)
		return error_errno(error, "cannot get random bytes for a private key");
	key.bytes[0] &= 248;
	key.bytes[31] = (key.bytes[31] & 127) | 64;
	*ret = key;
	return 0;
}

static void evp_key_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

int key_derive_public(const struct key *private_key, struct key *ret, struct error *error)
{
	CLEANUP(evp_key_free)
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key->bytes,
						      sizeof(private_key->bytes));
	size_t size = KEY_SIZE;
	struct key key;

	if (!pair || EVP_PKEY_get_raw_public_key(pair, key.bytes, &size) != 1)
		return error_set(error, EIO,
				 "libcrypto cannot derive the public key: its X25519 is missing");
	*ret = key;
	return 0;
}

bool key_equal(const struct key *a, const struct key *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, KEY_SIZE) == 0;
}

bool key_is_zero(const struct key *key)
{
	static const struct key zero;

	return key_equal(key, &zero);
}

void key_wipe(struct key *key)
{
	explicit_bzero(key->bytes, sizeof(key->bytes));
}
