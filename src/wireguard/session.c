#include "wireguard/session.h"

#include "base/memory.h"

void sessions_init(struct sessions *sessions, struct peer *peer)
{
	*sessions = (struct sessions){};
	for (size_t i = 0; i < ARRAY_SIZE(sessions->slots); i++) {
		sessions->slots[i].index.kind = INDEX_SESSION;
		sessions->slots[i].index.peer = peer;
	}
}

/* Wipes the session that a place refers to, and empties the place. */
static void end(struct session **place, struct table *indices)
{
	struct session *session = *place;

	if (!session)
		return;
	aead_key_clear(&session->sending);
	aead_key_clear(&session->receiving);
	indices_remove(indices, &session->index);
	*place = NULL;
}

static struct session *take_slot(struct sessions *sessions)
{
	struct session *session = sessions->slots;

	while (session->index.in_use)
		session++;
	return session;
}

/* After this there are at most two, and a slot is free. */
static void make_place(struct sessions *sessions, struct table *indices, bool initiator)
{
	end(&sessions->previous, indices);
	if (!initiator) {
		end(&sessions->next, indices);
	} else if (sessions->next) {
		end(&sessions->current, indices);
		sessions->previous = MEMORY_TAKE(sessions->next);
	} else {
		sessions->previous = MEMORY_TAKE(sessions->current);
	}
}

bool sessions_add(struct sessions *sessions, struct table *indices, const struct noise_keys *keys,
		  struct index_entry *handshake, uint32_t remote_index, bool initiator,
		  uint64_t now)
{
	struct session *session;

	make_place(sessions, indices, initiator);
	session = take_slot(sessions);
	if (!aead_key_set(&session->sending, keys->sending, AEAD_SEAL) ||
	    !aead_key_set(&session->receiving, keys->receiving, AEAD_OPEN)) {
		aead_key_clear(&session->sending);
		return false;
	}
	indices_hand_over(indices, handshake, &session->index);
	session->counter = 0;
	session->replay = (struct replay){};
	session->born = now;
	session->remote_index = remote_index;
	session->initiator = initiator;
	session->revoked = false;
	*(initiator ? &sessions->current : &sessions->next) = session;
	return true;
}

bool sessions_confirm(struct sessions *sessions, struct table *indices,
		      const struct session *session)
{
	if (session != sessions->next)
		return false;
	end(&sessions->previous, indices);
	sessions->previous = sessions->current;
	sessions->current = MEMORY_TAKE(sessions->next);
	return true;
}

void sessions_clear(struct sessions *sessions, struct table *indices)
{
	end(&sessions->previous, indices);
	end(&sessions->current, indices);
	end(&sessions->next, indices);
}

void sessions_revoke(struct sessions *sessions)
{
	for (size_t i = 0; i < ARRAY_SIZE(sessions->slots); i++)
		sessions->slots[i].revoked = true;
}

static bool expired(const struct session *session, uint64_t now)
{
	return now - session->born >= SESSION_REJECT_AFTER_TIME;
}

bool session_may_send(const struct session *session, uint64_t now)
{
	return session && !session->revoked && !expired(session, now) &&
	       session->counter < SESSION_REJECT_AFTER_MESSAGES;
}

bool session_may_receive(const struct session *session, uint64_t counter, uint64_t now)
{
	return !expired(session, now) && counter < SESSION_REJECT_AFTER_MESSAGES;
}
