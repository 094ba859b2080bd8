/* BLAKE2s (RFC 7693) and what the handshake builds from it: Hash, Mac, Hmac and Kdf of whitepaper
 * section 5.4. By libb2: libcrypto's takes a millisecond to set up, and then twice as long. */
#ifndef WIREGUARD_HASH_H
#define WIREGUARD_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "wireguard/messages.h"

#define HASH_SIZE MESSAGE_HASH_SIZE

/* Hash(first || second), 32 bytes. Any argument may be where the result goes. */
void hash_digest(const void *first, size_t first_size, const void *second, size_t second_size,
		 uint8_t ret[static HASH_SIZE]);

/* Mac(key, data): keyed BLAKE2s of 16 bytes. */
void hash_mac(const void *key, size_t key_size, const void *data, size_t size,
	      uint8_t ret[static MESSAGE_MAC_SIZE]);

/* Hmac(key, data) as in RFC 2104, with a key of 32 bytes. */
void hash_hmac(const uint8_t key[static HASH_SIZE], const void *data, size_t size,
	       uint8_t ret[static HASH_SIZE]);

/* Kdf_n(key, input): HKDF (RFC 5869) with the key for salt. The first output replaces the key; the
 * second and third are given where wanted (NULL: not; no third without a second). */
void hash_kdf(uint8_t key[static HASH_SIZE], const void *input, size_t size, uint8_t *ret_second,
	      uint8_t *ret_third);

#endif
