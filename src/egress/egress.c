/* A link holds its program on the group, and a program holds its maps; the pins hold the links, and
 * the maps for us to find.
 *
 * A change of the layout takes new maps. They are filled first, then the links change over to
 * programs that read them, one by one, and at last the maps take the place of the old pins. Up to
 * there the old pins stand, and a look finds programs that do not read the pinned configuration: not
 * current, so all of it is done again. */
#include "egress/egress.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "base/memory.h"
#include "egress/maps.h"
#include "egress/pin.h"
#include "egress/programs.h"
#include "egress/status.h"
#include "kernel/cgroup.h"

int egress_check(struct error *error)
{
	CLEANUP(programs_close) struct bpf_object *programs = NULL;

	return programs_load(-1, -1, &programs, error);
}

/* A link on the group takes over the new program in one step. One whose group is gone is dead, and
 * makes room. */
static int attach(const char *subu, int cgroup_fd, const struct bpf_object *programs,
		  const struct egress_hook *hook, struct error *error)
{
	CLEANUP(fd_close) int there = -1;
	CLEANUP(fd_close) int fresh = -1;
	uint32_t program = 0;
	uint64_t cgroup;
	int code = pin_open(subu, hook->name, &there, error);

	if (code == 0)
		code = cgroup_id(cgroup_fd, &cgroup, error);
	if (code == 0 && there >= 0)
		code = hook_find_program(hook, there, cgroup, &program, error);
	if (code < 0)
		return code;
	if (program) {
		if (bpf_link_update(there, program_fd(programs, hook), NULL) < 0)
			return error_errno(error, "cannot replace the program for %s",
					   hook->kernel_name);
		return 0;
	}
	code = pin_delete(subu, hook->name, error);
	if (code < 0)
		return code;
	fresh = bpf_link_create(program_fd(programs, hook), cgroup_fd, hook->type, NULL);
	if (fresh < 0)
		return error_errno(error, "cannot attach a program to %s", hook->kernel_name);
	return pin_add(fresh, subu, hook->name, error);
}

static int map_fd(const struct bpf_object *programs, const char *name)
{
	return bpf_map__fd(bpf_object__find_map_by_name(programs, name));
}

/* Loads the programs, with the maps that are pinned where they fit, and configures them. */
static int load(const char *subu, const struct egress_config *config, struct bpf_object **ret,
		struct error *error)
{
	CLEANUP(fd_close) int config_fd = -1;
	CLEANUP(fd_close) int counters_fd = -1;
	int code = maps_open(subu, &config_fd, &counters_fd, error);

	if (code == 0)
		code = programs_load(config_fd, counters_fd, ret, error);
	return code < 0 ? code : maps_write_config(map_fd(*ret, "config"), config, error);
}

/* What is pinned already stays: killed here, a name on its way to replace itself would be left. */
static int pin_map(const char *subu, const struct bpf_object *programs, const char *name,
		   struct error *error)
{
	CLEANUP(fd_close) int pinned = -1;
	uint32_t there = 0, wanted;
	int code = maps_id(map_fd(programs, name), &wanted, error);

	if (code == 0)
		code = pin_open(subu, name, &pinned, error);
	if (code == 0 && pinned >= 0)
		code = maps_id(pinned, &there, error);
	if (code < 0 || there == wanted)
		return code;
	return pin_replace(map_fd(programs, name), subu, name, error);
}

static int change_config(const char *subu, const struct egress_config *config, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	int code = pin_open(subu, "config", &fd, error);

	return code < 0 ? code : maps_write_config(fd, config, error);
}

int egress_install(const char *subu, int cgroup_fd, const struct egress_config *config,
		   struct error *error)
{
	CLEANUP(programs_close) struct bpf_object *programs = NULL;
	struct egress_status status;
	int code = egress_observe(subu, cgroup_fd, &status, error);

	if (code == 0 && status.current)
		return change_config(subu, config, error);
	if (code == 0)
		code = pin_folder_create(subu, error);
	if (code == 0)
		code = load(subu, config, &programs, error);
	for (size_t i = 0; code == 0 && i < EGRESS_HOOK_COUNT; i++)
		code = attach(subu, cgroup_fd, programs, &egress_hooks[i], error);
	if (code == 0)
		code = pin_map(subu, programs, "counters", error);
	if (code == 0)
		code = pin_map(subu, programs, "config", error);
	return code;
}

/* To remove a pin ends the link some time later; to detach it ends what it does now. */
static int detach(const char *subu, const struct egress_hook *hook, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	int code = pin_open(subu, hook->name, &fd, error);

	if (code < 0)
		return code;
	if (fd >= 0 && bpf_link_detach(fd) < 0 && errno != ENOLINK)
		return error_errno(error, "cannot detach the program for %s", hook->kernel_name);
	return pin_delete(subu, hook->name, error);
}

int egress_remove(const char *subu, struct error *error)
{
	int code = 0;

	for (size_t i = EGRESS_HOOK_COUNT; code == 0 && i-- > 0;)
		code = detach(subu, &egress_hooks[i], error);
	return code < 0 ? code : pin_folder_delete(subu, error);
}
