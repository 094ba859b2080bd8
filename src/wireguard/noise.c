/* Theory of operation
 *
 * Each message mixes public values into a hash, which every sealed field then authenticates, and
 * shared secrets into a chaining key, from which every field's key is derived. The names of the
 * steps are those of the Noise framework: e is an ephemeral key, s a static one, two letters their
 * shared secret with the initiator's first.
 *
 *	initiation	e, es, s sealed, ss, timestamp sealed
 *	response	e, ee, se, psk, nothing sealed
 *
 * What comes from the network is worked on in copies. A handshake changes only when a whole message
 * has proved to be authentic, so a forged one disturbs nothing.
 *
 * An initiation carries the time, which must be later than in all before from this peer: else it is
 * a replay (section 5.1). The time is cut to a coarse grain, so that it does not tell the clock of
 * this machine exactly; the grain is finer than the initiations may follow each other. */
#include "wireguard/noise.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/bytes.h"

#define CONSTRUCTION "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s" /* section 5.4 */
#define IDENTIFIER   "WireGuard v1 zx2c4 Jason@zx2c4.com"

/* TAI64N: seconds since 1970 after 2^62 and the 10 leap seconds that TAI was then ahead. */
#define TAI64_EPOCH	0x400000000000000aULL
#define TIMESTAMP_GRAIN (1U << 24) /* nanoseconds, about 17 ms */

#define INITIATION_INTERVAL (MOMENT_SECOND / NOISE_INITIATIONS_PER_SECOND)

static void transcript_wipe(struct noise_transcript *transcript)
{
	OPENSSL_cleanse(transcript, sizeof(*transcript));
}

static void mix_hash(struct noise_transcript *transcript, const void *data, size_t size)
{
	hash_digest(transcript->hash, HASH_SIZE, data, size, transcript->hash);
}

static void transcript_begin(struct noise_transcript *transcript, const struct key *responder)
{
	hash_digest(CONSTRUCTION, strlen(CONSTRUCTION), NULL, 0, transcript->chaining_key);
	hash_digest(transcript->chaining_key, HASH_SIZE, IDENTIFIER, strlen(IDENTIFIER),
		    transcript->hash);
	mix_hash(transcript, responder->bytes, KEY_SIZE);
}

/* e: a public ephemeral key goes into both. */
static void mix_ephemeral(struct noise_transcript *transcript, const struct key *ephemeral)
{
	mix_hash(transcript, ephemeral->bytes, KEY_SIZE);
	hash_kdf(transcript->chaining_key, ephemeral->bytes, KEY_SIZE, NULL, NULL);
}

/* es, ee, se: the secret of a pair and a public key; gives a field's key where one is wanted. */
static bool mix_shared(struct noise_transcript *transcript, const struct curve_pair *pair,
		       const struct key *public_key, struct key *ret)
{
	CLEANUP(key_wipe) struct key secret;

	if (!curve_shared(pair, public_key, &secret))
		return false;
	hash_kdf(transcript->chaining_key, secret.bytes, KEY_SIZE, ret ? ret->bytes : NULL, NULL);
	return true;
}

/* psk: into both; gives the key of the response's field. */
static void mix_preshared(struct noise_transcript *transcript, const struct key *preshared_key,
			  struct key *ret)
{
	uint8_t mixed[HASH_SIZE];

	hash_kdf(transcript->chaining_key, preshared_key->bytes, KEY_SIZE, mixed, ret->bytes);
	mix_hash(transcript, mixed, sizeof(mixed));
	OPENSSL_cleanse(mixed, sizeof(mixed));
}

/* Seals the size bytes of a field in place; the tag follows them. */
static bool seal_field(struct noise_transcript *transcript, const struct key *key, uint8_t *field,
		       size_t size)
{
	if (!aead_seal_once(key->bytes, 0, transcript->hash, HASH_SIZE, field, size))
		return false;
	mix_hash(transcript, field, size + AEAD_TAG_SIZE);
	return true;
}

/* Opens a field of size bytes with its tag into ret, which has room for the tag too. */
static bool open_field(struct noise_transcript *transcript, const struct key *key,
		       const uint8_t *field, size_t size, uint8_t *ret)
{
	memcpy(ret, field, size);
	if (!aead_open_once(key->bytes, 0, transcript->hash, HASH_SIZE, ret, size))
		return false;
	mix_hash(transcript, field, size);
	return true;
}

