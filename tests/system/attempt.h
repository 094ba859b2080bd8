/* What an ordinary user gets when a step is tried, for tests that run as root. */
#ifndef TESTS_ATTEMPT_H
#define TESTS_ATTEMPT_H

#include <stdio.h>
#include <unistd.h>

#include "base/error.h"

/* The user and the group of become_ordinary(). */
#define ORDINARY 1000

/* Ends a child that would go on where it should not. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s: %m\n", __FILE__, __LINE__, #condition);        \
			_exit(99);                                                                 \
		}                                                                                  \
	} while (0)

/* Gives up root for good, in a child. */
void become_ordinary(void);

/* Runs the step in a child, and gives the error it ends with. */
struct error attempt(int (*step)(struct error *error));

void assert_succeeds(int (*step)(struct error *error));

/* It fails with the code; the sentence begins with the text and has the remedy in it. */
void assert_refused(int (*step)(struct error *error), int code, const char *text,
		    const char *remedy);

#endif
