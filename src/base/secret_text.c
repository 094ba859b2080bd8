#include "base/secret_text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* All the room is there from the start: a block that grew would leave copies behind. */
int secret_text_read(int fd, const char *what, size_t most, struct secret_text *ret,
		     struct error *error)
{
	CLEANUP(secret_text_clear) struct secret_text text = {.bytes = memory_zalloc(most + 1)};
	ssize_t got;

	do {
		got = read(fd, text.bytes + text.size, most + 1 - text.size);
		if (got < 0 && errno != EINTR)
			return error_errno(error, "cannot read %.200s", what);
		if (got > 0)
			text.size += (size_t)got;
	} while (got != 0 && text.size <= most);
	if (text.size > most)
		return error_set(error, EFBIG, "%.200s is too large: %zu bytes are the most", what,
				 most);
	*ret = text;
	text = (struct secret_text){};
	return 0;
}

bool secret_text_equal(const struct secret_text *one, const struct secret_text *other)
{
	return one->size == other->size && memcmp(one->bytes, other->bytes, one->size) == 0;
}

void secret_text_clear(struct secret_text *text)
{
	if (text->bytes)
		explicit_bzero(text->bytes, text->size);
	memory_free(&text->bytes);
	text->size = 0;
}
