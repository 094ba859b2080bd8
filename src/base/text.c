#include "base/text.h"

#include <errno.h>
#include <string.h>

int text_to_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
			return -ERANGE;
	}
	if (number < least || number > most)
		return -ERANGE;
	*ret = number;
	return 0;
}

int text_next_item(const char **rest, char *item, size_t size)
{
	const char *start = *rest + strspn(*rest, " \t"), *comma, *end;

	if (!*start)
		return 0;
	comma = strchrnul(start, ',');
	end = comma;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (end == start || (size_t)(end - start) >= size)
		return -EINVAL;
	memcpy(item, start, (size_t)(end - start));
	item[end - start] = '\0';
	*rest = *comma ? comma + 1 : comma;
	if (*comma && !(*rest)[strspn(*rest, " \t")])
		return -EINVAL; /* a comma with nothing behind it */
	return 1;
}
