/* The engine at work: the loop between the TUN device, the UDP sockets, the clock and the UAPI
 * socket, around the protocol core of device.h. */
#ifndef WIREGUARD_LOOP_H
#define WIREGUARD_LOOP_H

#include <signal.h>
#include <stdint.h>

#include "base/error.h"

/* What the loop works with; it takes the descriptors over. */
struct loop_setup {
	const char *name;   /* of the device; must outlive the loop */
	unsigned int index; /* its interface index */
	uint32_t fwmark;
	int tun;  /* tun_open() */
	int link; /* link_watch_open() in the device's namespace */
	int uapi; /* uapi_listen() */
	/* Where that is, for its removal ends the loop; must outlive it. NULL: it is not watched. */
	const char *socket;
	int removal; /* uapi_watch_removal(), with a socket */
};

/* For an initialiser: none of them is open. */
#define LOOP_SETUP_CLOSED .tun = -1, .link = -1, .uapi = -1, .removal = -1

/* Closes what no loop has taken over. Usable with CLEANUP(). */
void loop_setup_close(struct loop_setup *setup);

struct loop;

/* Makes all that takes rights or memory: sockets, in the caller's network namespace, packets, keys'
 * contexts. Blocks the signals of loop_signals(), which the loop takes from now on. */
struct loop *loop_create(const struct loop_setup *setup, struct error *error);

/* Usable with CLEANUP(). */
void loop_free(struct loop **loop);

/* The signals that end an engine in an orderly way: SIGTERM, SIGINT and, unless it is ignored, as
 * nohup(1) wants it, SIGHUP. */
void loop_signals(sigset_t *ret);

/* Works until a signal, the removal of the UAPI socket or the deletion of the device ends it. */
void loop_run(struct loop *loop);

#endif
