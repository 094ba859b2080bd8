/* BLAKE2s and what the handshake builds from it: Hash, Mac, Hmac and Kdf of whitepaper section 5.4.
 * libcrypto refuses these only when there is no memory, and then the program ends. */
#ifndef WIREGUARD_HASH_H
#define WIREGUARD_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wireguard/messages.h"

#define HASH_SIZE MESSAGE_HASH_SIZE

struct hash;

/* The algorithms, fetched once. NULL with a message when libcrypto has them not. One may not be
 * used by two threads at once. */
struct hash *hash_create(struct error *error);
void hash_free(struct hash **hash);

/* Hash(first || second), 32 bytes. Any argument may be where the result goes. */
void hash_digest(struct hash *hash, const void *first, size_t first_size, const void *second,
		 size_t second_size, uint8_t ret[static HASH_SIZE]);

/* Mac(key, data): keyed BLAKE2s of 16 bytes. */
void hash_mac(struct hash *hash, const void *key, size_t key_size, const void *data, size_t size,
	      uint8_t ret[static MESSAGE_MAC_SIZE]);

/* Hmac(key, data) as in RFC 2104, with a key of 32 bytes. */
void hash_hmac(struct hash *hash, const uint8_t key[static HASH_SIZE], const void *data,
	       size_t size, uint8_t ret[static HASH_SIZE]);

/* Kdf_n(key, input): HKDF (RFC 5869) with the key for salt. The first output replaces the key; the
 * second and third are given where wanted (NULL: not; no third without a second). */
void hash_kdf(struct hash *hash, uint8_t key[static HASH_SIZE], const void *input, size_t size,
	      uint8_t *ret_second, uint8_t *ret_third);

#endif
