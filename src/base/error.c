#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

__attribute__((format(printf, 4, 0))) static void
error_fill(struct error *error, int code, const char *reason, const char *format, va_list args)
{
	int length = vsnprintf(error->text, sizeof(error->text), format, args);

	if (reason && length >= 0 && (size_t)length < sizeof(error->text))
		snprintf(error->text + length, sizeof(error->text) - (size_t)length, ": %s",
			 reason);
	text_make_printable(error->text); /* messages quote hostile input */
	error->code = code;
	error->usage = false;
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_fill(error, code, NULL, format, args);
	va_end(args);
	return -code;
}

int error_errno(struct error *error, const char *format, ...)
{
	int code = errno ? errno : EIO;
	va_list args;

	va_start(args, format);
	error_fill(error, code, strerror(code), format, args);
	va_end(args);
	return -code;
}

int error_code(struct error *error, int code, const char *format, ...)
{
	va_list args;

	code = abs(code);
	va_start(args, format);
	error_fill(error, code, strerror(code), format, args);
	va_end(args);
	return -code;
}

int error_usage(struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_fill(error, EINVAL, NULL, format, args);
	va_end(args);
	error->usage = true;
	return -EINVAL;
}

int error_as_usage(struct error *error)
{
	error->usage = true;
	return -error->code;
}

int error_wrap(struct error *error, const char *format, ...)
{
	char inner[sizeof(error->text)];
	bool usage = error->usage;
	va_list args;

	memcpy(inner, error->text, sizeof(inner));
	va_start(args, format);
	error_fill(error, error->code, inner, format, args);
	va_end(args);
	error->usage = usage;
	return -error->code;
}
