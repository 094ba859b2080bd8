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

/* The bytes of the printable character at the text, or 0. The bounds of the second byte shut out
 * what is spelt longer than need be, surrogates, what is past U+10FFFF, and the controls from U+0080
 * on. */
static size_t printable_size(const unsigned char *text)
{
	unsigned char first = text[0], least = 0x80, most = 0xbf;
	size_t size;

	if (first < 0x80)
		return first >= 0x20 && first != 0x7f;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xc2 || first == 0xe0)
		least = 0xa0;
	else if (first == 0xf0)
		least = 0x90;
	else if (first == 0xed)
		most = 0x9f;
	else if (first == 0xf4)
		most = 0x8f;
	if (text[1] < least || text[1] > most)
		return 0;
	for (size_t i = 2; i < size; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return size;
}

void text_make_printable(char *text)
{
	while (*text) {
		size_t size = printable_size((const unsigned char *)text);

		if (size == 0) {
			*text = '?';
			size = 1;
		}
		text += size;
	}
}
