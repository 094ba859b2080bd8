/* What is wanted of Landlock is none of what a ruleset says, but what comes with any: a process in a
 * domain may trace those of the same domain, or of one nested in it, and no others (ptrace(2)'s
 * access check, in security/landlock/). On that check hangs all that one process may do with another
 * of the same account but send it signals:
 *
 *	pidfd_getfd()                     its sockets, which are of the network outside
 *	ptrace(), process_vm_writev()     to have it send what one likes
 *	/proc/PID/root, cwd and fd        the files below every cover
 *	/proc/PID/ns                      the namespaces that it is in
 *	/proc/PID/mem, environ, maps      what it knows
 *
 * Among themselves, processes of one command do all this as ever. Those of two commands do not, even
 * in the same sub-user: nobody joins a domain that is there.
 *
 * A ruleset must restrict something. What costs least depends on the kernel:
 *
 *	from Linux 6.12 (ABI 6)    connecting to an abstract UNIX socket that was made outside the
 *	                           domain. Those belong to the network namespace anyhow, so what is lost
 *	                           is the way between two commands in it. The other choice there would be
 *	                           signals: a pager that stops its process group on ^Z would leave the
 *	                           script around `subu exec` running, and the terminal hanging
 *	before                     moving and linking files from one folder to another
 *	                           (LANDLOCK_ACCESS_FS_REFER), which every domain forbids that does not
 *	                           say otherwise; a rule allows it everywhere. But a domain that handles
 *	                           any access to files may not mount: user namespaces in there have
 *	                           the mounts that they began with. That is why it is not used later
 *
 * Limit: without Landlock (CONFIG_SECURITY_LANDLOCK, and "landlock" in lsm=) the command goes inside
 * all the same, and can do with those processes what it could outside. `doctor` says so. */
#include "enter/domain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#endif

#define ABI_SCOPED 6 /* the first with rulesets that handle no access */

/* As landlock(7) has it from ABI 6 on. Older kernels take a longer one whose rest is zero. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

static int create(const struct ruleset *ruleset, size_t size, unsigned int flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, ruleset, size, flags);
}

static int allow_everywhere(int ruleset, uint64_t access, struct error *error)
{
	CLEANUP(fd_close) int root = open("/", O_PATH | O_CLOEXEC);
	const struct landlock_path_beneath_attr beneath = {.allowed_access = access,
							   .parent_fd = root};

	if (root < 0)
		return error_errno(error, "cannot open /");
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
		return error_errno(error, "cannot add to the command's Landlock ruleset");
	return 0;
}

int domain_enter(struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	struct ruleset ruleset = {};
	int abi = create(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	if (abi < 0)
		return error_errno(error, "cannot tell what Landlock can do");
	if (abi >= ABI_SCOPED)
		ruleset.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET;
	else
		ruleset.handled_access_fs = LANDLOCK_ACCESS_FS_REFER;
	fd = create(&ruleset, sizeof(ruleset), 0);
	if (fd < 0)
		return error_errno(error, "cannot make the command's Landlock ruleset");
	if (ruleset.handled_access_fs && allow_everywhere(fd, ruleset.handled_access_fs, error) < 0)
		return -error->code;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return error_errno(error, "cannot put the command into a Landlock domain");
	return 0;
}
