/* Kernel settings below /proc/sys. Those of net/ are the ones of the namespace that the calling
 * thread is in: see netns_visit_begin(). */
#ifndef KERNEL_SYSCTL_H
#define KERNEL_SYSCTL_H

#include <stddef.h>

#include "base/error.h"

/* The path is what follows /proc/sys/, such as "net/ipv4/ping_group_range". The value read is
 * without its newline, its inner white space made single spaces. -ENOENT when the kernel has no
 * such setting. */
int sysctl_read(const char *path, char *value, size_t size, struct error *error);
int sysctl_write(const char *path, const char *value, struct error *error);

#endif
