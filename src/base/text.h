/* Reading small pieces of text, strictly, the whole of it or nothing; and showing text that is not
 * ours. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Reads a decimal number of digits only, from least to most. 0, or -EINVAL when the text is
 * anything else, or -ERANGE. */
int text_to_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret);

/* Takes the next item of a comma-separated list from *rest, without the spaces around it. Returns 1
 * and moves *rest on; 0 at the end; -EINVAL for an empty item or one that does not fit. */
int text_next_item(const char **rest, char *item, size_t size);

/* Makes the text fit for a terminal and for JSON: every control character, and every byte that is
 * no part of a character in UTF-8 (RFC 3629), becomes a '?'. */
void text_make_printable(char *text);

#endif
