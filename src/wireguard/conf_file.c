#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "wireguard/conf.h"

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

int conf_read_text(const char *path, struct secret_text *ret, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	int code = open_regular(path, &fd, error);

	return code < 0 ? code : secret_text_read(fd, path, CONF_SIZE_MAX, ret, error);
}

int conf_read(const char *path, struct tunnel *ret, unsigned int *ret_ignored, struct error *error)
{
	CLEANUP(secret_text_clear) struct secret_text text = {};
	int code = conf_read_text(path, &text, error);

	return code < 0 ? code : conf_parse(path, text.bytes, text.size, ret, ret_ignored, error);
}
