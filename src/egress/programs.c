#include "egress/programs.h"

#include <bpf/bpf.h>
#include <egress_object.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define PROGRAM_MAPS 8 /* more than any of the programs has */

const struct egress_hook egress_hooks[EGRESS_HOOK_COUNT] = {
	{"egress", "cgroup_skb/egress", BPF_CGROUP_INET_EGRESS},
	{"setopt", "cgroup/setsockopt", BPF_CGROUP_SETSOCKOPT},
	{"create", "cgroup/sock_create", BPF_CGROUP_INET_SOCK_CREATE},
	{"connect4", "cgroup/connect4", BPF_CGROUP_INET4_CONNECT},
	{"connect6", "cgroup/connect6", BPF_CGROUP_INET6_CONNECT},
	{"sendmsg4", "cgroup/sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
	{"sendmsg6", "cgroup/sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
};

int hook_find_program(const struct egress_hook *hook, int link_fd, uint64_t cgroup, uint32_t *ret,
		      struct error *error)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &size) < 0)
		return error_errno(error, "cannot ask for the BPF link to %s", hook->kernel_name);
	*ret = info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.cgroup_id == cgroup &&
			       info.cgroup.attach_type == hook->type
		       ? info.prog_id
		       : 0;
	return 0;
}

int program_is_current(const struct egress_hook *hook, uint32_t program, uint32_t config, bool *ret,
		       struct error *error)
{
	CLEANUP(fd_close) int fd = bpf_prog_get_fd_by_id(program);
	uint32_t maps[PROGRAM_MAPS] = {};
	struct bpf_prog_info info = {.nr_map_ids = PROGRAM_MAPS, .map_ids = (uintptr_t)maps};
	char name[BPF_OBJ_NAME_LEN];
	__u32 size = sizeof(info);
	bool reads = false;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return error_errno(error, "cannot ask for the BPF program for %s",
				   hook->kernel_name);
	for (uint32_t i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS; i++)
		reads |= maps[i] == config;
	snprintf(name, sizeof(name), "%s_%s", hook->name, EGRESS_VERSION);
	*ret = reads && strcmp(info.name, name) == 0;
	return 0;
}

void programs_close(struct bpf_object **programs)
{
	bpf_object__close(*programs);
	*programs = NULL;
}

static struct bpf_program *find_program(const struct bpf_object *programs,
					const struct egress_hook *hook)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, programs)
		if (bpf_program__expected_attach_type(program) == hook->type)
			return program;
	return NULL;
}

int program_fd(const struct bpf_object *programs, const struct egress_hook *hook)
{
	return bpf_program__fd(find_program(programs, hook));
}

static int open_object(struct bpf_object **ret, struct error *error)
{
	size_t size;
	const void *bytes = egress_object__elf_bytes(&size);
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "subu");

	/* What libbpf would print says less to a user than errno does. */
	libbpf_set_print(NULL);
	*ret = bpf_object__open_mem(bytes, size, &options);
	return *ret ? 0 : error_errno(error, "cannot read the programs in this program");
}

/* Does the kernel take this one alone? Returns 0 or a negative errno. */
static int try_alone(const struct egress_hook *hook, struct error *error)
{
	CLEANUP(programs_close) struct bpf_object *object = NULL;
	struct bpf_program *program;
	int code = open_object(&object, error);

	if (code < 0)
		return code;
	bpf_object__for_each_program (program, object)
		bpf_program__set_autoload(program,
					  bpf_program__expected_attach_type(program) == hook->type);
	return bpf_object__load(object);
}

/* Says why, for the code that libbpf gave. */
static int explain(int code, struct error *error)
{
	if (code == -EPERM || code == -EACCES)
		return error_code(error, code,
				  "the kernel refuses BPF programs: it takes CAP_BPF and "
				  "CAP_NET_ADMIN, or root outside containers");
	if (code == -ENOMEM)
		return error_code(error, code,
				  "the kernel has no memory for BPF programs: raise the limit of "
				  "the service or container (memory.max, LimitMEMLOCK=)");
	if (code == -ENOSYS)
		return error_code(error, code, "this kernel has no BPF (CONFIG_BPF_SYSCALL)");
	for (size_t i = 0; i < EGRESS_HOOK_COUNT; i++)
		if (try_alone(&egress_hooks[i], error) < 0)
			return error_code(error, code,
					  "this kernel does not take a program for %s "
					  "(CONFIG_CGROUP_BPF)",
					  egress_hooks[i].kernel_name);
	return error_code(error, code, "the kernel does not take the BPF programs");
}

static int reuse(struct bpf_object *object, const char *name, int fd, struct error *error)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	if (fd >= 0 && bpf_map__reuse_fd(map, fd) < 0)
		return error_errno(error, "cannot use the BPF map %s again", name);
	return 0;
}

int programs_load(int config_fd, int counters_fd, struct bpf_object **ret, struct error *error)
{
	CLEANUP(programs_close) struct bpf_object *object = NULL;
	int code = open_object(&object, error);

	if (code == 0)
		code = reuse(object, "config", config_fd, error);
	if (code == 0)
		code = reuse(object, "counters", counters_fd, error);
	if (code < 0)
		return code;
	code = bpf_object__load(object);
	if (code < 0)
		return explain(code, error);
	*ret = MEMORY_TAKE(object);
	return 0;
}
