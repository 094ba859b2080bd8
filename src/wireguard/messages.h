/* The wire format alone: whitepaper sections 5.4.2 to 5.4.7. Every field is a string of bytes, so
 * that a message lies anywhere in a packet; numbers are little-endian. */
#ifndef WIREGUARD_MESSAGES_H
#define WIREGUARD_MESSAGES_H

#include <stdint.h>

#include "model/key.h"

#define MESSAGE_TAG_SIZE       16 /* Poly1305 */
#define MESSAGE_HASH_SIZE      32 /* BLAKE2s */
#define MESSAGE_MAC_SIZE       16 /* keyed BLAKE2s */
#define MESSAGE_COOKIE_SIZE    16
#define MESSAGE_NONCE_SIZE     24 /* XChaCha20 */
#define MESSAGE_TIMESTAMP_SIZE 12 /* TAI64N */
#define MESSAGE_PADDING	       16 /* the plaintext of transport data is padded to a multiple */

/* The first four bytes: the type, and three that are zero. */
enum message_type {
	MESSAGE_INITIATION = 1,
	MESSAGE_RESPONSE = 2,
	MESSAGE_COOKIE_REPLY = 3,
	MESSAGE_DATA = 4,
};

/* The end of both handshake messages. */
struct message_macs {
	uint8_t mac1[MESSAGE_MAC_SIZE];
	uint8_t mac2[MESSAGE_MAC_SIZE];
};

struct message_initiation {
	uint8_t type[4];
	uint8_t sender[4];
	uint8_t ephemeral[KEY_SIZE];
	uint8_t sealed_static[KEY_SIZE + MESSAGE_TAG_SIZE];
	uint8_t sealed_timestamp[MESSAGE_TIMESTAMP_SIZE + MESSAGE_TAG_SIZE];
	struct message_macs macs;
};

struct message_response {
	uint8_t type[4];
	uint8_t sender[4];
	uint8_t receiver[4];
	uint8_t ephemeral[KEY_SIZE];
	uint8_t sealed_nothing[MESSAGE_TAG_SIZE];
	struct message_macs macs;
};

struct message_cookie_reply {
	uint8_t type[4];
	uint8_t receiver[4];
	uint8_t nonce[MESSAGE_NONCE_SIZE];
	uint8_t sealed_cookie[MESSAGE_COOKIE_SIZE + MESSAGE_TAG_SIZE];
};

/* The sealed packet follows. */
struct message_data {
	uint8_t type[4];
	uint8_t receiver[4];
	uint8_t counter[8];
};

_Static_assert(sizeof(struct message_initiation) == 148, "whitepaper section 5.4.2");
_Static_assert(sizeof(struct message_response) == 92, "whitepaper section 5.4.3");
_Static_assert(sizeof(struct message_cookie_reply) == 64, "whitepaper section 5.4.7");
_Static_assert(sizeof(struct message_data) == 16, "whitepaper section 5.4.6");

#endif
