/* The BPF file system, where programs' links and maps are kept by name (pinned) when no process has
 * them open. */
#ifndef KERNEL_BPFFS_H
#define KERNEL_BPFFS_H

#include "base/error.h"

#define BPFFS_TYPE   "bpf" /* of the file system, in mountinfo */
#define BPFFS_FOLDER "/sys/fs/bpf"

/* Mounts it at its usual place if nobody has (systemd does). */
int bpffs_mount(struct error *error);

#endif
