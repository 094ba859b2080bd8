#include "kernel/syscall_filter.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int syscall_filter_install(const struct sock_filter *program, size_t count, struct error *error)
{
	const struct sock_fprog whole = {.len = (unsigned short)count,
					 .filter = (struct sock_filter *)program};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) < 0)
		return error_errno(error, "cannot filter system calls");
	return 0;
}