static void timestamp_make(const struct timespec *real, uint8_t ret[static MESSAGE_TIMESTAMP_SIZE])
{
	bytes_put_be64(ret, TAI64_EPOCH + (uint64_t)real->tv_sec);
	bytes_put_be32(ret + 8, (uint32_t)real->tv_nsec & ~(TIMESTAMP_GRAIN - 1));
}

bool noise_identity_set(struct noise_identity *identity, const struct key *private_key)
{
	if (key_is_zero(private_key))
		curve_pair_clear(&identity->pair);
	else if (!curve_pair_set(&identity->pair, private_key))
		return false;
	identity->private_key = *private_key;
	return true;
}

void noise_identity_clear(struct noise_identity *identity)
{
	curve_pair_clear(&identity->pair);
	key_wipe(&identity->private_key);
}

void noise_handshake_prepare(struct noise_handshake *handshake,
			     const struct noise_identity *identity)
{
	noise_handshake_forget(handshake);
	key_wipe(&handshake->static_static);
	handshake->has_static_static =
		curve_shared(&identity->pair, &handshake->remote_static, &handshake->static_static);
}

void noise_handshake_forget(struct noise_handshake *handshake)
{
	handshake->state = NOISE_NOTHING;
	transcript_wipe(&handshake->transcript);
	curve_pair_clear(&handshake->ephemeral);
	key_wipe(&handshake->remote_ephemeral);
	handshake->remote_index = 0;
}

/* ss, which has been computed before. */
static void mix_static(struct noise_transcript *transcript, const struct noise_handshake *handshake,
		       struct key *ret)
{
	hash_kdf(transcript->chaining_key, handshake->static_static.bytes, KEY_SIZE, ret->bytes,
		 NULL);
}

bool noise_initiation_create(const struct noise_identity *identity,
			     struct noise_handshake *handshake, uint32_t local_index,
			     const struct timespec *real, struct message_initiation *ret)
{
	struct message_initiation message = {.type = {MESSAGE_INITIATION}};
	struct noise_transcript *transcript = &handshake->transcript;
	CLEANUP(key_wipe) struct key key;

	noise_handshake_forget(handshake);
	if (!handshake->has_static_static || !curve_pair_generate(&handshake->ephemeral))
		return false;
	transcript_begin(transcript, &handshake->remote_static);
	memcpy(message.ephemeral, handshake->ephemeral.public_key.bytes, KEY_SIZE);
	mix_ephemeral(transcript, &handshake->ephemeral.public_key);
	if (!mix_shared(transcript, &handshake->ephemeral, &handshake->remote_static, &key))
		return false;
	memcpy(message.sealed_static, identity->pair.public_key.bytes, KEY_SIZE);
	if (!seal_field(transcript, &key, message.sealed_static, KEY_SIZE))
		return false;
	mix_static(transcript, handshake, &key);
	timestamp_make(real, message.sealed_timestamp);
	if (!seal_field(transcript, &key, message.sealed_timestamp, MESSAGE_TIMESTAMP_SIZE))
		return false;
	bytes_put_le32(message.sender, local_index);
	handshake->state = NOISE_INITIATION_SENT;
	*ret = message;
	return true;
}

bool noise_initiation_open(const struct noise_identity *identity,
			   const struct message_initiation *message, struct noise_initiation *ret)
{
	CLEANUP(noise_initiation_wipe) struct noise_initiation initiation = {};
	uint8_t opened[sizeof(message->sealed_static)];
	CLEANUP(key_wipe) struct key key;

	if (!identity->pair.handle)
		return false;
	transcript_begin(&initiation.transcript, &identity->pair.public_key);
	memcpy(initiation.remote_ephemeral.bytes, message->ephemeral, KEY_SIZE);
	mix_ephemeral(&initiation.transcript, &initiation.remote_ephemeral);
	if (!mix_shared(&initiation.transcript, &identity->pair, &initiation.remote_ephemeral,
			&key) ||
	    !open_field(&initiation.transcript, &key, message->sealed_static,
			sizeof(message->sealed_static), opened))
		return false;
	memcpy(initiation.remote_static.bytes, opened, KEY_SIZE);
	initiation.remote_index = bytes_get_le32(message->sender);
	*ret = initiation;
	return true;
}

