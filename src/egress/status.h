/* What the kernel has of a sub-user's forced egress. */
#ifndef EGRESS_STATUS_H
#define EGRESS_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "egress/layout.h"

struct egress_status {
	bool present;  /* something is pinned, be it whole or not */
	bool enforced; /* every program is attached to the group: this version's or another's */
	bool current;  /* enforced, by this version's programs, which read `config` */
	struct egress_config config;		/* zeros unless current */
	uint64_t counters[EGRESS_REASON_COUNT]; /* zeros where there are none */
};

/* Looks at what is pinned for a sub-user such as "subu_0". cgroup_fd is its control group's folder,
 * -1 when there is none. */
int egress_observe(const char *subu, int cgroup_fd, struct egress_status *ret, struct error *error);

#endif
