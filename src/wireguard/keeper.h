/* The process that looks after an engine: it hands over what it has opened, says how the engine
 * ended, and removes its socket. */
#ifndef WIREGUARD_KEEPER_H
#define WIREGUARD_KEEPER_H

#include <stdbool.h>

#include "base/error.h"
#include "wireguard/loop.h"

struct keeper {
	struct loop_setup setup;  /* its descriptors are closed here once the engine has them */
	bool keep_network_rights; /* see cage_enter() */
	const char *lock;	  /* the file the engine locks while it lives; NULL: none */
	const char *socket;	  /* to remove when the engine has ended; NULL: none */
};

/* Starts the engine, reports through *report (which may be -1) whether it is ready, and stays until
 * it has ended. Returns 0 when that was in an orderly way. An error from before it was ready is
 * both reported and returned. */
int keeper_run(struct keeper *keeper, int *report, struct error *error);

#endif
