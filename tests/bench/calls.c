/* How long a call takes, in nanoseconds, on sockets to 127.0.0.1:
 *
 *	bench-calls connect|sendto|send COUNT
 *
 * connect is a new UDP socket, connected and closed; sendto a packet of a socket that is not
 * connected; send one of a socket that is. Nobody reads the packets: a full queue drops them, after
 * all that is measured here. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in receiver = {.sin_family = AF_INET};

static void must(int result, const char *call)
{
	if (result >= 0)
		return;
	perror(call);
	exit(1);
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd, "socket");
	return fd;
}

static void connect_socket(int fd)
{
	must(connect(fd, (const struct sockaddr *)&receiver, sizeof(receiver)), "connect");
}

static void open_receiver(void)
{
	socklen_t size = sizeof(receiver);
	int fd = open_socket();

	receiver.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(fd, (const struct sockaddr *)&receiver, sizeof(receiver)), "bind");
	must(getsockname(fd, (struct sockaddr *)&receiver, &size), "getsockname");
}

static void do_connect(int fd)
{
	int fresh = open_socket();

	(void)fd;
	connect_socket(fresh);
	close(fresh);
}

static void do_sendto(int fd)
{
	must((int)sendto(fd, "", 1, 0, (const struct sockaddr *)&receiver, sizeof(receiver)),
	     "sendto");
}

static void do_send(int fd)
{
	must((int)send(fd, "", 1, 0), "send");
}

static const struct {
	const char *name;
	void (*call)(int fd);
	int connected;
} calls[] = {{"connect", do_connect, 0}, {"sendto", do_sendto, 0}, {"send", do_send, 1}};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void measure(void (*call)(int fd), int fd, long count)
{
	double start;

	for (long i = 0; i < count / 10; i++) /* warm */
		call(fd);
	start = now();
	for (long i = 0; i < count; i++)
		call(fd);
	printf("%.1f\n", (now() - start) / (double)count);
}

int main(int argc, char **argv)
{
	int fd = open_socket();

	open_receiver();
	for (size_t i = 0; argc == 3 && i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(argv[1], calls[i].name) != 0)
			continue;
		if (calls[i].connected)
			connect_socket(fd);
		measure(calls[i].call, fd, atol(argv[2]));
		return 0;
	}
	fputs("usage: bench-calls connect|sendto|send COUNT\n", stderr);
	return 2;
}
