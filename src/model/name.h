/* The words by which things are called: the names of owners and sub-users, and what a user types to
 * mean a sub-user or a tunnel that is there. All errors are mistakes in the user's words. */
#ifndef MODEL_NAME_H
#define MODEL_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define NAME_SIZE 33 /* 32 characters and the NUL */

/* A sub-user, as it was typed: "subu_3" or "alice:work". */
struct name_reference {
	bool by_id;
	uint32_t id;
	char owner[NAME_SIZE]; /* empty when by id, and so is the name */
	char name[NAME_SIZE];
};

/* Is the text fit to name an owner or a sub-user? 1–32 ASCII letters, digits, '_', '-' and '.', not
 * beginning with '-' or '.', no "..": safe as an argument, as a file name and before or after a
 * ':'. `what` says in the message whose name it is: "owner", "sub-user". */
int name_check(const char *what, const char *text, struct error *error);

/* Is the text the prefix and a number behind it? The number has one spelling: "0", or digits without
 * a leading zero, 4294967295 at most. */
bool name_has_id(const char *text, const char *prefix, uint32_t *ret);

/* Reads "subu_N" or "OWNER:NAME". Whether there is such a sub-user is for the store to say. */
int name_parse_subu(const char *text, struct name_reference *ret, struct error *error);

/* Reads "WG_M". */
int name_parse_tunnel(const char *text, uint32_t *ret_id, struct error *error);

#endif
