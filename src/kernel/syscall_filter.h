/* The kernel's filter of system calls, seccomp(2). */
#ifndef KERNEL_SYSCALL_FILTER_H
#define KERNEL_SYSCALL_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "base/error.h"

/* Has the kernel run this program at each system call of the calling process, and of all that it starts,
 * from here on and for good. It can gain no privilege any more. */
int syscall_filter_install(const struct sock_filter *program, size_t count, struct error *error);

#endif
