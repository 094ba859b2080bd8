/* Theory of operation
 *
 * Whoever sends a handshake message proves with mac1 that he knows our public key, or else he never
 * hears from us. Under load that is not enough: a reply then carries a cookie, a MAC of the
 * sender's address and port under a secret of ours, and only a message whose mac2 was made with
 * that cookie is worked on. So nobody makes us work from an address he does not own. The cookie
 * travels sealed under a key that follows from our public key, and bound by its associated data to
 * the mac1 of the message it answers, so that nobody who saw neither can plant one.
 *
 * The secret changes every two minutes, and so does a cookie end (section 5.4.7). The one who holds
 * it drops it five seconds before, for the time the message is on its way; Linux does the same. */
#include "wireguard/cookie.h"

#include <openssl/crypto.h>
#include <string.h>

#include "wireguard/bytes.h"
#include "wireguard/moment.h"
#include "wireguard/random.h"
#include "wireguard/xchacha.h"

#define SECRET_LIFE (120 * MOMENT_SECOND)
#define COOKIE_LIFE (SECRET_LIFE - 5 * MOMENT_SECOND)

#define LABEL_MAC1   "mac1----" /* section 5.4.4 */
#define LABEL_COOKIE "cookie--" /* section 5.4.7 */
#define LABEL_SIZE   8

void cookie_keys_derive(struct cookie_keys *keys, const struct key *public_key)
{
	hash_digest(LABEL_MAC1, LABEL_SIZE, public_key->bytes, KEY_SIZE, keys->mac1);
	hash_digest(LABEL_COOKIE, LABEL_SIZE, public_key->bytes, KEY_SIZE, keys->cookie);
}

/* mac1 covers all before it, mac2 also covers mac1. */
static void mac1_of(const struct cookie_keys *keys, const uint8_t *message, size_t size,
		    uint8_t ret[static MESSAGE_MAC_SIZE])
{
	hash_mac(keys->mac1, sizeof(keys->mac1), message, size - sizeof(struct message_macs), ret);
}

static void mac2_of(const uint8_t cookie[static MESSAGE_COOKIE_SIZE], const uint8_t *message,
		    size_t size, uint8_t ret[static MESSAGE_MAC_SIZE])
{
	hash_mac(cookie, MESSAGE_COOKIE_SIZE, message, size - MESSAGE_MAC_SIZE, ret);
}

static struct message_macs *macs_of(uint8_t *message, size_t size)
{
	return (struct message_macs *)(message + size - sizeof(struct message_macs));
}

void cookie_add_macs(struct cookie_jar *jar, uint8_t *message, size_t size, uint64_t now)
{
	struct message_macs *macs = macs_of(message, size);

	mac1_of(&jar->keys, message, size, macs->mac1);
	memcpy(jar->sent_mac1, macs->mac1, sizeof(jar->sent_mac1));
	jar->awaiting = true;
	if (jar->cookie_born && now - jar->cookie_born < COOKIE_LIFE)
		mac2_of(jar->cookie, message, size, macs->mac2);
	else
		memset(macs->mac2, 0, sizeof(macs->mac2));
}

/* The cookie of an address: the MAC of its bytes and its port's. */
static void cookie_make(struct cookie_checker *checker, const union socket_address *from,
			uint64_t now, uint8_t ret[static MESSAGE_COOKIE_SIZE])
{
	uint8_t text[16 + 2];
	size_t size = 0;

	if (!checker->secret_born || now - checker->secret_born >= SECRET_LIFE) {
		random_fill(checker->secret, sizeof(checker->secret));
		checker->secret_born = now;
	}
	if (from->any.sa_family == AF_INET6) {
		memcpy(text, &from->v6.sin6_addr, 16);
		memcpy(text + 16, &from->v6.sin6_port, 2);
		size = 18;
	} else {
		memcpy(text, &from->v4.sin_addr, 4);
		memcpy(text + 4, &from->v4.sin_port, 2);
		size = 6;
	}
	hash_mac(checker->secret, sizeof(checker->secret), text, size, ret);
}

enum cookie_verdict cookie_check(struct cookie_checker *checker, const uint8_t *message,
				 size_t size, const union socket_address *from, uint64_t now)
{
	const struct message_macs *macs = macs_of((uint8_t *)message, size);
	uint8_t expected[MESSAGE_MAC_SIZE], cookie[MESSAGE_COOKIE_SIZE];

	mac1_of(&checker->keys, message, size, expected);
	if (CRYPTO_memcmp(expected, macs->mac1, sizeof(expected)) != 0)
		return COOKIE_BAD_MAC;
	cookie_make(checker, from, now, cookie);
	mac2_of(cookie, message, size, expected);
	return CRYPTO_memcmp(expected, macs->mac2, sizeof(expected)) ? COOKIE_NONE : COOKIE_GOOD;
}

bool cookie_reply_create(struct cookie_checker *checker, const uint8_t *message, size_t size,
			 const union socket_address *from, uint64_t now,
			 struct message_cookie_reply *ret)
{
	const struct message_macs *macs = macs_of((uint8_t *)message, size);
	struct message_cookie_reply reply = {.type = {MESSAGE_COOKIE_REPLY}};

	/* Both handshake messages begin with the type and their sender's index. */
	memcpy(reply.receiver, message + 4, sizeof(reply.receiver));
	random_fill(reply.nonce, sizeof(reply.nonce));
	cookie_make(checker, from, now, reply.sealed_cookie);
	if (!xchacha_seal(checker->keys.cookie, reply.nonce, macs->mac1, sizeof(macs->mac1),
			  reply.sealed_cookie, MESSAGE_COOKIE_SIZE))
		return false;
	*ret = reply;
	return true;
}

bool cookie_reply_consume(struct cookie_jar *jar, const struct message_cookie_reply *reply,
			  uint64_t now)
{
	uint8_t cookie[sizeof(reply->sealed_cookie)];

	if (!jar->awaiting)
		return false;
	memcpy(cookie, reply->sealed_cookie, sizeof(cookie));
	if (!xchacha_open(jar->keys.cookie, reply->nonce, jar->sent_mac1, sizeof(jar->sent_mac1),
			  cookie, sizeof(cookie)))
		return false;
	memcpy(jar->cookie, cookie, sizeof(jar->cookie));
	jar->cookie_born = now;
	jar->awaiting = false;
	return true;
}
