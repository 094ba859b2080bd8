/* The processes of a sub-user: those in its network namespace, and those in its control group, which
 * may have gone to a namespace of their own. */
#ifndef RECONCILE_INMATES_H
#define RECONCILE_INMATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct inmate {
	pid_t pid;
	bool in_netns, in_cgroup; /* one of them or both */
};

/* In the order of their numbers, the caller left out; the array is the caller's to free. A namespace
 * or group that is not there has none. */
int inmates_list(uint32_t subu, struct inmate **ret, size_t *ret_count, struct error *error);

#endif
