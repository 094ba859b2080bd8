/* Who is asked for names, and who outside could be asked for anything. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "egress/probe_ways.h"

#define RESOLV_CONF    "/etc/resolv.conf"
#define DNS_PORT       53
#define DNS_TIMEOUT_MS 2000
#define DNS_HEADER     12

/* A question for the root's name servers (RFC 1035 section 4.1), which every resolver can answer. */
static const unsigned char question[] = {
	's', 'u',		 /* the number of the question */
	1,   0,			 /* recursion desired */
	0,   1,			 /* one question */
	0,   0,	  0, 0, 0, 0, 0, /* nothing else; the root's empty name */
	0,   2,			 /* NS */
	0,   1,			 /* IN */
};

/* Sockets of services outside, reached by path. No barrier holds them: who may open the file may
 * ask the service, and some do what they are asked in the machine's own network. */
static const struct {
	const char *way, *path;
	bool covered; /* by exec, always */
} services[] = {
	{"names by nscd", "/run/nscd/socket", true},
	{"names by systemd-resolved", "/run/systemd/resolve/io.systemd.Resolve", true},
	{"the system's D-Bus", "/run/dbus/system_bus_socket", false},
	{"systemd", "/run/systemd/private", false},
	{"Docker", "/run/docker.sock", false},
	{"Podman", "/run/podman/podman.sock", false},
	{"containerd", "/run/containerd/containerd.sock", false},
	{"Avahi", "/run/avahi-daemon/socket", false},
};

static union socket_address server_address(const struct ip *ip)
{
	union socket_address address = {.any.sa_family = ip->family};

	if (ip->family == AF_INET) {
		address.v4.sin_addr = ip->v4;
		address.v4.sin_port = htons(DNS_PORT);
	} else {
		address.v6.sin6_addr = ip->v6;
		address.v6.sin6_port = htons(DNS_PORT);
	}
	return address;
}

/* 0 when the server answered; else why not, as a negative errno. */
static int ask(const struct ip *server)
{
	union socket_address address = server_address(server);
	CLEANUP(fd_close) int fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned char answer[512];
	ssize_t length;
	struct pollfd waiting = {.fd = fd, .events = POLLIN};

	if (fd < 0 || connect(fd, &address.any, socket_address_size(&address)) < 0 ||
	    send(fd, question, sizeof(question), 0) < 0)
		return -errno;
	if (poll(&waiting, 1, DNS_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	length = recv(fd, answer, sizeof(answer), 0);
	if (length < 0)
		return -errno;
	return length >= DNS_HEADER && memcmp(answer, question, 2) == 0 ? 0 : -EPROTO;
}

/* Whether its packets could go elsewhere than by the tunnel is what the other ways say. */
static void try_server(const struct probe *probe, const struct ip *server)
{
	char way[64], text[IP_TEXT_MAX];
	int code;

	snprintf(way, sizeof(way), "names by %s", ip_format(server, text));
	code = ask(server);
	probe_tell(probe, way, PROBE_NOTE, 0, "%s", code == 0 ? "it answers" : strerror(-code));
}

static void try_servers(const struct probe *probe)
{
	CLEANUP(file_close) FILE *file = fopen(RESOLV_CONF, "re");
	CLEANUP(memory_free) char *line = NULL;
	char text[IP_TEXT_MAX];
	size_t size = 0, count = 0;
	struct error error;
	struct ip server;

	while (file && getline(&line, &size, file) >= 0) {
		if (sscanf(line, " nameserver %45s", text) != 1 ||
		    ip_parse(text, &server, &error) < 0)
			continue;
		try_server(probe, &server);
		count++;
	}
	if (!count)
		probe_tell(probe, "names", PROBE_STOPPED, PROBE_BY_RIGHTS,
			   RESOLV_CONF " names no server");
}

static int connect_to_service(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0
		       ? -errno
		       : 0;
}

static void try_service(const struct probe *probe, const char *way, const char *path, bool covered)
{
	int code = connect_to_service(path);

	if (code < 0 && code != -EAGAIN && code != -EPROTOTYPE)
		probe_tell(probe, way, PROBE_STOPPED, PROBE_BY_RIGHTS, "%s", strerror(-code));
	else
		probe_tell(probe, way, covered ? PROBE_OPEN : PROBE_NOTE, 0, "within reach at %s",
			   path);
}

void probe_names(const struct probe *probe)
{
	char path[64];

	try_servers(probe);
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		try_service(probe, services[i].way, services[i].path, services[i].covered);
	snprintf(path, sizeof(path), "/run/user/%u/bus", geteuid());
	try_service(probe, "its account's D-Bus", path, false);
}
