/* The first process of a command's process namespace, and what it and the one outside say to each
 * other. */
#ifndef RUN_REAPER_H
#define RUN_REAPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "enter/enter.h"

enum reaper_word {
	/* to the one outside */
	REAPER_STARTED, /* value: the reaper's process number */
	REAPER_FAILED,	/* error */
	REAPER_STOPPED, /* value: by which signal the command was; continued; terminal */
	REAPER_ENDED,	/* value: what waitpid(2) says of the command; left */
	/* from it */
	REAPER_BEGIN,  /* the tunnel is up: its first word, or none */
	REAPER_SIGNAL, /* value: a signal that the one outside got */
};

struct reaper_message {
	enum reaper_word word;
	int value;
	bool left;     /* others live on inside: they linger */
	int continued; /* how many SIGCONT from the one outside had come by then */
	bool terminal; /* its foreground is a process group of the inside */
	struct error error;
};

struct reaper {
	const struct dns *dns;
	const char *const *covers; /* folders, NULL at the end */
	const struct enter_identity *identity;
	bool linger; /* what the command leaves running goes on, and so does the reaper */
	int channel; /* where messages go, of fds_pair(): each is one packet */
	int leash;   /* held while it lives; -1: none */
};

/* In the first process of the namespace. Returns in the command's process alone, which is to go on to
 * enter_give_up() with what is returned: the gate, where it is let go once the tunnel is up. */
int reaper_live(struct reaper *reaper);

#endif
