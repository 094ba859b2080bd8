/* Answers to who calls, and the host on the other side, which listens to all. */
#include "ways.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define CALL_PATIENCE 600 /* milliseconds for the suite to call */

/* A socket of IPv6 that takes IPv4 as well, on the port of the setting. */
static int serving(const struct setting *setting, int type, int protocol)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(setting->port)};
	int one = 1, fd = socket(AF_INET6, type | SOCK_CLOEXEC, protocol);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 16) < 0))
		fd_close(&fd);
	return fd;
}

static bool is_called(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	return poll(&ready, 1, CALL_PATIENCE) > 0;
}

/* Says something to each who connects, until nobody does any more. */
void run_accept(const struct setting *setting)
{
	CLEANUP(fd_close) int fd = serving(setting, SOCK_STREAM, 0);

	say(setting, NULL, "listen", answer(fd));
	hold(setting);
	while (is_called(fd)) {
		CLEANUP(fd_close) int caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		say(setting, NULL, "accept", answer(caller));
		for (int i = 0; i < WAYS_ROUNDS; i++)
			send_plain(caller, setting, NULL);
	}
}

static void reply(const struct setting *setting, step *send)
{
	CLEANUP(fd_close) int fd = serving(setting, SOCK_DGRAM, 0);
	struct target caller = {.label = "caller"};
	char bytes[sizeof(setting->payload)];

	say(setting, NULL, "bind", answer(fd));
	hold(setting);
	while (is_called(fd)) {
		caller.length = sizeof(caller.address);
		recvfrom(fd, bytes, sizeof(bytes), 0, &caller.address.any, &caller.length);
		say(setting, &caller, "send", send(fd, setting, &caller));
	}
}

void run_reply(const struct setting *setting)
{
	reply(setting, send_to);
}

void run_reply_pktinfo(const struct setting *setting)
{
	reply(setting, send_pktinfo);
}

static void swallow(int fd, int type)
{
	char bytes[4096];

	if (type == SOCK_STREAM) {
		CLEANUP(fd_close) int caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		while (is_called(caller) && recv(caller, bytes, sizeof(bytes), 0) > 0)
			;
	} else {
		recv(fd, bytes, sizeof(bytes), 0);
	}
}

/* Takes connections and datagrams until it is killed, and says nothing. */
void run_serve(const struct setting *setting)
{
	static const struct {
		int type, protocol;
	} kinds[] = {{SOCK_STREAM, IPPROTO_TCP},
		     {SOCK_DGRAM, IPPROTO_UDP},
		     {SOCK_DGRAM, IPPROTO_UDPLITE}};
	struct pollfd ready[ARRAY_SIZE(kinds)];

	alarm(0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		ready[i] = (struct pollfd){serving(setting, kinds[i].type, kinds[i].protocol),
					   POLLIN, 0};
	say(setting, NULL, "serve", 0);
	while (poll(ready, ARRAY_SIZE(ready), -1) > 0) {
		for (size_t i = 0; i < ARRAY_SIZE(ready); i++) {
			if (ready[i].revents)
				swallow(ready[i].fd, kinds[i].type);
		}
	}
}
