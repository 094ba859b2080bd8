/* ChaCha20-Poly1305 (RFC 8439) as WireGuard uses it: the nonce is four zero bytes and a counter of
 * eight, the tag follows the data, and all is done in place. */
#ifndef WIREGUARD_AEAD_H
#define WIREGUARD_AEAD_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wireguard/messages.h"

#define AEAD_KEY_SIZE 32
#define AEAD_TAG_SIZE MESSAGE_TAG_SIZE

enum aead_direction {
	AEAD_OPEN = 0,
	AEAD_SEAL = 1,
};

/* A key for one direction, made ready once for any number of packets. Zeroed memory is no key. Not
 * for two threads at once. */
struct aead_key {
	EVP_CIPHER_CTX *context; /* owned */
};

/* Replaces what *key held. False, and there is no key, when libcrypto has no memory. The first key of
 * a process takes a millisecond: libcrypto then sets up all the ciphers that it has. */
bool aead_key_set(struct aead_key *key, const uint8_t bytes[static AEAD_KEY_SIZE],
		  enum aead_direction direction);

/* Wipes and frees. */
void aead_key_clear(struct aead_key *key);

/* Seals size bytes; AEAD_TAG_SIZE more are written behind them. Nothing is allocated. */
bool aead_seal(const struct aead_key *key, uint64_t counter, uint8_t *data, size_t size);

/* Opens size bytes, of which the last AEAD_TAG_SIZE are the tag. False when they are not what was
 * sealed; the data is then worthless. Nothing is allocated. */
bool aead_open(const struct aead_key *key, uint64_t counter, uint8_t *data, size_t size);

/* The same for a key that is used once, with associated data. */
bool aead_seal_once(const uint8_t key[static AEAD_KEY_SIZE], uint64_t counter,
		    const void *associated, size_t associated_size, uint8_t *data, size_t size);
bool aead_open_once(const uint8_t key[static AEAD_KEY_SIZE], uint64_t counter,
		    const void *associated, size_t associated_size, uint8_t *data, size_t size);

#endif
