/* Token buckets, counted in nanoseconds: a bucket fills by the time that passes, and a token costs
 * the time between two of them. The table has a fixed size. A source falls in one set of a few
 * places by a keyed hash of 64 bits, which also stands for the source: two sources that share all
 * of it would share a bucket, which is no harm. A bucket that has had time to fill says nothing any
 * more, so its place may go to another; when all of a set are in use, a new source is refused. */
#include "wireguard/ratelimiter.h"

#include "wireguard/bytes.h"
#include "wireguard/moment.h"
#include "wireguard/random.h"

#define TOKEN_COST  (MOMENT_SECOND / RATELIMITER_PER_SECOND)
#define CREDIT_MOST (TOKEN_COST * RATELIMITER_BURST)

void ratelimiter_init(struct ratelimiter *limiter)
{
	random_fill(limiter->key, sizeof(limiter->key));
}

static uint64_t source_of(const struct ratelimiter *limiter, const union socket_address *from)
{
	uint8_t text[1 + 8] = {}, digest[MESSAGE_MAC_SIZE];

	text[0] = from->any.sa_family == AF_INET6;
	if (from->any.sa_family == AF_INET6)
		memcpy(text + 1, &from->v6.sin6_addr, 8);
	else
		memcpy(text + 1, &from->v4.sin_addr, 4);
	hash_mac(limiter->key, sizeof(limiter->key), text, sizeof(text), digest);
	return bytes_get_le64(digest) | 1;
}

static uint64_t credit_at(const struct ratelimiter_entry *entry, uint64_t now)
{
	uint64_t passed = now - entry->used;

	return passed >= CREDIT_MOST - entry->credit ? CREDIT_MOST : entry->credit + passed;
}

bool ratelimiter_allow(struct ratelimiter *limiter, const union socket_address *from, uint64_t now)
{
	uint64_t source = source_of(limiter, from);
	struct ratelimiter_entry *set = limiter->entries[(source >> 1) % RATELIMITER_SETS];
	struct ratelimiter_entry *entry = NULL;

	for (size_t i = 0; i < RATELIMITER_WAYS; i++) {
		if (set[i].source == source) {
			entry = &set[i];
			break;
		}
		if (!set[i].source || credit_at(&set[i], now) == CREDIT_MOST)
			entry = &set[i];
	}
	if (!entry)
		return false;
	entry->credit = entry->source == source ? credit_at(entry, now) : CREDIT_MOST;
	entry->source = source;
	entry->used = now;
	if (entry->credit < TOKEN_COST)
		return false;
	entry->credit -= TOKEN_COST;
	return true;
}
