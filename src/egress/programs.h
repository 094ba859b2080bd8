/* The programs in the kernel: the object file inside this program, loaded. */
#ifndef EGRESS_PROGRAMS_H
#define EGRESS_PROGRAMS_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "egress/layout.h"

/* Where a program is attached on the control group. */
struct egress_hook {
	const char *name;	   /* as the first part of the program's name */
	const char *kernel_name;   /* as the kernel's documents call it */
	enum bpf_attach_type type; /* identifies it */
};

/* In the order in which they are attached: what holds comes first. */
#define EGRESS_HOOK_COUNT 7
extern const struct egress_hook egress_hooks[EGRESS_HOOK_COUNT];

/* The number of the program that an open link has attached to the hook, on the control group of that
 * number; 0 when it is a link to something else, or one whose group is gone. */
int hook_find_program(const struct egress_hook *hook, int link_fd, uint64_t cgroup, uint32_t *ret,
		      struct error *error);

/* Is it this version's program for the hook, and does it read the map `config` of that number? */
int program_is_current(const struct egress_hook *hook, uint32_t program, uint32_t config, bool *ret,
		       struct error *error);

/* Loads the programs, with the maps given, or new ones where -1 is. The caller closes with programs_close(). */
int programs_load(int config_fd, int counters_fd, struct bpf_object **ret, struct error *error);
void programs_close(struct bpf_object **programs);

/* The loaded program for the hook; the descriptor stays the object's. */
int program_fd(const struct bpf_object *programs, const struct egress_hook *hook);

#endif
