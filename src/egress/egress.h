/* Forced egress of one sub-user: its programs, attached to its control group and kept by pins. */
#ifndef EGRESS_EGRESS_H
#define EGRESS_EGRESS_H

#include "base/error.h"
#include "egress/layout.h"

/* Would the kernel take the programs? Nothing is left of the trial. */
int egress_check(struct error *error);

/* Attaches the programs to the control group (an open folder), or brings those that are there up to
 * date: each is replaced in one step (BPF_LINK_UPDATE), with its configuration in place before.
 * subu is the name of the pins' folder, such as "subu_0". Killed anywhere on the way it leaves every
 * program that was attached either old or new, and may be run again. */
int egress_install(const char *subu, int cgroup_fd, const struct egress_config *config,
		   struct error *error);

/* Detaches and unpins all there is, what holds last. Nothing there: 0. */
int egress_remove(const char *subu, struct error *error);

#endif
