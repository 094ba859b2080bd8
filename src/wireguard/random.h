/* Random numbers for keys, indices, cookies and jitter, from getrandom(). They do not fail: a
 * kernel that has no randomness to give is nothing to go on with, and the program ends. */
#ifndef WIREGUARD_RANDOM_H
#define WIREGUARD_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_fill(void *bytes, size_t size);

/* From 0 to limit - 1; the bias of at most limit / 2^64 is of no account for what it is used for.
 */
uint64_t random_below(uint64_t limit);

#endif
