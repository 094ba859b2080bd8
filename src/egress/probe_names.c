/* Who is asked for names, and who outside could be asked for anything. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
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

struct servers {
	struct ip *addresses;	/* owned */
	struct pollfd *sockets; /* owned; -1: it has answered, or nothing could be asked */
	int *codes;		/* owned; 0: it answers, or why not, as a negative errno */
	size_t count;
};

static void servers_clear(struct servers *servers)
{
	for (size_t i = 0; i < servers->count; i++)
		fd_close(&servers->sockets[i].fd);
	memory_free(&servers->addresses);
	memory_free(&servers->sockets);
	memory_free(&servers->codes);
}

/* Leaves the socket on which the answer will come, or a negative errno. */
static int ask(const struct ip *server)
{
	union socket_address address = server_address(server);
	CLEANUP(fd_close) int fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &address.any, socket_address_size(&address)) < 0 ||
	    send(fd, question, sizeof(question), MSG_DONTWAIT) < 0)
		return -errno;
	return fd_take(&fd);
}

static void add_server(struct servers *servers, const struct ip *server)
{
	size_t i = servers->count++;
	int fd = ask(server);

	servers->addresses = memory_resize(servers->addresses, i + 1, sizeof(*servers->addresses));
	servers->sockets = memory_resize(servers->sockets, i + 1, sizeof(*servers->sockets));
	servers->codes = memory_resize(servers->codes, i + 1, sizeof(*servers->codes));
	servers->addresses[i] = *server;
	servers->sockets[i] = (struct pollfd){.fd = fd < 0 ? -1 : fd, .events = POLLIN};
	servers->codes[i] = fd < 0 ? fd : -ETIMEDOUT;
}

static int hear(int fd)
{
	unsigned char answer[512];
	ssize_t length = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);

	if (length < 0)
		return -errno;
	return length >= DNS_HEADER && memcmp(answer, question, 2) == 0 ? 0 : -EPROTO;
}

/* One wait for all of them. */
static void hear_all(struct servers *servers)
{
	int64_t until = clock_ms() + DNS_TIMEOUT_MS, left;
	size_t waiting = 0;

	for (size_t i = 0; i < servers->count; i++)
		waiting += servers->sockets[i].fd >= 0;
	while (waiting && (left = until - clock_ms()) > 0 &&
	       poll(servers->sockets, servers->count, (int)left) > 0)
		for (size_t i = 0; i < servers->count; i++) {
			if (servers->sockets[i].fd < 0 || !servers->sockets[i].revents)
				continue;
			servers->codes[i] = hear(servers->sockets[i].fd);
			fd_close(&servers->sockets[i].fd);
			waiting--;
		}
}

/* Whether its packets could go elsewhere than by the tunnel is what the other ways say. */
static void tell_server(const struct probe *probe, const struct ip *server, int code)
{
	char way[64], text[IP_TEXT_MAX];

	snprintf(way, sizeof(way), "names by %s", ip_format(server, text));
	probe_tell(probe, way, PROBE_NOTE, 0, "%s", code == 0 ? "it answers" : strerror(-code));
}

static void try_servers(const struct probe *probe)
{
	CLEANUP(file_close) FILE *file = fopen(RESOLV_CONF, "re");
	CLEANUP(servers_clear) struct servers servers = {};
	CLEANUP(memory_free) char *line = NULL;
	char text[IP_TEXT_MAX];
	size_t size = 0;
	struct error error;
	struct ip server;

	if (!file && errno != ENOENT) {
		probe_tell(probe, "names", PROBE_UNKNOWN, 0, RESOLV_CONF ": %s", strerror(errno));
		return;
	}
	while (file && getline(&line, &size, file) >= 0)
		if (sscanf(line, " nameserver %45s", text) == 1 &&
		    ip_parse(text, &server, &error) == 0)
			add_server(&servers, &server);
	hear_all(&servers);
	for (size_t i = 0; i < servers.count; i++)
		tell_server(probe, &servers.addresses[i], servers.codes[i]);
	if (!servers.count)
		probe_tell(probe, "names", PROBE_ABSENT, 0, RESOLV_CONF " names no server");
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

/* What exec puts over a folder is empty and nobody can write there, not even root. */
static bool is_covered(const char *path)
{
	CLEANUP(memory_free) char *folder = memory_strdup(path);
	struct statvfs fs;

	*strrchr(folder, '/') = '\0';
	return statvfs(folder, &fs) == 0 && fs.f_flag & ST_RDONLY && fs.f_flag & ST_NOEXEC;
}

static void try_service(const struct probe *probe, const char *way, const char *path, bool covered)
{
	int code = connect_to_service(path);

	switch (-code) {
	case 0:
	case EAGAIN: /* too many are in the queue before us */
	case EPROTOTYPE:
		probe_tell(probe, way, covered ? PROBE_OPEN : PROBE_NOTE, 0, "within reach at %s",
			   path);
		break;
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		if (covered && is_covered(path))
			probe_tell(probe, way, PROBE_STOPPED, PROBE_BY_RIGHTS, "covered");
		else
			probe_tell(probe, way, PROBE_ABSENT, 0, "%s", strerror(-code));
		break;
	default:
		probe_tell_code(probe, way, code,
				code == -EACCES || code == -EPERM ? PROBE_BY_RIGHTS : 0);
	}
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
