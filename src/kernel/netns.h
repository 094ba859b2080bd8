/* Named network namespaces at /run/netns, as iproute2 keeps them (ip-netns(8)). */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Makes the namespace and its name. -EEXIST when a namespace of that name is there; an empty file
 * that a killed run left is taken over. */
int netns_create(const char *name, struct error *error);

/* Takes the name away; the kernel ends the namespace with its last user. Not there: 0. */
int netns_delete(const char *name, struct error *error);

/* Is there anything of that name, a namespace or what a killed run left? */
bool netns_has_name(const char *name);

/* Opens it. -ENOENT when there is none, or only a file that is no namespace. */
int netns_open(const char *name, int *ret_fd, struct error *error);

/* Opens the namespace that the calling thread is in. */
int netns_open_own(int *ret_fd, struct error *error);

/* Moves the calling thread into a namespace and back, for what can only be done from inside:
 * opening /dev/net/tun, reading and writing /proc/sys/net.
 *
 *	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
 *	if (netns_visit_begin(&visit, fd, error) < 0)
 *
 * A thread that cannot get back ends the program: it must never go on in the wrong namespace. */
struct netns_visit {
	int home; /* -1: not away */
};
#define NETNS_VISIT_NONE ((struct netns_visit){.home = -1})

int netns_visit_begin(struct netns_visit *visit, int netns_fd, struct error *error);
void netns_visit_end(struct netns_visit *visit);

/* Moves the calling process there for good. */
int netns_enter(int netns_fd, struct error *error);

/* The number that the kernel gives no other namespace until it boots again (SO_NETNS_COOKIE, Linux
 * 5.14). */
int netns_cookie(int netns_fd, uint64_t *ret, struct error *error);

/* Processes whose network namespace it is, read from /proc, the caller left out; the array is the
 * caller's to free. Threads that differ from their process do not count. */
int netns_processes(int netns_fd, pid_t **ret, size_t *ret_count, struct error *error);

#endif
