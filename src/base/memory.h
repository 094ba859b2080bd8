/* Ownership that shows in the type: owning locals clean up after themselves when they go out of
 * scope, and leave it only by an explicit take.
 *
 *	CLEANUP(fd_close) int fd = open(...);
 *	CLEANUP(memory_free) char *text = memory_strdup(...);
 *	...
 *	*ret_fd = fd_take(&fd);
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Closes *fd unless it is negative, and leaves errno alone. */
void fd_close(int *fd);

/* Close *file or *folder unless it is NULL. For what was read: errors of writing are not told. */
void file_close(FILE **file);
void folder_close(DIR **folder);

/* Frees the block that *pointer_to_pointer points to. */
void memory_free(void *pointer_to_pointer);

/* Gives the descriptor away: *fd is -1 afterwards. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Gives the block away: the variable is NULL afterwards. */
#define MEMORY_TAKE(pointer)                                                                       \
	({                                                                                         \
		__auto_type taken = (pointer);                                                     \
		(pointer) = NULL;                                                                  \
		taken;                                                                             \
	})

/* As reallocarray(), but ends the program when there is no memory: a program that cannot hold its
 * own configuration has nothing better to do. Never used on a packet's path. */
void *memory_resize(void *block, size_t count, size_t size) __attribute__((alloc_size(2, 3)));

/* Makes room for one more item behind count items of size bytes: grows by doubling, when count is 0
 * or a power of two, and else returns the block as it is. The old block is wiped before it is freed,
 * which realloc() would not do with the keys in it. Ends the program when there is no memory. */
void *memory_grow_secret(void *items, size_t count, size_t size);

/* Zeroed memory for one object; ends the program when there is none. */
void *memory_zalloc(size_t size) __attribute__((alloc_size(1), malloc));

/* As strdup() and asprintf(), for the caller to free; they end the program when there is no memory.
 */
char *memory_strdup(const char *text) __attribute__((malloc));
char *memory_format(const char *format, ...) __attribute__((malloc, format(printf, 1, 2)));

#endif
