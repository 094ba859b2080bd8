#include "wireguard/aead.h"

#include <limits.h>
#include <openssl/evp.h>

#include "base/memory.h"
#include "wireguard/bytes.h"

#define NONCE_SIZE 12

bool aead_key_set(struct aead_key *key, const uint8_t bytes[static AEAD_KEY_SIZE],
		  enum aead_direction direction)
{
	aead_key_clear(key);
	key->context = EVP_CIPHER_CTX_new();
	if (!key->context || !EVP_CipherInit_ex2(key->context, EVP_chacha20_poly1305(), bytes, NULL,
						 direction, NULL)) {
		aead_key_clear(key);
		return false;
	}
	return true;
}

void aead_key_clear(struct aead_key *key)
{
	EVP_CIPHER_CTX_free(key->context);
	key->context = NULL;
}

/* Sets the nonce, which starts a message, and runs the associated data and the data through. The
 * tag has been set before when opening, and is read after when sealing. */
static bool run(EVP_CIPHER_CTX *context, uint64_t counter, const void *associated,
		size_t associated_size, uint8_t *data, size_t size)
{
	uint8_t nonce[NONCE_SIZE] = {};
	int written;

	if (size > INT_MAX || associated_size > INT_MAX)
		return false;
	bytes_put_le64(nonce + 4, counter);
	return EVP_CipherInit_ex2(context, NULL, NULL, nonce, -1, NULL) &&
	       (!associated_size ||
		EVP_CipherUpdate(context, NULL, &written, associated, (int)associated_size)) &&
	       (!size || EVP_CipherUpdate(context, data, &written, data, (int)size)) &&
	       EVP_CipherFinal_ex(context, data + size, &written);
}

static bool seal(EVP_CIPHER_CTX *context, uint64_t counter, const void *associated,
		 size_t associated_size, uint8_t *data, size_t size)
{
	return run(context, counter, associated, associated_size, data, size) &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, data + size);
}

static bool open_sealed(EVP_CIPHER_CTX *context, uint64_t counter, const void *associated,
			size_t associated_size, uint8_t *data, size_t size)
{
	if (size < AEAD_TAG_SIZE)
		return false;
	size -= AEAD_TAG_SIZE;
	return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_SIZE, data + size) &&
	       run(context, counter, associated, associated_size, data, size);
}

bool aead_seal(const struct aead_key *key, uint64_t counter, uint8_t *data, size_t size)
{
	return seal(key->context, counter, NULL, 0, data, size);
}

bool aead_open(const struct aead_key *key, uint64_t counter, uint8_t *data, size_t size)
{
	return open_sealed(key->context, counter, NULL, 0, data, size);
}

bool aead_seal_once(const uint8_t key[static AEAD_KEY_SIZE], uint64_t counter,
		    const void *associated, size_t associated_size, uint8_t *data, size_t size)
{
	CLEANUP(aead_key_clear) struct aead_key once = {};

	return aead_key_set(&once, key, AEAD_SEAL) &&
	       seal(once.context, counter, associated, associated_size, data, size);
}

bool aead_open_once(const uint8_t key[static AEAD_KEY_SIZE], uint64_t counter,
		    const void *associated, size_t associated_size, uint8_t *data, size_t size)
{
	CLEANUP(aead_key_clear) struct aead_key once = {};

	return aead_key_set(&once, key, AEAD_OPEN) &&
	       open_sealed(once.context, counter, associated, associated_size, data, size);
}
