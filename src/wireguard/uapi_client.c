#include "wireguard/uapi_client.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "wireguard/uapi.h"
#include "wireguard/uapi_answer.h"
#include "wireguard/uapi_request.h"

#define CONVERSATION_MS 5000 /* from the first byte of the request to the last of the answer */
#define ANSWER_MAX	(64U << 20) /* bytes: over a million allowed IPs */

static int engine_connect(const char *path, int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval wait = {.tv_sec = CONVERSATION_MS / 1000};
	struct sockaddr_un address;
	int code = uapi_address(path, &address, error);

	if (code < 0)
		return code;
	if (fd < 0)
		return error_errno(error, "cannot make a socket");
	/* connect() waits, for so long at the most, while the engine's backlog is full. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return error_errno(error, "cannot limit the time to connect");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return error_set(error, ENODEV, "no engine answers at %s", path);
		if (errno == EAGAIN)
			errno = ETIMEDOUT;
		return error_errno(error, "cannot connect to the engine at %s", path);
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Waits for the event until the deadline. */
static int wait_for(int fd, short event, int64_t deadline, struct error *error)
{
	struct pollfd poll_fd = {.fd = fd, .events = event};
	int64_t left;
	int ready;

	do {
		left = deadline - clock_ms();
		ready = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return error_errno(error, "cannot wait for the engine");
	if (ready == 0)
		return error_set(error, ETIMEDOUT, "the engine does not answer within %d s",
				 CONVERSATION_MS / 1000);
	return 0;
}

/* An engine that refuses a line may hang up before it has read the rest: its answer says why. */
static int send_request(int fd, const char *text, size_t size, int64_t deadline,
			struct error *error)
{
	ssize_t sent;
	int code;

	while (size > 0) {
		code = wait_for(fd, POLLOUT, deadline, error);
		if (code < 0)
			return code;
		sent = send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return error_errno(error, "cannot send to the engine");
		if (sent > 0) {
			text += sent;
			size -= (size_t)sent;
		}
	}
	return 0;
}

/* Bytes received that are not yet a whole line. */
struct line_buffer {
	char bytes[4096];
	size_t length;
};

static void line_buffer_wipe(struct line_buffer *buffer)
{
	explicit_bzero(buffer, sizeof(*buffer));
}

/* Hands all whole lines in the buffer on and keeps the rest. */
static int take_lines(struct line_buffer *buffer, struct uapi_answer *answer, struct error *error)
{
	char *line = buffer->bytes, *end = buffer->bytes + buffer->length, *newline;
	int code = 0;

	while (code == 0 && (newline = memchr(line, '\n', (size_t)(end - line)))) {
		*newline = '\0';
		if (strlen(line) != (size_t)(newline - line) ||
		    newline - line >= UAPI_ANSWER_LINE_MAX)
			return error_set(error, EPROTO, "the engine's answer is not text");
		code = uapi_answer_take(answer, line, error);
		line = newline + 1;
	}
	buffer->length = (size_t)(end - line);
	memmove(buffer->bytes, line, buffer->length);
	if (code == 0 && buffer->length >= UAPI_ANSWER_LINE_MAX)
		return error_set(error, EPROTO, "the engine's answer is not text");
	return code;
}

static int receive_answer(int fd, struct uapi_answer *answer, int64_t deadline, struct error *error)
{
	CLEANUP(line_buffer_wipe) struct line_buffer buffer = {};
	ssize_t received;
	size_t total = 0;
	int code;

	while (!answer->ended) {
		code = wait_for(fd, POLLIN, deadline, error);
		if (code < 0)
			return code;
		received = recv(fd, buffer.bytes + buffer.length,
				sizeof(buffer.bytes) - buffer.length, MSG_DONTWAIT);
		if (received < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (received < 0)
			return error_errno(error, "cannot receive from the engine");
		if (received == 0)
			return error_set(error, EPROTO,
					 "the engine hung up in the middle of its answer");
		buffer.length += (size_t)received;
		total += (size_t)received;
		if (total > ANSWER_MAX)
			return error_set(error, EPROTO, "the engine's answer does not end");
		code = take_lines(&buffer, answer, error);
		if (code < 0)
			return code;
	}
	if (answer->code)
		return error_code(error, answer->code, "the engine refuses");
	return 0;
}

static int converse(const char *path, const char *request, size_t size, struct uapi_answer *answer,
		    struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	int64_t deadline = clock_ms() + CONVERSATION_MS;
	int code = engine_connect(path, &fd, error);

	if (code == 0)
		code = send_request(fd, request, size, deadline, error);
	if (code == 0)
		code = receive_answer(fd, answer, deadline, error);
	return code;
}

int uapi_client_read(const char *path, struct wg_device *ret, struct error *error)
{
	static const char request[] = "get=1\n\n";
	CLEANUP(uapi_answer_clear) struct uapi_answer answer = {};
	int code = converse(path, request, sizeof(request) - 1, &answer, error);

	if (code < 0)
		return code;
	*ret = answer.device;
	answer.device = (struct wg_device){};
	return 0;
}

int uapi_client_write(const char *path, const struct wg_change *change, struct error *error)
{
	CLEANUP(uapi_answer_clear) struct uapi_answer answer = {};
	CLEANUP(memory_free) char *request = NULL;
	size_t size;
	int code;

	request = uapi_request_set(change, &size);
	code = converse(path, request, size, &answer, error);
	explicit_bzero(request, size);
	return code;
}
