/* Text with private keys in it, which is wiped before its memory is given back. */
#ifndef BASE_SECRET_TEXT_H
#define BASE_SECRET_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct secret_text {
	char *bytes; /* owned; may be any bytes; NULL: none */
	size_t size;
};

/* Reads all that comes from fd, for the caller to clear. `what` names it in errors. -EFBIG when it
 * is more than `most` bytes. */
int secret_text_read(int fd, const char *what, size_t most, struct secret_text *ret,
		     struct error *error);

/* Compares texts whose difference is no secret; not in constant time. */
bool secret_text_equal(const struct secret_text *one, const struct secret_text *other);

/* Wipes and frees. Usable with CLEANUP(). */
void secret_text_clear(struct secret_text *text);

#endif
