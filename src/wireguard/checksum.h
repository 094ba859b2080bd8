/* The Internet checksum (RFC 1071).
 *
 * A sum is of 16-bit words as they lie in memory, whatever the machine's byte order: a number that
 * is added by itself has to be in network order, and a result is stored as it is. Two sums that
 * differ in being 0 or 0xffff are the same. */
#ifndef WIREGUARD_CHECKSUM_H
#define WIREGUARD_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The sum of a sum and of bytes, the last of which is filled up with a zero where their number is
 * odd. At most 16 GiB. */
uint16_t checksum_add(uint16_t sum, const uint8_t *bytes, size_t size);

/* The sum of two sums. */
static inline uint16_t checksum_join(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + b;

	return (uint16_t)(sum + (sum >> 16));
}

/* What makes bytes of that sum add up to 0xffff. */
static inline uint16_t checksum_complement(uint16_t sum)
{
	return (uint16_t)~sum;
}

#endif
