/* What is in a tunnel that is up: its device, and the processes of its commands. */
#ifndef RUN_INSIDE_H
#define RUN_INSIDE_H

#include <stddef.h>
#include <sys/types.h>

#include "model/tunnel.h"
#include "run/registry.h"

/* Reads the WireGuard device, from whoever runs it. The caller clears *ret. */
int inside_device(const struct registry *registry, const struct record *record,
		  struct wg_device *ret, struct error *error);

/* Waits until a peer has answered: WireGuard says nothing until it is asked to, so each peer that has
 * an endpoint and no keepalive gets one for as long. 0 at once when there is none to ask.
 * -ETIMEDOUT, which says whom it waited for. */
int inside_await_handshake(const struct registry *registry, const struct record *record,
			   unsigned int timeout_ms, struct error *error);

struct inside_process {
	pid_t pid;
	char name[16]; /* of the program, as the kernel keeps it (proc_pid_comm(5)), printable */
};

/* All but subu's own; the caller frees the array. */
int inside_processes(const struct record *record, struct inside_process **ret, size_t *ret_count,
		     struct error *error);

#endif
