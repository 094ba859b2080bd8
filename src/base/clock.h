/* The time that passes, for waits. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment before; it never goes back (CLOCK_MONOTONIC). */
int64_t clock_ms(void);

#endif
