#include "wireguard/hash.h"

#include <blake2.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What it refuses are lengths that nobody here asks for. */
static void must(int status)
{
	if (status < 0) {
		fputs("subu: libb2 failed to hash\n", stderr);
		abort();
	}
}

void hash_digest(const void *first, size_t first_size, const void *second, size_t second_size,
		 uint8_t ret[static HASH_SIZE])
{
	blake2s_state state;

	must(blake2s_init(&state, HASH_SIZE));
	must(blake2s_update(&state, first, first_size));
	must(blake2s_update(&state, second, second_size));
	must(blake2s_final(&state, ret, HASH_SIZE));
	OPENSSL_cleanse(&state, sizeof(state));
}

void hash_mac(const void *key, size_t key_size, const void *data, size_t size,
	      uint8_t ret[static MESSAGE_MAC_SIZE])
{
	blake2s_state state;

	must(blake2s_init_key(&state, MESSAGE_MAC_SIZE, key, key_size));
	must(blake2s_update(&state, data, size));
	must(blake2s_final(&state, ret, MESSAGE_MAC_SIZE));
	OPENSSL_cleanse(&state, sizeof(state));
}

void hash_hmac(const uint8_t key[static HASH_SIZE], const void *data, size_t size,
	       uint8_t ret[static HASH_SIZE])
{
	uint8_t inner[BLAKE2S_BLOCKBYTES], outer[BLAKE2S_BLOCKBYTES];
	uint8_t digest[HASH_SIZE];

	memset(inner, 0x36, sizeof(inner));
	memset(outer, 0x5c, sizeof(outer));
	for (size_t i = 0; i < HASH_SIZE; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	hash_digest(inner, sizeof(inner), data, size, digest);
	hash_digest(outer, sizeof(outer), digest, sizeof(digest), ret);
	OPENSSL_cleanse(inner, sizeof(inner));
	OPENSSL_cleanse(outer, sizeof(outer));
	OPENSSL_cleanse(digest, sizeof(digest));
}

void hash_kdf(uint8_t key[static HASH_SIZE], const void *input, size_t size, uint8_t *ret_second,
	      uint8_t *ret_third)
{
	uint8_t secret[HASH_SIZE], block[HASH_SIZE + 1];

	hash_hmac(key, input, size, secret);
	block[0] = 1;
	hash_hmac(secret, block, 1, key);
	memcpy(block, key, HASH_SIZE);
	if (ret_second) {
		block[HASH_SIZE] = 2;
		hash_hmac(secret, block, sizeof(block), ret_second);
		memcpy(block, ret_second, HASH_SIZE);
	}
	if (ret_third) {
		block[HASH_SIZE] = 3;
		hash_hmac(secret, block, sizeof(block), ret_third);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(block, sizeof(block));
}
