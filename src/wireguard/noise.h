/* The handshake, Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (whitepaper sections 5.4.1 to 5.4.5): two
 * messages, after which both sides have a pair of transport keys. */
#ifndef WIREGUARD_NOISE_H
#define WIREGUARD_NOISE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "model/key.h"
#include "wireguard/aead.h"
#include "wireguard/curve.h"
#include "wireguard/hash.h"
#include "wireguard/messages.h"
#include "wireguard/moment.h"

/* As in Linux: a peer may begin this many handshakes a second. */
#define NOISE_INITIATIONS_PER_SECOND 50

/* What a device brings to all of its handshakes. */
struct noise_identity {
	struct key private_key; /* zero: none */
	struct curve_pair pair; /* none: no handshake is possible */
};

/* The hash and the chaining key that both sides carry from step to step. */
struct noise_transcript {
	uint8_t hash[HASH_SIZE];
	uint8_t chaining_key[HASH_SIZE];
};

enum noise_state {
	NOISE_NOTHING, /* no handshake is under way */
	NOISE_INITIATION_SENT,
	NOISE_INITIATION_RECEIVED,
	NOISE_RESPONSE_SENT,	 /* complete, as responder */
	NOISE_RESPONSE_RECEIVED, /* complete, as initiator */
};

/* The handshake with one peer. */
struct noise_handshake {
	struct key remote_static;
	struct key preshared_key; /* zero: none */
	struct key static_static; /* the secret of both static keys */
	bool has_static_static;	  /* false: the peer's key is of small order, or we have none */
	uint8_t newest_timestamp[MESSAGE_TIMESTAMP_SIZE]; /* of all initiations received */
	uint64_t initiation_received; /* nanoseconds: the last one accepted; 0: never */

	enum noise_state state;
	struct noise_transcript transcript;
	struct curve_pair ephemeral; /* ours */
	struct key remote_ephemeral;
	uint32_t remote_index;
};

/* An initiation that has been opened as far as its sender's static key. It is wiped by
 * noise_initiation_wipe(). */
struct noise_initiation {
	struct key remote_static;
	struct key remote_ephemeral;
	struct noise_transcript transcript;
	uint32_t remote_index;
};

/* The keys of a session. Wiped by noise_keys_wipe(). */
struct noise_keys {
	uint8_t sending[AEAD_KEY_SIZE];
	uint8_t receiving[AEAD_KEY_SIZE];
};

/* Takes a private key; zero: takes it away. False when libcrypto has no memory. Each handshake must
 * then be prepared again. */
bool noise_identity_set(struct noise_identity *identity, const struct key *private_key);
void noise_identity_clear(struct noise_identity *identity);

/* Computes what depends on both static keys, and forgets the handshake under way. */
void noise_handshake_prepare(struct noise_handshake *handshake,
			     const struct noise_identity *identity);

/* Forgets, and wipes the secrets of, the handshake under way. */
void noise_handshake_forget(struct noise_handshake *handshake);

/* Begins a handshake under an index of ours; real is the time of day. False when it is not possible
 * between these two keys. */
bool noise_initiation_create(const struct noise_identity *identity,
			     struct noise_handshake *handshake, uint32_t local_index,
			     const struct timespec *real, struct message_initiation *ret);

/* Opens a message as far as its sender's static key: false when it is not for us. */
bool noise_initiation_open(const struct noise_identity *identity,
			   const struct message_initiation *message, struct noise_initiation *ret);

/* Goes on with the handshake of the peer that the initiation is from. False, and nothing changed,
 * when it is not from him, is a replay, or comes too soon after another. */
bool noise_initiation_accept(const struct noise_identity *identity,
			     struct noise_handshake *handshake,
			     const struct noise_initiation *initiation,
			     const struct message_initiation *message, uint64_t now);
void noise_initiation_wipe(struct noise_initiation *initiation);

/* Answers the initiation received under an index of ours. */
bool noise_response_create(struct noise_handshake *handshake, uint32_t local_index,
			   struct message_response *ret);

/* Goes on with the handshake that the response is for. False, and nothing changed, when it is not
 * right. */
bool noise_response_consume(const struct noise_identity *identity,
			    struct noise_handshake *handshake,
			    const struct message_response *message);

/* Gives the keys of a complete handshake, which is then forgotten. */
void noise_handshake_finish(struct noise_handshake *handshake, struct noise_keys *ret);
void noise_keys_wipe(struct noise_keys *keys);

#endif
