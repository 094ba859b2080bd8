/* A sliding window in the manner of RFC 6479: a ring of words with one bit a counter. Moving the
 * window forward clears whole words, and nothing is ever shifted. One word is always partly in the
 * future, so the window is one word smaller than the ring. */
#include "wireguard/replay.h"

#include <string.h>

#define WORDS (REPLAY_BITS / REPLAY_WORD)

static void forget_up_to(struct replay *replay, uint64_t counter)
{
	uint64_t word = counter / REPLAY_WORD;
	uint64_t newest = replay->next ? (replay->next - 1) / REPLAY_WORD : 0;

	if (word - newest >= WORDS)
		memset(replay->seen, 0, sizeof(replay->seen));
	else
		while (newest < word)
			replay->seen[++newest % WORDS] = 0;
	replay->next = counter + 1;
}

bool replay_accept(struct replay *replay, uint64_t counter)
{
	uint64_t *word = &replay->seen[counter / REPLAY_WORD % WORDS];
	uint64_t bit = 1ULL << counter % REPLAY_WORD;

	if (counter >= replay->next)
		forget_up_to(replay, counter);
	else if (replay->next - 1 - counter > REPLAY_WINDOW || *word & bit)
		return false;
	*word |= bit;
	return true;
}
