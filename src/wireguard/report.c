/* Through the pipe goes a struct error; without a code, all is well. */
#include "wireguard/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/memory.h"

int report_open(int *ret_read, int *ret_write, struct error *error)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(error, "cannot make a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

void report_send(int *fd, int code, const struct error *error)
{
	struct error good = {};

	/* A struct error is below PIPE_BUF, so that it arrives whole. */
	_Static_assert(sizeof(good) <= 4096, "one write is one piece");
	if (*fd >= 0 && write(*fd, code < 0 ? error : &good, sizeof(good)) < 0)
		errno = 0;
	fd_close(fd);
}

int report_await(int fd, struct error *error)
{
	struct error told = {};
	ssize_t size;

	do
		size = read(fd, &told, sizeof(told));
	while (size < 0 && errno == EINTR);
	if (size != sizeof(told))
		return error_set(error, EIO, "the process died before it was ready");
	if (!told.code)
		return 0;
	told.text[sizeof(told.text) - 1] = '\0';
	*error = told;
	return -abs(told.code);
}
