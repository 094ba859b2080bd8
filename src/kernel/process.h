/* Processes: their identity, their end, and giving up privileges. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/capability.h>
#include <sys/types.h>

#include "base/error.h"

/* Ends the processes: SIGTERM, then SIGKILL to those that are still there after grace_ms. Each is
 * held by a pidfd before the first signal, so that SIGKILL hits the same process as SIGTERM, or
 * none. Whose number it is when the pidfd is opened cannot be told here: it is for the caller that a
 * number has not been used again since it was read. Returns when all are gone, if only as zombies
 * that their parent has yet to wait for; -ETIMEDOUT when one does not go within a second of SIGKILL.
 * More than 256 go in turns, each with its own grace. */
int process_end(const pid_t *pids, size_t count, unsigned int grace_ms, struct error *error);

/* The same for one that the caller holds by a pidfd already. */
int process_end_held(int pidfd, unsigned int grace_ms, struct error *error);

/* A process and no other that had its number before or will have it later. */
struct process_id {
	pid_t pid;
	uint64_t start; /* clock ticks since boot (proc_pid_stat(5), field 22) */
};

/* -ESRCH when there is no process of that number. */
int process_identify(pid_t pid, struct process_id *ret, struct error *error);

/* A pidfd of that very process. -ESRCH when it has gone, if only as a zombie, whoever has its number
 * now. */
int process_open(const struct process_id *id, int *ret_pidfd, struct error *error);

/* Takes a POSIX write lock on the file (made 0600 if need be) for the life of the process, which
 * the kernel then names to process_lock_holder(). -EBUSY when another holds it. The descriptor must
 * stay open. */
int process_lock(const char *path, int *ret_fd, struct error *error);

/* The process that holds the lock of the file; 0 when none does or there is no file. Not for that
 * process itself: it would not be named, and closing the file here would end its lock (fcntl(2)).
 */
int process_lock_holder(const char *path, pid_t *ret, struct error *error);

/* As fork(2), for a child that its parent waits for: ^Z does not stop it, since that stops the parent as
 * well, which would wait in vain when it alone is continued. SIGTSTP, SIGTTIN and SIGTTOU are blocked
 * in the child. */
pid_t process_fork_unstopped(void);

/* Has the process this capability, in its own user namespace? */
bool process_may(cap_value_t capability);

/* Gives up every capability for good: effective, permitted, inheritable, ambient and bounding, and
 * sets no_new_privs, so that no later execve() brings one back, not even as root. Of the calling
 * thread: to be called before there are others. */
int process_drop_capabilities(struct error *error);

/* Frees what libcap gave, and takes NULL. Use with CLEANUP(). */
void process_capabilities_free(cap_t *capabilities);

/* Makes descriptors 0, 1 and 2 exist: a closed one is opened on /dev/null. */
int process_fix_standard_fds(struct error *error);

#endif
