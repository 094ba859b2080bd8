/* Pins: names in the BPF file system that hold the links and maps of one sub-user's forced egress.
 *
 *	/sys/fs/bpf/subu/subu_N/	egress setopt create connect4 …	links
 *					config counters			maps */
#ifndef EGRESS_PIN_H
#define EGRESS_PIN_H

#include <stdbool.h>

#include "base/error.h"
#include "kernel/bpffs.h"

#define PIN_FOLDER BPFFS_FOLDER "/subu" /* of all sub-users */

/* The folder of the pins of a sub-user such as "subu_0". Made where it is not there, with the file
 * system around it; removed where it is, with all pins that are left. */
int pin_folder_create(const char *subu, struct error *error);
int pin_folder_delete(const char *subu, struct error *error);

/* Is there one to remove, or the one around all of them, empty, which a killed run left? */
bool pin_folder_left(const char *subu);

/* Opens what is pinned. Nothing there: 0 and -1. */
int pin_open(const char *subu, const char *name, int *ret_fd, struct error *error);

int pin_add(int fd, const char *subu, const char *name, struct error *error);

/* Pins it in one step in the place of what may be pinned there. */
int pin_replace(int fd, const char *subu, const char *name, struct error *error);

/* Nothing there: 0. */
int pin_delete(const char *subu, const char *name, struct error *error);

#endif
