/* What is true is asked of the links and their programs, never concluded from the names of pins. */
#include "egress/status.h"

#include "base/memory.h"
#include "egress/maps.h"
#include "egress/pin.h"
#include "egress/programs.h"
#include "kernel/cgroup.h"

/* What a look has found so far. */
struct look {
	const char *subu;
	uint64_t cgroup;
	uint32_t config; /* the number of the pinned map; 0: not both maps are there and ours */
	struct egress_status status;
};

static int look_at_maps(struct look *look, struct error *error)
{
	CLEANUP(fd_close) int config = -1;
	CLEANUP(fd_close) int counters = -1;
	int code = maps_open(look->subu, &config, &counters, error);

	if (code == 0 && counters >= 0)
		code = maps_read_counters(counters, look->status.counters, error);
	if (code == 0 && config >= 0)
		code = maps_read_config(config, &look->status.config, error);
	if (code == 0 && config >= 0 && counters >= 0)
		code = maps_id(config, &look->config, error);
	return code;
}

static int look_at_link(struct look *look, const struct egress_hook *hook, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	uint32_t program = 0;
	bool current = false;
	int code = pin_open(look->subu, hook->name, &fd, error);

	if (code == 0 && fd >= 0)
		code = hook_find_program(hook, fd, look->cgroup, &program, error);
	if (code == 0 && program)
		code = program_is_current(hook, program, look->config, &current, error);
	look->status.enforced &= program != 0;
	look->status.current &= current;
	return code;
}

int egress_observe(const char *subu, int cgroup_fd, struct egress_status *ret, struct error *error)
{
	struct look look = {.subu = subu, .status.present = pin_folder_left(subu)};
	int code = look.status.present ? look_at_maps(&look, error) : 0;

	if (code == 0 && cgroup_fd >= 0)
		code = cgroup_id(cgroup_fd, &look.cgroup, error);
	look.status.enforced = look.status.present && cgroup_fd >= 0;
	look.status.current = look.status.enforced && look.config;
	for (size_t i = 0; code == 0 && look.status.enforced && i < EGRESS_HOOK_COUNT; i++)
		code = look_at_link(&look, &egress_hooks[i], error);
	if (code < 0)
		return code;
	look.status.current &= look.status.enforced;
	if (!look.status.current)
		look.status.config = (struct egress_config){};
	*ret = look.status;
	return 0;
}
