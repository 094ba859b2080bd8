#include "kernel/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

static void results_free(struct addrinfo **results)
{
	if (*results)
		freeaddrinfo(*results);
}

/* An address of the family and port; false for a family that is not IP. */
static bool take_result(const struct addrinfo *result, uint16_t port, union socket_address *ret)
{
	union socket_address address = {};

	if (result->ai_addrlen > sizeof(address))
		return false;
	memcpy(&address, result->ai_addr, result->ai_addrlen);
	if (address.any.sa_family == AF_INET)
		address.v4.sin_port = htons(port);
	else if (address.any.sa_family == AF_INET6)
		address.v6.sin6_port = htons(port);
	else
		return false;
	*ret = address;
	return true;
}

static int look_up(const char *host, struct addrinfo **ret, struct error *error)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
	int code = getaddrinfo(host, NULL, &hints, ret);

	if (code == EAI_SYSTEM)
		return error_errno(error, "cannot resolve '%.253s'", host);
	if (code)
		return error_set(error, code == EAI_AGAIN ? EAGAIN : ENOENT,
				 "cannot resolve '%.253s': %s", host, gai_strerror(code));
	return 0;
}

int resolve_host(const char *host, uint16_t port, union socket_address *ret, struct error *error)
{
	static const union socket_address none;

	return resolve_next(host, port, &none, ret, error);
}

int resolve_next(const char *host, uint16_t port, const union socket_address *current,
		 union socket_address *ret, struct error *error)
{
	CLEANUP(results_free) struct addrinfo *results = NULL;
	union socket_address address, first = {};
	bool is_next = false;
	int code = look_up(host, &results, error);

	if (code < 0)
		return code;
	for (const struct addrinfo *result = results; result; result = result->ai_next) {
		if (!take_result(result, port, &address))
			continue;
		if (is_next) {
			*ret = address;
			return 0;
		}
		if (first.any.sa_family == AF_UNSPEC)
			first = address;
		is_next = socket_address_equal(&address, current);
	}
	if (first.any.sa_family == AF_UNSPEC)
		return error_set(error, ENOENT, "cannot resolve '%.253s': it has no IP address",
				 host);
	*ret = first;
	return 0;
}

struct answer {
	int code;
	struct error error;
	union socket_address address;
};
_Static_assert(sizeof(struct answer) <= PIPE_BUF, "an answer is written at once or not at all");

_Noreturn static void answer(const char *host, uint16_t port, int fd)
{
	struct answer answer = {};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	answer.code = resolve_host(host, port, &answer.address, &answer.error);
	_exit(write(fd, &answer, sizeof(answer)) != sizeof(answer));
}

static bool is_readable(int fd, unsigned int timeout_ms)
{
	const int64_t until = clock_ms() + timeout_ms;
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	int64_t left = timeout_ms;
	int ready;

	do {
		ready = poll(&waiting, 1, left > 0 ? (int)left : 0);
		left = until - clock_ms();
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

static int hear(const char *host, int fd, unsigned int timeout_ms, union socket_address *ret,
		struct error *error)
{
	struct answer answer;

	if (!is_readable(fd, timeout_ms))
		return error_set(error, ETIMEDOUT,
				 "cannot resolve '%.253s': no answer within %u s; is a name server "
				 "within reach?",
				 host, timeout_ms / 1000);
	if (read(fd, &answer, sizeof(answer)) != sizeof(answer))
		return error_set(error, EIO, "cannot resolve '%.253s': the resolver was killed",
				 host);
	if (answer.code == 0)
		*ret = answer.address;
	else
		*error = answer.error;
	return answer.code;
}

int resolve_host_within(const char *host, uint16_t port, unsigned int timeout_ms,
			union socket_address *ret, struct error *error)
{
	CLEANUP(fd_close) int reader = -1;
	CLEANUP(fd_close) int writer = -1;
	int fds[2], code;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(error, "cannot make a pipe");
	reader = fds[0];
	writer = fds[1];
	child = fork();
	if (child < 0)
		return error_errno(error, "cannot start a process");
	if (child == 0)
		answer(host, port, writer);
	fd_close(&writer);
	code = hear(host, reader, timeout_ms, ret, error);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return code;
}
