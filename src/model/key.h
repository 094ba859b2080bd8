/* WireGuard keys: 32 bytes, base64 with one '=' for people and .conf files, hex in the UAPI.
 * Encoding and decoding take the same time whatever the key is. A variable that held a private or
 * preshared key is wiped: CLEANUP(key_wipe) struct key key. */
#ifndef MODEL_KEY_H
#define MODEL_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define KEY_SIZE       32
#define KEY_BASE64_MAX 45 /* 44 characters and the NUL */
#define KEY_HEX_MAX    65

struct key {
	uint8_t bytes[KEY_SIZE];
};

/* Read exactly 44 characters of canonical base64, or 64 of hex. -EINVAL otherwise; the message
 * never quotes the text, which may be a secret mistyped. */
int key_from_base64(const char *text, struct key *ret, struct error *error);
int key_from_hex(const char *text, struct key *ret, struct error *error);

void key_to_base64(const struct key *key, char text[static KEY_BASE64_MAX]);
void key_to_hex(const struct key *key, char text[static KEY_HEX_MAX]);

/* A fresh Curve25519 private key, clamped (RFC 7748 section 5). */
int key_generate_private(struct key *ret, struct error *error);

/* The public key of a private key: X25519 with the base point. */
int key_derive_public(const struct key *private_key, struct key *ret, struct error *error);

/* Constant time. */
bool key_equal(const struct key *a, const struct key *b);
bool key_is_zero(const struct key *key);

void key_wipe(struct key *key);

#endif
