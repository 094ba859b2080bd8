#include "wireguard/xchacha.h"

#include <openssl/crypto.h>

#include "wireguard/bytes.h"

static uint32_t rotate(uint32_t value, unsigned int bits)
{
	return value << bits | value >> (32 - bits);
}

/* RFC 8439 section 2.1. */
static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

/* The block function of ChaCha20 (RFC 8439 section 2.3) with the nonce in the places of counter and
 * nonce; the first and the last row are the result, without the addition at the end. */
void hchacha(const uint8_t key[static AEAD_KEY_SIZE],
	     const uint8_t nonce[static HCHACHA_NONCE_SIZE], uint8_t ret[static AEAD_KEY_SIZE])
{
	uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

	for (size_t i = 0; i < 8; i++)
		state[4 + i] = bytes_get_le32(key + 4 * i);
	for (size_t i = 0; i < 4; i++)
		state[12 + i] = bytes_get_le32(nonce + 4 * i);
	for (unsigned int round = 0; round < 20; round += 2) {
		for (size_t i = 0; i < 4; i++)
			quarter_round(&state[i], &state[4 + i], &state[8 + i], &state[12 + i]);
		for (size_t i = 0; i < 4; i++)
			quarter_round(&state[i], &state[4 + (i + 1) % 4], &state[8 + (i + 2) % 4],
				      &state[12 + (i + 3) % 4]);
	}
	for (size_t i = 0; i < 4; i++) {
		bytes_put_le32(ret + 4 * i, state[i]);
		bytes_put_le32(ret + 16 + 4 * i, state[12 + i]);
	}
	OPENSSL_cleanse(state, sizeof(state));
}

bool xchacha_seal(const uint8_t key[static AEAD_KEY_SIZE],
		  const uint8_t nonce[static XCHACHA_NONCE_SIZE], const void *associated,
		  size_t associated_size, uint8_t *data, size_t size)
{
	uint8_t second[AEAD_KEY_SIZE];
	bool sealed;

	hchacha(key, nonce, second);
	sealed = aead_seal_once(second, bytes_get_le64(nonce + HCHACHA_NONCE_SIZE), associated,
				associated_size, data, size);
	OPENSSL_cleanse(second, sizeof(second));
	return sealed;
}

bool xchacha_open(const uint8_t key[static AEAD_KEY_SIZE],
		  const uint8_t nonce[static XCHACHA_NONCE_SIZE], const void *associated,
		  size_t associated_size, uint8_t *data, size_t size)
{
	uint8_t second[AEAD_KEY_SIZE];
	bool opened;

	hchacha(key, nonce, second);
	opened = aead_open_once(second, bytes_get_le64(nonce + HCHACHA_NONCE_SIZE), associated,
				associated_size, data, size);
	OPENSSL_cleanse(second, sizeof(second));
	return opened;
}
