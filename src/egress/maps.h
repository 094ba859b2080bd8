/* The maps by which subu and the programs in the kernel speak. */
#ifndef EGRESS_MAPS_H
#define EGRESS_MAPS_H

#include <stdint.h>

#include "base/error.h"
#include "egress/layout.h"

/* The pinned maps of a sub-user such as "subu_0", where this version's programs can work with them;
 * else -1. The caller closes them. */
int maps_open(const char *subu, int *ret_config, int *ret_counters, struct error *error);

/* The number by which the kernel names a map. */
int maps_id(int fd, uint32_t *ret, struct error *error);

int maps_read_config(int fd, struct egress_config *ret, struct error *error);
int maps_write_config(int fd, const struct egress_config *config, struct error *error);

/* The sums over all processors. */
int maps_read_counters(int fd, uint64_t ret[static EGRESS_REASON_COUNT], struct error *error);

#endif
