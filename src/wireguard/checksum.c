#include "wireguard/checksum.h"

#include <string.h>

/* Words of 32 bits are added up without a look at carries: there is room for 2^32 of them above. 2^16
 * is 1 modulo 0xffff, so that words of any size add up to the same (RFC 1071, section 2). */
uint16_t checksum_add(uint16_t sum, const uint8_t *bytes, size_t size)
{
	uint64_t even = sum, odd = 0, word = 0;

	for (; size >= sizeof(word); size -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		even += (uint32_t)word;
		odd += word >> 32;
	}
	word = 0;
	memcpy(&word, bytes, size);
	even += (uint32_t)word;
	odd += word >> 32;
	even = (even & UINT32_MAX) + (even >> 32) + (odd & UINT32_MAX) + (odd >> 32);
	while (even >> 16)
		even = (even & UINT16_MAX) + (even >> 16);
	return (uint16_t)even;
}
