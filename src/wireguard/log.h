/* What the engine has to say after its start: lines on stderr, which is a terminal, a service
 * manager's pipe or a file of bounded size. Whoever is at the other end of a network may cause
 * lines, so there are never more than LOG_BURST at once and then one every LOG_INTERVAL seconds;
 * how many were left out is said with the next. */
#ifndef WIREGUARD_LOG_H
#define WIREGUARD_LOG_H

#include <stdint.h>

#define LOG_BURST    30
#define LOG_INTERVAL 2 /* seconds */

struct log {
	const char *name;  /* the device's, not owned */
	unsigned int said; /* lines that still count */
	unsigned int left_out;
	int64_t since; /* seconds on the monotonic clock: when a line was last forgotten */
};

/* One line, of which 300 bytes are kept, with the time (UTC) and the device in front. */
void log_line(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
