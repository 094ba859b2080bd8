#include "model/subu.h"

#include <stdio.h>

#define DEVICE_PREFIX "subu_"

const char *phase_name(enum phase phase)
{
	static const char *const names[] = {
		[PHASE_MAKING] = "making",
		[PHASE_PRESENT] = "present",
		[PHASE_REMOVING] = "removing",
	};

	return names[phase];
}

const char *subu_id_format(uint32_t id, char buffer[static SUBU_ID_TEXT_MAX])
{
	snprintf(buffer, SUBU_ID_TEXT_MAX, "subu_%u", id);
	return buffer;
}

const char *tunnel_id_format(uint32_t id, char buffer[static SUBU_ID_TEXT_MAX])
{
	snprintf(buffer, SUBU_ID_TEXT_MAX, "WG_%u", id);
	return buffer;
}

const char *subu_netns(uint32_t id, char buffer[static SUBU_ID_TEXT_MAX])
{
	snprintf(buffer, SUBU_ID_TEXT_MAX, "ns-subu_%u", id);
	return buffer;
}

const char *subu_cgroup(uint32_t id, char buffer[static SUBU_ID_TEXT_MAX])
{
	snprintf(buffer, SUBU_ID_TEXT_MAX, "subu/subu_%u", id);
	return buffer;
}

const char *tunnel_device(uint32_t id, char buffer[static IFNAMSIZ])
{
	snprintf(buffer, IFNAMSIZ, DEVICE_PREFIX "%u", id);
	return buffer;
}

bool tunnel_of_device(const char *name, uint32_t *ret)
{
	uint32_t id;

	if (!name_has_id(name, DEVICE_PREFIX, &id) || id == UINT32_MAX)
		return false;
	*ret = id;
	return true;
}
