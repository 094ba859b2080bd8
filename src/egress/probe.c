#include "egress/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "egress/probe_ways.h"

#define LO_INDEX 1

void probe_tell(const struct probe *probe, const char *way, enum probe_outcome outcome,
		unsigned int barriers, const char *detail, ...)
{
	struct probe_result result = {.outcome = outcome, .barriers = barriers};
	va_list arguments;

	snprintf(result.way, sizeof(result.way), "%s", way);
	va_start(arguments, detail);
	vsnprintf(result.detail, sizeof(result.detail), detail, arguments);
	va_end(arguments);
	probe->tell(probe->data, &result);
}

void probe_tell_code(const struct probe *probe, const char *way, int code, unsigned int barriers)
{
	if (code == 0)
		probe_tell(probe, way, PROBE_OPEN, 0, "it can be done");
	else
		probe_tell(probe, way, barriers ? PROBE_STOPPED : PROBE_UNKNOWN, barriers, "%s",
			   strerror(-code));
}

unsigned int probe_bound_to(int fd)
{
	int device = 0;
	socklen_t size = sizeof(device);

	if (getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, &size) < 0)
		return 0;
	return (unsigned int)device;
}

bool probe_is_other(const struct probe *probe, unsigned int index)
{
	return index != LO_INDEX && index != probe->tunnel;
}

static bool is_steered(void)
{
	CLEANUP(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return probe_bound_to(fd) != 0;
}

static void free_interfaces(struct if_nameindex **interfaces)
{
	if (*interfaces)
		if_freenameindex(*interfaces);
}

void probe_run(const char *device, void (*tell)(void *data, const struct probe_result *result),
	       void *data)
{
	CLEANUP(free_interfaces) struct if_nameindex *interfaces = if_nameindex();
	const struct probe probe = {
		.device = device,
		.tunnel = if_nametoindex(device),
		.steered = is_steered(),
		.interfaces = interfaces,
		.tell = tell,
		.data = data,
	};

	if (!interfaces) {
		probe_tell(&probe, "all", PROBE_UNKNOWN, 0, "cannot list the interfaces");
		return;
	}
	if (geteuid() == 0)
		probe_tell(
			&probe, "its account", PROBE_NOTE, 0,
			"root, who owns root's files: choose another (`create --user`, `exec -u`)");
	probe_sockets(&probe);
	probe_interfaces(&probe);
	probe_rights(&probe);
	probe_names(&probe);
}
