#include "wireguard/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 300

static bool may_speak(struct log *log)
{
	struct timespec now;
	int64_t forgotten;

	clock_gettime(CLOCK_MONOTONIC, &now);
	forgotten = (now.tv_sec - log->since) / LOG_INTERVAL;
	if (forgotten > 0) {
		log->said = forgotten >= log->said ? 0 : log->said - (unsigned int)forgotten;
		log->since = now.tv_sec;
	}
	if (log->said == LOG_BURST) {
		log->left_out++;
		return false;
	}
	log->said++;
	return true;
}

/* UTC. The C library's functions would open /etc/localtime, which the engine must not. The date is
 * found by counting from 1 March of the year 0, so that leap days come last in a year, in eras of
 * 400 years. */
static void format_time(int64_t seconds, char *text, size_t size)
{
	int64_t days = seconds / 86400 + 719468, era = days / 146097, of_day = seconds % 86400;
	int64_t of_era = days % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (year * 365 + year / 4 - year / 100);
	int64_t month = (of_year * 5 + 2) / 153, day = of_year - (month * 153 + 2) / 5 + 1;

	month += month < 10 ? 3 : -9;
	year += era * 400 + (month <= 2);
	snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month, (int)day,
		 (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));
}

void log_line(struct log *log, const char *format, ...)
{
	char text[TEXT_MAX], stamp[80], left_out[64] = "", line[TEXT_MAX + 256];
	struct timespec now;
	va_list args;
	int size;

	if (!may_speak(log))
		return;
	if (log->left_out)
		snprintf(left_out, sizeof(left_out), " (%u lines left out)", log->left_out);
	log->left_out = 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	clock_gettime(CLOCK_REALTIME, &now);
	format_time(now.tv_sec, stamp, sizeof(stamp));
	size = snprintf(line, sizeof(line), "%s %s: %s%s\n", stamp, log->name, text, left_out);
	if (write(STDERR_FILENO, line, (size_t)size) < 0)
		log->left_out++;
}
