#include "kernel/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

int fds_pair(int *ret_one, int *ret_other, struct error *error)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(error, "cannot make a pair of sockets");
	*ret_one = pair[0];
	*ret_other = pair[1];
	return 0;
}

int fds_send(int socket, const int *fds, size_t count, unsigned int number, struct error *error)
{
	struct iovec piece = {.iov_base = &number, .iov_len = sizeof(number)};
	union control control = {.header = {.cmsg_len = CMSG_LEN(count * sizeof(int)),
					    .cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS}};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(count * sizeof(int))};

	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		return error_errno(error, "cannot hand open files over");
	return 0;
}

static void close_all(const struct cmsghdr *header)
{
	size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
		fd_close(&fd);
	}
}

int fds_receive(int socket, int *ret_fds, size_t count, unsigned int *ret_number,
		struct error *error)
{
	unsigned int number = 0;
	struct iovec piece = {.iov_base = &number, .iov_len = sizeof(number)};
	union control control;
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	ssize_t size;

	do
		size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return error_errno(error, "cannot take open files over");
	if (size == 0)
		return error_set(error, EPIPE,
				 "the process that was to hand open files over ended");
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return error_set(error, EPROTO, "no open files came where some were to");
	if (header->cmsg_len != CMSG_LEN(count * sizeof(int))) {
		close_all(header);
		return error_set(error, EPROTO, "not as many open files came as were to");
	}
	memcpy(ret_fds, CMSG_DATA(header), count * sizeof(int));
	if (ret_number)
		*ret_number = number;
	return 0;
}

/* Out of each other's way first, and then where they are to be. */
int fds_keep(int *const *fds, size_t count, struct error *error)
{
	const int first = STDERR_FILENO + 1;
	int high[FDS_MAX], next = first;

	for (size_t i = 0; i < count; i++) {
		high[i] = *fds[i] < 0 ? -1 : fcntl(*fds[i], F_DUPFD_CLOEXEC, first + FDS_MAX);
		/* A number beyond the limit is EINVAL here. */
		if (*fds[i] >= 0 && high[i] < 0)
			return error_code(error, errno == EINVAL ? EMFILE : errno,
					  "cannot keep an open file (ulimit -n)");
	}
	for (size_t i = 0; i < count; i++) {
		if (high[i] < 0)
			continue;
		if (dup3(high[i], next, O_CLOEXEC) < 0)
			return error_errno(error, "cannot keep an open file");
		*fds[i] = next++;
	}
	if (close_range((unsigned int)next, ~0U, 0) < 0)
		return error_errno(error, "cannot close the open files");
	return 0;
}