bool noise_initiation_accept(const struct noise_identity *identity,
			     struct noise_handshake *handshake,
			     const struct noise_initiation *initiation,
			     const struct message_initiation *message, uint64_t now)
{
	CLEANUP(transcript_wipe) struct noise_transcript transcript = initiation->transcript;
	uint8_t timestamp[sizeof(message->sealed_timestamp)];
	CLEANUP(key_wipe) struct key key;

	if (!handshake->has_static_static)
		return false;
	mix_static(&transcript, handshake, &key);
	if (!open_field(&transcript, &key, message->sealed_timestamp,
			sizeof(message->sealed_timestamp), timestamp))
		return false;
	/* Big-endian numbers compare as strings of bytes. */
	if (memcmp(timestamp, handshake->newest_timestamp, MESSAGE_TIMESTAMP_SIZE) <= 0)
		return false;
	if (handshake->initiation_received &&
	    now - handshake->initiation_received < INITIATION_INTERVAL)
		return false;
	noise_handshake_forget(handshake);
	memcpy(handshake->newest_timestamp, timestamp, MESSAGE_TIMESTAMP_SIZE);
	handshake->initiation_received = now;
	handshake->transcript = transcript;
	handshake->remote_ephemeral = initiation->remote_ephemeral;
	handshake->remote_index = initiation->remote_index;
	handshake->state = NOISE_INITIATION_RECEIVED;
	return true;
}

void noise_initiation_wipe(struct noise_initiation *initiation)
{
	OPENSSL_cleanse(initiation, sizeof(*initiation));
}

bool noise_response_create(struct noise_handshake *handshake, uint32_t local_index,
			   struct message_response *ret)
{
	struct message_response message = {.type = {MESSAGE_RESPONSE}};
	struct noise_transcript *transcript = &handshake->transcript;
	CLEANUP(key_wipe) struct key key;

	if (handshake->state != NOISE_INITIATION_RECEIVED)
		return false;
	if (!curve_pair_generate(&handshake->ephemeral))
		return false;
	memcpy(message.ephemeral, handshake->ephemeral.public_key.bytes, KEY_SIZE);
	mix_ephemeral(transcript, &handshake->ephemeral.public_key);
	if (!mix_shared(transcript, &handshake->ephemeral, &handshake->remote_ephemeral, NULL) ||
	    !mix_shared(transcript, &handshake->ephemeral, &handshake->remote_static, NULL))
		return false;
	mix_preshared(transcript, &handshake->preshared_key, &key);
	if (!seal_field(transcript, &key, message.sealed_nothing, 0))
		return false;
	bytes_put_le32(message.sender, local_index);
	bytes_put_le32(message.receiver, handshake->remote_index);
	handshake->state = NOISE_RESPONSE_SENT;
	*ret = message;
	return true;
}

bool noise_response_consume(const struct noise_identity *identity,
			    struct noise_handshake *handshake,
			    const struct message_response *message)
{
	CLEANUP(transcript_wipe) struct noise_transcript transcript = handshake->transcript;
	uint8_t nothing[sizeof(message->sealed_nothing)];
	CLEANUP(key_wipe) struct key key;
	struct key remote_ephemeral;

	if (handshake->state != NOISE_INITIATION_SENT)
		return false;
	memcpy(remote_ephemeral.bytes, message->ephemeral, KEY_SIZE);
	mix_ephemeral(&transcript, &remote_ephemeral);
	if (!mix_shared(&transcript, &handshake->ephemeral, &remote_ephemeral, NULL) ||
	    !mix_shared(&transcript, &identity->pair, &remote_ephemeral, NULL))
		return false;
	mix_preshared(&transcript, &handshake->preshared_key, &key);
	if (!open_field(&transcript, &key, message->sealed_nothing, sizeof(message->sealed_nothing),
			nothing))
		return false;
	handshake->transcript = transcript;
	handshake->remote_ephemeral = remote_ephemeral;
	handshake->remote_index = bytes_get_le32(message->sender);
	handshake->state = NOISE_RESPONSE_RECEIVED;
	return true;
}

void noise_handshake_finish(struct noise_handshake *handshake, struct noise_keys *ret)
{
	bool initiator = handshake->state == NOISE_RESPONSE_RECEIVED;
	uint8_t *first = initiator ? ret->sending : ret->receiving;
	uint8_t *second = initiator ? ret->receiving : ret->sending;

	hash_kdf(handshake->transcript.chaining_key, NULL, 0, second, NULL);
	memcpy(first, handshake->transcript.chaining_key, AEAD_KEY_SIZE);
	noise_handshake_forget(handshake);
}

void noise_keys_wipe(struct noise_keys *keys)
{
	OPENSSL_cleanse(keys, sizeof(*keys));
}
