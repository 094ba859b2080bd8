/* XChaCha20-Poly1305, ChaCha20-Poly1305 with a nonce of 24 bytes that may be drawn at random
 * (draft-irtf-cfrg-xchacha-03). libcrypto has no such cipher: HChaCha20, which makes a key of the
 * first 16 bytes of the nonce, is ours, the rest is aead.h's. */
#ifndef WIREGUARD_XCHACHA_H
#define WIREGUARD_XCHACHA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wireguard/aead.h"

#define XCHACHA_NONCE_SIZE 24
#define HCHACHA_NONCE_SIZE 16

/* Section 2.2: a key for the second stage. */
void hchacha(const uint8_t key[static AEAD_KEY_SIZE],
	     const uint8_t nonce[static HCHACHA_NONCE_SIZE], uint8_t ret[static AEAD_KEY_SIZE]);

/* In place, the tag behind the data, as aead_seal_once() and aead_open_once(). */
bool xchacha_seal(const uint8_t key[static AEAD_KEY_SIZE],
		  const uint8_t nonce[static XCHACHA_NONCE_SIZE], const void *associated,
		  size_t associated_size, uint8_t *data, size_t size);
bool xchacha_open(const uint8_t key[static AEAD_KEY_SIZE],
		  const uint8_t nonce[static XCHACHA_NONCE_SIZE], const void *associated,
		  size_t associated_size, uint8_t *data, size_t size);

#endif
