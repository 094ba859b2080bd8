/* The engine at work: the loop between the TUN device, the UDP sockets, the clock and the UAPI
 * socket, around the protocol core of device.h. */
#ifndef WIREGUARD_LOOP_H
#define WIREGUARD_LOOP_H

#include <signal.h>
#include <stdint.h>

#include "base/error.h"

/* The device, as a process in its network namespace has opened it. */
struct loop_device {
	int tun;	    /* tun_open() */
	int link;	    /* link_watch_open() */
	unsigned int index; /* of the interface */
};
#define LOOP_DEVICE_NONE ((struct loop_device){.tun = -1, .link = -1})

void loop_device_close(struct loop_device *device);

/* What the loop works with; it takes the descriptors over. */
struct loop_setup {
	const char *name;	   /* of the device; must outlive the loop */
	struct loop_device device; /* for loop_attach() */
	uint32_t fwmark;
	int uapi; /* uapi_listen() */
	/* Where that is, for its removal ends the loop; must outlive it. NULL: it is not watched. */
	const char *socket;
	int removal; /* uapi_watch_removal(), with a socket */
};

/* For an initialiser: none of them is open. */
#define LOOP_SETUP_CLOSED .device = LOOP_DEVICE_NONE, .uapi = -1, .removal = -1

/* Closes what no loop has taken over. Usable with CLEANUP(). */
void loop_setup_close(struct loop_setup *setup);

struct loop;

/* Makes all that takes rights or memory but for the device: sockets, in the caller's network
 * namespace, packets, keys' contexts. Blocks the signals of loop_signals(), which the loop takes from
 * now on. */
struct loop *loop_create(const struct loop_setup *setup, struct error *error);

/* Then gives it the device, once. */
int loop_attach(struct loop *loop, const struct loop_device *device, struct error *error);

/* Usable with CLEANUP(). */
void loop_free(struct loop **loop);

/* The signals that end an engine in an orderly way: SIGTERM, SIGINT and, unless it is ignored, as
 * nohup(1) wants it, SIGHUP. */
void loop_signals(sigset_t *ret);

/* Works until a signal, the removal of the UAPI socket or the deletion of the device ends it. */
void loop_run(struct loop *loop);

#endif
