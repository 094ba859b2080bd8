/* The userspace WireGuard engine: one process a device. Two ways to start it: by hand, as any
 * WireGuard implementation in userspace (https://www.wireguard.com/xplatform/), and by subu, for a
 * device in a sub-user's namespace. */
#ifndef WIREGUARD_ENGINE_H
#define WIREGUARD_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* What `subu engine` was told. */
struct engine_options {
	const char *name; /* of the device */
	bool foreground;
	/* Started by engine_start(), with open descriptors; the rest is for that alone. */
	bool managed;
	unsigned int index; /* the device's interface index */
	uint32_t fwmark;    /* 0: none */
};

/* The life of an engine, or, to go to the background, until the engine is ready. By hand it makes
 * the device in the caller's network namespace, and the device ends with it. Returns 0 when the
 * engine was ended in an orderly way. */
int engine_main(const struct engine_options *options, struct error *error);

/* Makes the device `name` in the namespace of netns_fd, or attaches to the one that an engine left
 * there, and starts an engine for it in the background. The engine's UDP sockets are in the
 * caller's namespace. Returns when the engine answers at its socket (uapi_path()).
 *
 * The engine has no capabilities: the firewall mark is for life, and with one the listen port can
 * be set once; ports below 1024 are beyond it. The device is persistent: should the engine die, it
 * stays with its addresses and routes, and nothing passes until engine_start() is called again.
 * Log: /run/subu/NAME.log. -EBUSY when there is an engine for this name already; on any failure the
 * device may have been made. */
int engine_start(const char *name, int netns_fd, uint32_t fwmark, struct error *error);

/* Ends the engine, if there is one, and removes its socket, lock and log. The device stays. */
int engine_stop(const char *name, struct error *error);

/* The process of the engine; 0: there is none. */
int engine_running(const char *name, pid_t *ret, struct error *error);

/* Is an engine's socket, lock or log there, its process alive or not? */
bool engine_has_files(const char *name);

#endif
