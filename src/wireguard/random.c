#include "wireguard/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *bytes, size_t size)
{
	uint8_t *at = bytes;
	ssize_t got;

	while (size > 0) {
		got = getrandom(at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			perror("subu: getrandom");
			abort();
		}
		at += got;
		size -= (size_t)got;
	}
}

uint64_t random_below(uint64_t limit)
{
	uint64_t value;

	random_fill(&value, sizeof(value));
	return value % limit;
}
