/* The process that looks after an engine: it hands over what it has opened, says how the engine
 * ended, and removes its socket. */
#ifndef WIREGUARD_KEEPER_H
#define WIREGUARD_KEEPER_H

#include <stdbool.h>

#include "base/error.h"
#include "wireguard/loop.h"

struct keeper {
	struct loop_setup setup;  /* its descriptors are closed here once the engine has them */
	bool keep_network_rights; /* see cage_give_up_rights() */
	const char *lock;	  /* the file the engine locks while it lives; NULL: none */
	bool remove_socket; /* when the engine has ended, for setup.socket is of this one alone */
	int from;	    /* owned; a socket on which the engine gets its device, see
			     * keeper_send_device(); -1: it is there */
};

/* Starts the engine, reports through *report (which may be -1) whether it is ready, and stays until
 * it has ended. Returns 0 when that was in an orderly way. An error from before it was ready is
 * both reported and returned. */
int keeper_run(struct keeper *keeper, int *report, struct error *error);

/* The parts, for a keeper that has more to look after than one engine. The engine is a child of the
 * caller's, who is to wait for it; it works once report_await(*ret_report) says so, and *keeper's
 * descriptors are closed in any case. The caller has SIGCHLD and the signals of loop_signals()
 * blocked from here on. */
int keeper_start(struct keeper *keeper, pid_t *ret_engine, int *ret_report, struct error *error);

/* Sends an engine its device, which it waits for at the other end of keeper.from. The descriptors stay
 * the caller's. */
int keeper_send_device(int socket, const struct loop_device *device, struct error *error);

/* What the status of waitpid(2) says of an engine: 0 when it ended in an orderly way, else how it
 * ended, in words. */
int keeper_explain(const char *name, int status, struct error *error);

#endif
