#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "wireguard/conf.h"

/* Text with private keys in it: it is wiped before it is freed. */
struct secret_text {
	char *bytes; /* owned; CONF_SIZE_MAX + 1, so that a file that is too large shows as one */
	size_t size;
};

static void secret_text_clear(struct secret_text *text)
{
	explicit_bzero(text->bytes, text->size);
	memory_free(&text->bytes);
}

static int open_regular(const char *path, int *ret, struct error *error)
{
	/* Without O_NONBLOCK a FIFO would keep us waiting before it can be refused. */
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_errno(error, "cannot open %.200s", path);
	if (!S_ISREG(status.st_mode))
		return error_set(error, EINVAL,
				 "%.200s is not a regular file, as a WireGuard .conf must be",
				 path);
	*ret = fd_take(&fd);
	return 0;
}

int conf_read(const char *path, struct tunnel *ret, unsigned int *ret_ignored, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	CLEANUP(secret_text_clear)
	struct secret_text text = {.bytes = memory_zalloc(CONF_SIZE_MAX + 1)};
	ssize_t got;
	int code = open_regular(path, &fd, error);

	if (code < 0)
		return code;
	do {
		got = read(fd, text.bytes + text.size, CONF_SIZE_MAX + 1 - text.size);
		if (got < 0 && errno != EINTR)
			return error_errno(error, "cannot read %.200s", path);
		if (got > 0)
			text.size += (size_t)got;
	} while (got != 0 && text.size <= CONF_SIZE_MAX);
	return conf_parse(path, text.bytes, text.size, ret, ret_ignored, error);
}
