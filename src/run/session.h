/* One command inside a tunnel, from the terminal's point of view: what is typed reaches it, and what
 * becomes of it is told. */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include <stdbool.h>

#include "base/error.h"
#include "enter/enter.h"
#include "kernel/process.h"
#include "model/dns.h"

struct session {
	struct process_id supervisor; /* whose end is the tunnel's */
	bool alone;		      /* the namespaces are those of a user namespace */
	const struct dns *dns;
	const char *const *covers; /* folders that the command is not to see, NULL at the end */
	struct enter_identity identity;
	char *const *argv; /* the command, NULL at its end */
	bool linger;	   /* what it leaves running may go on */
	int leash;	   /* held by what lives on inside; -1: none */

	/* Says whose namespaces to enter, when they are there; in a process of its own. */
	int (*find)(void *data, struct process_id *ret, struct error *error);

	/* Waits until the tunnel is up. Meanwhile all is made ready for the command, which does not
	 * begin before, and not at all when this fails. */
	int (*await)(void *data, struct error *error);

	/* The tunnel has ended before the command. */
	void (*lost)(void *data);
	void *data;
};

struct session_end {
	int status; /* the exit status to end with (exit statuses of enter.h) */
	int signal; /* that ended the command; 0: it exited */
	bool left;  /* what the command left running goes on */
};

/* Runs the command and waits for its end. On failure the status to end with is in *ret all the same.
 * Returns a failure in the command's own process, too, when it cannot become the command: the caller
 * does the same in both, it says what happened and ends. */
int session_run(const struct session *session, struct session_end *ret, struct error *error);

#endif
