#include "wireguard/curve.h"

#include <openssl/evp.h>

#include "base/memory.h"
#include "wireguard/random.h"

static void handle_free(EVP_PKEY **handle)
{
	EVP_PKEY_free(*handle);
}

static void operation_free(EVP_PKEY_CTX **operation)
{
	EVP_PKEY_CTX_free(*operation);
}

void curve_warm_up(void)
{
	EVP_KEYMGMT_free(EVP_KEYMGMT_fetch(NULL, "X25519", NULL));
	EVP_KEYEXCH_free(EVP_KEYEXCH_fetch(NULL, "X25519", NULL));
}

bool curve_pair_set(struct curve_pair *pair, const struct key *private_key)
{
	CLEANUP(handle_free)
	EVP_PKEY *handle =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key->bytes, KEY_SIZE);
	size_t size = KEY_SIZE;
	struct key public_key;

	if (!handle || !EVP_PKEY_get_raw_public_key(handle, public_key.bytes, &size))
		return false;
	curve_pair_clear(pair);
	pair->handle = MEMORY_TAKE(handle);
	pair->public_key = public_key;
	return true;
}

bool curve_pair_generate(struct curve_pair *pair)
{
	CLEANUP(key_wipe) struct key private_key;

	random_fill(private_key.bytes, KEY_SIZE);
	return curve_pair_set(pair, &private_key);
}

void curve_pair_clear(struct curve_pair *pair)
{
	EVP_PKEY_free(pair->handle);
	*pair = (struct curve_pair){};
}

bool curve_shared(const struct curve_pair *pair, const struct key *public_key, struct key *ret)
{
	CLEANUP(operation_free) EVP_PKEY_CTX *operation = NULL;
	CLEANUP(handle_free) EVP_PKEY *other = NULL;
	CLEANUP(key_wipe) struct key secret = {};
	size_t size = KEY_SIZE;

	if (!pair->handle)
		return false;
	other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key->bytes, KEY_SIZE);
	operation = EVP_PKEY_CTX_new(pair->handle, NULL);
	if (!other || !operation || EVP_PKEY_derive_init(operation) <= 0 ||
	    EVP_PKEY_derive_set_peer(operation, other) <= 0 ||
	    EVP_PKEY_derive(operation, secret.bytes, &size) <= 0 || key_is_zero(&secret))
		return false;
	*ret = secret;
	return true;
}
