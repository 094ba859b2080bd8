/* What a filter of system calls is compiled from, by the build and not by us (syscall_filter_compile.c):
 * a file of rules defines the one there is. */
#ifndef KERNEL_SYSCALL_FILTER_RULES_H
#define KERNEL_SYSCALL_FILTER_RULES_H

#include <seccomp.h>
#include <stdbool.h>

struct syscall_filter_rules {
	uint32_t otherwise;		    /* the action for a call that no rule names */
	bool tree;			    /* for a long list: a call is found by halving it */
	int (*add)(scmp_filter_ctx filter); /* returns as libseccomp's functions do */
};

extern const struct syscall_filter_rules syscall_filter_rules;

#endif
