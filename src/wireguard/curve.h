/* X25519 (RFC 7748): key pairs and shared secrets. The private half of a pair lives in libcrypto
 * only, which wipes it. */
#ifndef WIREGUARD_CURVE_H
#define WIREGUARD_CURVE_H

#include <openssl/types.h>
#include <stdbool.h>

#include "model/key.h"

/* Zeroed memory is no pair. */
struct curve_pair {
	EVP_PKEY *handle; /* owned */
	struct key public_key;
};

/* Has libcrypto look for its X25519 now, which takes a while, and not when the first of the others is
 * called. */
void curve_warm_up(void);

/* Both put a pair in the place of what *pair held. False, and nothing changed, when libcrypto has
 * no memory. */
bool curve_pair_set(struct curve_pair *pair, const struct key *private_key);
bool curve_pair_generate(struct curve_pair *pair);

void curve_pair_clear(struct curve_pair *pair);

/* The secret that the pair shares with the owner of a public key. False for a public key of small
 * order, whose secrets are all zero and bind nobody, and when there is no pair or no memory; *ret
 * is then untouched. */
bool curve_shared(const struct curve_pair *pair, const struct key *public_key, struct key *ret);

#endif
