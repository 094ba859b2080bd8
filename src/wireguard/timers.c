/* Theory of operation
 *
 * A peer's timers follow from four kinds of events, and nothing here runs by itself:
 *
 *	sent an initiation	try again after REKEY_TIMEOUT and some jitter, until
 *				REKEY_ATTEMPT_TIME has passed (section 6.4)
 *	received data		answer with an empty packet after KEEPALIVE_TIMEOUT unless something
 *				was sent by then (section 6.5)
 *	sent data		begin a handshake after KEEPALIVE_TIMEOUT + REKEY_TIMEOUT unless
 *				something was received by then: the other side should at least have
 *				sent its empty packet (section 6.5)
 *	made a session		wipe all keys after three times REJECT_AFTER_TIME (section 6.3)
 *
 * The remaining rules of section 6.2, which look at a session's age or counter as packets move, are
 * in send.c and receive.c.
 *
 * Deadlines change with nearly every packet, and nearly always to later. So the schedule is told of
 * a deadline only when it comes before the time the peer would be woken at anyway; woken for a
 * deadline that has moved, a peer goes back to sleep. */
#include "wireguard/timers.h"

#include "wireguard/device_state.h"
#include "wireguard/random.h"
#include "wireguard/send.h"

static void set(struct work *work, struct peer *peer, enum timer timer, uint64_t wait)
{
	uint64_t deadline = work->now->monotonic + wait;

	peer->timers.deadlines[timer] = deadline;
	if (deadline < peer->timers.item.at)
		schedule_set(&work->device->schedule, &peer->timers.item, deadline);
}

static void unset(struct peer *peer, enum timer timer)
{
	peer->timers.deadlines[timer] = MOMENT_NEVER;
}

static bool is_set(const struct peer *peer, enum timer timer)
{
	return peer->timers.deadlines[timer] != MOMENT_NEVER;
}

/* So that two peers that began together do not go on doing so. */
static uint64_t jitter(void)
{
	return random_below(TIMERS_REKEY_JITTER_MOST);
}

void timers_init(struct timers *timers, struct schedule *schedule)
{
	for (size_t i = 0; i < TIMER_COUNT; i++)
		timers->deadlines[i] = MOMENT_NEVER;
	schedule_add(schedule, &timers->item);
}

void timers_remove(struct timers *timers, struct schedule *schedule)
{
	schedule_remove(schedule, &timers->item);
}

void timers_stop(struct work *work, struct peer *peer)
{
	for (size_t i = 0; i < TIMER_COUNT; i++)
		peer->timers.deadlines[i] = MOMENT_NEVER;
	peer->timers.another_keepalive = false;
	peer->timers.last_minute_handshake = false;
	schedule_set(&work->device->schedule, &peer->timers.item, MOMENT_NEVER);
}

static void packet_moved(struct work *work, struct peer *peer)
{
	if (peer->keepalive)
		set(work, peer, TIMER_PERSISTENT_KEEPALIVE, peer->keepalive * MOMENT_SECOND);
}

void timers_data_sent(struct work *work, struct peer *peer)
{
	if (!is_set(peer, TIMER_NEW_HANDSHAKE))
		set(work, peer, TIMER_NEW_HANDSHAKE,
		    TIMERS_KEEPALIVE_TIMEOUT + TIMERS_REKEY_TIMEOUT + jitter());
}

void timers_data_received(struct work *work, struct peer *peer)
{
	if (is_set(peer, TIMER_KEEPALIVE))
		peer->timers.another_keepalive = true;
	else
		set(work, peer, TIMER_KEEPALIVE, TIMERS_KEEPALIVE_TIMEOUT);
}

void timers_packet_sent(struct work *work, struct peer *peer)
{
	unset(peer, TIMER_KEEPALIVE);
	packet_moved(work, peer);
}

void timers_packet_received(struct work *work, struct peer *peer)
{
	unset(peer, TIMER_NEW_HANDSHAKE);
	packet_moved(work, peer);
}

void timers_initiation_sent(struct work *work, struct peer *peer)
{
	set(work, peer, TIMER_RETRY_HANDSHAKE, TIMERS_REKEY_TIMEOUT + jitter());
}

void timers_session_made(struct work *work, struct peer *peer)
{
	set(work, peer, TIMER_ZERO_KEYS, 3 * SESSION_REJECT_AFTER_TIME);
}

void timers_handshake_complete(struct work *work, struct peer *peer)
{
	unset(peer, TIMER_RETRY_HANDSHAKE);
	peer->timers.last_minute_handshake = false;
	peer->last_handshake = work->now->real;
}

static void retry_handshake(struct work *work, struct peer *peer)
{
	if (work->now->monotonic - peer->timers.attempts_began < TIMERS_REKEY_ATTEMPT_TIME) {
		peer_forget_source(peer);
		timers_initiation_sent(work, peer); /* again later, even if it cannot be now */
		send_initiation(work, peer, true);
		return;
	}
	unset(peer, TIMER_KEEPALIVE);
	peer_drop_staged(work->device, peer);
	if (!is_set(peer, TIMER_ZERO_KEYS))
		set(work, peer, TIMER_ZERO_KEYS, 3 * SESSION_REJECT_AFTER_TIME);
}

static void passive_keepalive(struct work *work, struct peer *peer)
{
	bool another = peer->timers.another_keepalive;

	peer->timers.another_keepalive = false;
	send_keepalive(work, peer);
	if (another)
		set(work, peer, TIMER_KEEPALIVE, TIMERS_KEEPALIVE_TIMEOUT);
}

static void expire(struct work *work, struct peer *peer, enum timer timer)
{
	switch (timer) {
	case TIMER_RETRY_HANDSHAKE:
		retry_handshake(work, peer);
		break;
	case TIMER_KEEPALIVE:
		passive_keepalive(work, peer);
		break;
	case TIMER_NEW_HANDSHAKE:
		peer_forget_source(peer);
		send_initiation(work, peer, false);
		break;
	case TIMER_ZERO_KEYS:
		peer_forget_keys(work->device, peer);
		break;
	case TIMER_PERSISTENT_KEEPALIVE:
		packet_moved(work, peer); /* again later, even if nothing can be sent now */
		if (peer->keepalive)
			send_keepalive(work, peer);
		break;
	case TIMER_COUNT:
		break;
	}
}

void timers_run(struct work *work, struct peer *peer)
{
	uint64_t *deadlines = peer->timers.deadlines;
	uint64_t least = MOMENT_NEVER;

	for (unsigned int i = 0; i < TIMER_COUNT; i++) {
		if (deadlines[i] > work->now->monotonic)
			continue;
		unset(peer, i);
		expire(work, peer, i);
	}
	for (unsigned int i = 0; i < TIMER_COUNT; i++)
		if (deadlines[i] < least)
			least = deadlines[i];
	schedule_set(&work->device->schedule, &peer->timers.item, least);
}
