#include "wireguard/hash.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define BLOCK_SIZE 64 /* RFC 7693 section 2.1: what HMAC pads its key to */

struct hash {
	EVP_MD *algorithm;
	EVP_MD_CTX *digest;
	EVP_MAC *mac_algorithm;
	EVP_MAC_CTX *mac;
};

static void must(int done)
{
	if (!done) {
		fputs("subu: libcrypto failed to hash\n", stderr);
		abort();
	}
}

struct hash *hash_create(struct error *error)
{
	CLEANUP(hash_free) struct hash *hash = memory_zalloc(sizeof(*hash));

	hash->algorithm = EVP_MD_fetch(NULL, "BLAKE2S-256", NULL);
	hash->mac_algorithm = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	if (hash->algorithm && hash->mac_algorithm) {
		hash->digest = EVP_MD_CTX_new();
		hash->mac = EVP_MAC_CTX_new(hash->mac_algorithm);
	}
	if (!hash->digest || !hash->mac) {
		error_set(error, ENOTSUP, "libcrypto does not offer BLAKE2s");
		return NULL;
	}
	return MEMORY_TAKE(hash);
}

void hash_free(struct hash **hash)
{
	if (!*hash)
		return;
	EVP_MAC_CTX_free((*hash)->mac);
	EVP_MAC_free((*hash)->mac_algorithm);
	EVP_MD_CTX_free((*hash)->digest);
	EVP_MD_free((*hash)->algorithm);
	memory_free(hash);
}

void hash_digest(struct hash *hash, const void *first, size_t first_size, const void *second,
		 size_t second_size, uint8_t ret[static HASH_SIZE])
{
	must(EVP_DigestInit_ex2(hash->digest, hash->algorithm, NULL));
	must(EVP_DigestUpdate(hash->digest, first, first_size));
	must(EVP_DigestUpdate(hash->digest, second, second_size));
	must(EVP_DigestFinal_ex(hash->digest, ret, NULL));
}

void hash_mac(struct hash *hash, const void *key, size_t key_size, const void *data, size_t size,
	      uint8_t ret[static MESSAGE_MAC_SIZE])
{
	size_t length = MESSAGE_MAC_SIZE;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &length),
		OSSL_PARAM_construct_end(),
	};

	must(EVP_MAC_init(hash->mac, key, key_size, parameters));
	must(EVP_MAC_update(hash->mac, data, size));
	must(EVP_MAC_final(hash->mac, ret, &length, MESSAGE_MAC_SIZE));
}

void hash_hmac(struct hash *hash, const uint8_t key[static HASH_SIZE], const void *data,
	       size_t size, uint8_t ret[static HASH_SIZE])
{
	uint8_t inner[BLOCK_SIZE], outer[BLOCK_SIZE];
	uint8_t digest[HASH_SIZE];

	memset(inner, 0x36, sizeof(inner));
	memset(outer, 0x5c, sizeof(outer));
	for (size_t i = 0; i < HASH_SIZE; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	hash_digest(hash, inner, sizeof(inner), data, size, digest);
	hash_digest(hash, outer, sizeof(outer), digest, sizeof(digest), ret);
	OPENSSL_cleanse(inner, sizeof(inner));
	OPENSSL_cleanse(outer, sizeof(outer));
	OPENSSL_cleanse(digest, sizeof(digest));
}

void hash_kdf(struct hash *hash, uint8_t key[static HASH_SIZE], const void *input, size_t size,
	      uint8_t *ret_second, uint8_t *ret_third)
{
	uint8_t secret[HASH_SIZE], block[HASH_SIZE + 1];

	hash_hmac(hash, key, input, size, secret);
	block[0] = 1;
	hash_hmac(hash, secret, block, 1, key);
	memcpy(block, key, HASH_SIZE);
	if (ret_second) {
		block[HASH_SIZE] = 2;
		hash_hmac(hash, secret, block, sizeof(block), ret_second);
		memcpy(block, ret_second, HASH_SIZE);
	}
	if (ret_third) {
		block[HASH_SIZE] = 3;
		hash_hmac(hash, secret, block, sizeof(block), ret_third);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(block, sizeof(block));
}
