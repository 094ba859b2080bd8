/* Test vectors are written as in the documents they come from. */
#ifndef TESTS_HEX_H
#define TESTS_HEX_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Reads the digits into bytes; returns how many. */
static inline size_t hex_read(const char *digits, uint8_t *bytes)
{
	size_t size = strlen(digits) / 2;
	unsigned int byte;

	for (size_t i = 0; i < size; i++) {
		sscanf(digits + 2 * i, "%2x", &byte);
		bytes[i] = (uint8_t)byte;
	}
	return size;
}

#define assert_hex_equal(bytes, digits)                                                            \
	do {                                                                                       \
		uint8_t expected_bytes[1024];                                                      \
		size_t expected_size = hex_read(digits, expected_bytes);                           \
		assert_memory_equal(bytes, expected_bytes, expected_size);                         \
	} while (0)

#endif
