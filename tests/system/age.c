#include "age.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "base/memory.h"
#include "egress/maps.h"
#include "egress/pin.h"
#include "egress/programs.h"

static const struct egress_hook *hook_of(const struct bpf_program *program)
{
	size_t i = 0;

	while (egress_hooks[i].type != bpf_program__expected_attach_type(program))
		i++;
	return &egress_hooks[i];
}

static int age_program(const char *subu, const struct bpf_program *program, struct error *error)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = bpf_program__expected_attach_type(program));
	const struct egress_hook *hook = hook_of(program);
	CLEANUP(memory_free) char *name = memory_format("%s_000000", hook->name);
	CLEANUP(fd_close) int link = -1;
	CLEANUP(fd_close) int fd = -1;
	int code = pin_open(subu, hook->name, &link, error);

	if (code < 0)
		return code;
	fd = bpf_prog_load(bpf_program__type(program), name, "GPL", bpf_program__insns(program),
			   bpf_program__insn_cnt(program), &options);
	if (fd < 0 || bpf_link_update(link, fd, NULL) < 0)
		return error_errno(error, "cannot age the program for %s", hook->kernel_name);
	return 0;
}

static int age_maps(const char *subu, const struct bpf_object *programs, uint32_t layout,
		    struct error *error)
{
	const int config_fd = bpf_object__find_map_fd_by_name(programs, "config");
	const int counters_fd = bpf_object__find_map_fd_by_name(programs, "counters");
	struct egress_config config;
	int code = maps_read_config(config_fd, &config, error);

	config.layout = layout;
	if (code == 0)
		code = maps_write_config(config_fd, &config, error);
	if (code == 0)
		code = pin_replace(counters_fd, subu, "counters", error);
	return code < 0 ? code : pin_replace(config_fd, subu, "config", error);
}

int age_install(const char *subu, uint32_t layout, struct error *error)
{
	CLEANUP(programs_close) struct bpf_object *programs = NULL;
	CLEANUP(fd_close) int config = -1;
	CLEANUP(fd_close) int counters = -1;
	struct bpf_program *program;
	int code = maps_open(subu, &config, &counters, error);

	if (code == 0)
		code = programs_load(layout ? -1 : config, layout ? -1 : counters, &programs,
				     error);
	if (code < 0)
		return code;
	bpf_object__for_each_program (program, programs) {
		code = age_program(subu, program, error);
		if (code < 0)
			return code;
	}
	return layout ? age_maps(subu, programs, layout, error) : 0;
}
