#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

void file_close(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

void folder_close(DIR **folder)
{
	if (*folder)
		closedir(*folder);
	*folder = NULL;
}

void memory_free(void *pointer_to_pointer)
{
	void **pointer = pointer_to_pointer;

	free(*pointer);
	*pointer = NULL;
}

static void *must_have(void *block)
{
	if (!block) {
		fputs("subu: out of memory\n", stderr);
		abort();
	}
	return block;
}

void *memory_resize(void *block, size_t count, size_t size)
{
	return must_have(reallocarray(block, count ? count : 1, size));
}

void *memory_grow_secret(void *items, size_t count, size_t size)
{
	void *grown;

	if ((count & (count - 1)) != 0)
		return items;
	grown = memory_resize(NULL, count ? count * 2 : 1, size);
	if (count) {
		memcpy(grown, items, count * size);
		explicit_bzero(items, count * size);
	}
	free(items);
	return grown;
}

void *memory_zalloc(size_t size)
{
	return must_have(calloc(1, size));
}

char *memory_strdup(const char *text)
{
	return must_have(strdup(text));
}

char *memory_format(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return must_have(text);
}
