/* The two MACs at the end of a handshake message and the cookies behind the second: whitepaper
 * sections 5.3, 5.4.4 and 5.4.7. */
#ifndef WIREGUARD_COOKIE_H
#define WIREGUARD_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "wireguard/hash.h"
#include "wireguard/messages.h"

/* Two keys that follow from a public key: whoever knows it can make a mac1, and read a cookie. */
struct cookie_keys {
	uint8_t mac1[HASH_SIZE];
	uint8_t cookie[HASH_SIZE];
};

/* Our side as the one who is asked: what handshake messages to us must be sealed with. Zeroed
 * memory is good to begin with, once the keys are derived. */
struct cookie_checker {
	struct cookie_keys keys;   /* of our public key */
	uint8_t secret[HASH_SIZE]; /* cookies are made of it */
	uint64_t secret_born;	   /* nanoseconds; 0: there is none yet */
};

/* Our side as the one who asks, one a peer. */
struct cookie_jar {
	struct cookie_keys keys;	     /* of the peer's public key */
	uint8_t sent_mac1[MESSAGE_MAC_SIZE]; /* of the last message, to which a reply may come */
	bool awaiting;			     /* a reply to it */
	uint8_t cookie[MESSAGE_COOKIE_SIZE];
	uint64_t cookie_born; /* nanoseconds; 0: there is none */
};

enum cookie_verdict {
	COOKIE_BAD_MAC, /* mac1 is wrong: not from anyone who knows our public key */
	COOKIE_NONE,	/* mac1 is right, mac2 is not */
	COOKIE_GOOD,	/* both are right: the sender receives what we send to his address */
};

void cookie_keys_derive(struct cookie_keys *keys, const struct key *public_key);

/* Fills in the MACs at the end of a handshake message to the owner of the jar's keys. */
void cookie_add_macs(struct cookie_jar *jar, uint8_t *message, size_t size, uint64_t now);

/* Judges the MACs at the end of a handshake message; `from` counts for the second alone. */
enum cookie_verdict cookie_check(struct cookie_checker *checker, const uint8_t *message,
				 size_t size, const union socket_address *from, uint64_t now);

/* Makes the reply to a handshake message with a cookie for its sender. False when libcrypto has no
 * memory. */
bool cookie_reply_create(struct cookie_checker *checker, const uint8_t *message, size_t size,
			 const union socket_address *from, uint64_t now,
			 struct message_cookie_reply *ret);

/* Keeps the cookie of a reply to the last message sent. False, and nothing changed, when it is not
 * one. */
bool cookie_reply_consume(struct cookie_jar *jar, const struct message_cookie_reply *reply,
			  uint64_t now);

#endif
