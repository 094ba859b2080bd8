/* The options of a sub-user: `option set SUBU NAME VALUE`. One table says which there are, what
 * they take and what holds when none is set. */
#ifndef MODEL_OPTION_H
#define MODEL_OPTION_H

#include <stddef.h>

#include "base/error.h"

#define OPTION_BACKEND	     "backend"
#define OPTION_DEFAULT_ROUTE "default-route"

struct subu_option {
	const char *name;
	const char *values;  /* what it takes, separated by '|'; the first is the default */
	const char *purpose; /* one line for people */
};

extern const struct subu_option option_table[];
extern const size_t option_count;

/* The table's row; a usage error that lists the names when there is none. */
int option_find(const char *name, const struct subu_option **ret, struct error *error);

/* Is the value one of those that the option takes? */
int option_check(const struct subu_option *option, const char *value, struct error *error);

/* The value that holds when none is set, in a buffer of the caller's. */
const char *option_default(const struct subu_option *option, char *buffer, size_t size);

#endif
