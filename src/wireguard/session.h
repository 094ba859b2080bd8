/* The sessions with a peer: transport keys and counters (whitepaper sections 5.4.5, 5.4.6 and 6.1
 * to 6.3). There are at most three:
 *
 *	current		what is sent, is sent under this one
 *	previous	the one before, for packets still on their way
 *	next		ours as responder, not yet confirmed: nothing is sent under it until the
 *			initiator has sent something, and so proved that he has the keys
 */
#ifndef WIREGUARD_SESSION_H
#define WIREGUARD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "wireguard/aead.h"
#include "wireguard/indices.h"
#include "wireguard/moment.h"
#include "wireguard/noise.h"
#include "wireguard/replay.h"

/* Section 6.1; the last leaves room for the replay window, as in Linux. */
#define SESSION_REKEY_AFTER_MESSAGES  (1ULL << 60)
#define SESSION_REJECT_AFTER_MESSAGES (UINT64_MAX - REPLAY_WINDOW - 1)
#define SESSION_REKEY_AFTER_TIME      (120 * MOMENT_SECOND)
#define SESSION_REJECT_AFTER_TIME     (180 * MOMENT_SECOND)

struct session {
	struct index_entry index; /* in use: the session is */
	struct aead_key sending, receiving;
	uint64_t counter; /* of the next packet to send */
	struct replay replay;
	uint64_t born; /* nanoseconds */
	uint32_t remote_index;
	bool initiator; /* it was us who began it */
	bool revoked;	/* nothing more is sent under it */
};

struct sessions {
	struct session slots[3];
	struct session *current, *previous, *next; /* among the slots; NULL: none */
};

void sessions_init(struct sessions *sessions, struct peer *peer);

/* Makes a session of a complete handshake, to which the handshake's index goes over: the current
 * one for the initiator, the next one for the responder. Remote_index and initiator are the
 * handshake's. False when libcrypto has no memory. */
bool sessions_add(struct sessions *sessions, struct table *indices, const struct noise_keys *keys,
		  struct index_entry *handshake, uint32_t remote_index, bool initiator,
		  uint64_t now);

/* An authentic packet came under this session. True when that makes it, the next one until now,
 * current. */
bool sessions_confirm(struct sessions *sessions, struct table *indices,
		      const struct session *session);

/* Wipes and forgets all. */
void sessions_clear(struct sessions *sessions, struct table *indices);

/* Nothing more is sent under any of them; what is on its way to us is still taken. */
void sessions_revoke(struct sessions *sessions);

/* May a packet be sent, or one with this counter be opened, under the session? */
bool session_may_send(const struct session *session, uint64_t now);
bool session_may_receive(const struct session *session, uint64_t counter, uint64_t now);

#endif
