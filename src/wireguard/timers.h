/* When to do what without having been asked: whitepaper section 6. Each function here tells the
 * timers of a peer that something has happened; timers_run() does what has come due. */
#ifndef WIREGUARD_TIMERS_H
#define WIREGUARD_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "wireguard/moment.h"
#include "wireguard/schedule.h"

/* Section 6.1. Those that end a session are in session.h. */
#define TIMERS_REKEY_TIMEOUT	  (5 * MOMENT_SECOND)
#define TIMERS_REKEY_ATTEMPT_TIME (90 * MOMENT_SECOND)
#define TIMERS_KEEPALIVE_TIMEOUT  (10 * MOMENT_SECOND)
#define TIMERS_REKEY_JITTER_MOST  (333 * MOMENT_SECOND / 1000)

struct work;
struct peer;

enum timer {
	TIMER_RETRY_HANDSHAKE,	    /* no response to an initiation */
	TIMER_KEEPALIVE,	    /* data was received and nothing sent */
	TIMER_NEW_HANDSHAKE,	    /* data was sent and nothing received */
	TIMER_ZERO_KEYS,	    /* no new session for long */
	TIMER_PERSISTENT_KEEPALIVE, /* nothing sent or received for as long as configured */
	TIMER_COUNT,
};

/* Part of a peer. */
struct timers {
	struct schedule_item item;	 /* wakes no later than the least deadline */
	uint64_t deadlines[TIMER_COUNT]; /* MOMENT_NEVER: not set */
	uint64_t attempts_began;	 /* when a handshake was last asked for, not retried */
	bool another_keepalive;		 /* more data was received since the timer was set */
	bool last_minute_handshake;	 /* has been begun in this session */
};

void timers_init(struct timers *timers, struct schedule *schedule);
void timers_remove(struct timers *timers, struct schedule *schedule);

/* Forgets all deadlines. */
void timers_stop(struct work *work, struct peer *peer);

/* A packet with, and any packet, went out or came in; those that came in were authentic. Messages
 * of the handshake are packets too. */
void timers_data_sent(struct work *work, struct peer *peer);
void timers_data_received(struct work *work, struct peer *peer);
void timers_packet_sent(struct work *work, struct peer *peer);
void timers_packet_received(struct work *work, struct peer *peer);

void timers_initiation_sent(struct work *work, struct peer *peer);

/* There is a new session; it has been confirmed by both sides. */
void timers_session_made(struct work *work, struct peer *peer);
void timers_handshake_complete(struct work *work, struct peer *peer);

/* Does what is due for this peer. */
void timers_run(struct work *work, struct peer *peer);

#endif
