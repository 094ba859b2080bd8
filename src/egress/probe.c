#include "egress/probe.h"

#include <stdarg.h>
#include <stdio.h>

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

bool probe_is_other(const struct probe *probe, unsigned int index)
{
	return index != LO_INDEX && index != probe->tunnel;
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
		.interfaces = interfaces,
		.tell = tell,
		.data = data,
	};

	if (!interfaces) {
		probe_tell(&probe, "all", PROBE_OPEN, 0, "cannot list the interfaces");
		return;
	}
	probe_sockets(&probe);
	probe_rights(&probe);
	probe_names(&probe);
}
