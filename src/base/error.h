/* An error on its way up to the one place that prints it.
 *
 * A function that can fail returns 0 or a negative errno and fills the struct error it was given:
 * one sentence without a full stop that names the object, the step and the reason. Callers add what
 * they know with error_wrap(). Outputs of a failed function are untouched. The text of an error is
 * never an argument for the same error: it would be overwritten while it is read.
 *
 *	if (open(path, O_RDONLY) < 0)
 *		return error_errno(error, "cannot open %s", path);
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

struct error {
	int code;   /* a positive errno; 0: none */
	bool usage; /* the words were wrong, rather than what they asked for */
	char text[1024];
};

/* Sets code (a positive errno) and message; returns -code. */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets the message followed by ": " and what errno says; returns -errno. */
int error_errno(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_errno() for a code that is not in errno. Takes it positive or negative. */
int error_code(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A mistake in the user's words (exit status 2); returns -EINVAL. */
int error_usage(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes of an error that was found in the user's words a mistake of theirs; returns -code. */
int error_as_usage(struct error *error);

/* Puts context and ": " in front of the message; returns -code. */
int error_wrap(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
