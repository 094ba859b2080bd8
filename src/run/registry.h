/* The tunnels that are up and belong to no sub-user: a folder each below the user's runtime folder
 * (run/folders.h), named as the tunnel.
 *
 *	lock		locked by its supervisor as long as that lives
 *	record.json	who looks after it: below
 *	leash		a FIFO: the tunnel of a command ends when nobody has it open for writing
 *	engine.sock	the engine's UAPI socket
 *	log		what the supervisor and the engine have to say
 *	reason		why it ended, when not as it should
 *
 * A folder lives as long as its supervisor, who takes it away. One whose lock nobody holds is what a
 * crash left: registry_open() removes it. Signals are for the process of the record's number and
 * start, never for a number alone. The registry's own lock keeps callers apart while a tunnel is
 * looked for, begun or given up, not while it works or is asked something. */
#ifndef RUN_REGISTRY_H
#define RUN_REGISTRY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/process.h"
#include "model/name.h"
#include "wireguard/backend.h"

#define RECORD_NAME_MAX 48 /* bytes: a profile's name, or "run@" and two numbers */

struct record {
	char name[RECORD_NAME_MAX];
	char profile[NAME_SIZE]; /* empty: a .conf that is not kept */
	struct process_id supervisor;
	struct process_id anchor; /* holds the namespaces; pid 0: not ready yet */
	enum backend backend;
	int64_t since;	   /* seconds since the epoch */
	char *addresses;   /* owned: "10.0.0.2/32, fd00::2/128" */
	char *dns;	   /* owned: as dns_format() writes it */
	char *source;	   /* owned: which text the tunnel was made from, by start_source() */
	char *fingerprint; /* owned: of its private key */
};

void record_clear(struct record *record);

struct registry {
	char folder[PATH_MAX];
	int lock; /* owned */
};
#define REGISTRY_NONE ((struct registry){.lock = -1})

/* Who is told of what a caller should know. */
struct registry_listener {
	/* Another tunnel has the same key: of two with one key only one works at a time. */
	void (*same_key)(void *data, const char *name);
	/* A tunnel ended by itself; what it left is removed. */
	void (*ended)(void *data, const char *name, const char *reason);
	/* Another program has the lock. */
	void (*waiting)(void *data, const char *folder);
	void *data;
};

/* Makes the folder, takes the lock, and removes what a crash left. */
int registry_open(const struct registry_listener *listener, struct registry *ret,
		  struct error *error);

/* Usable with CLEANUP(). */
void registry_close(struct registry *registry);

/* All tunnels, by name; the caller clears each record and frees the array. */
int registry_list(const struct registry *registry, struct record **ret, size_t *ret_count,
		  struct error *error);
void registry_list_clear(struct record *records, size_t count);

/* -ENOENT when no tunnel of that name is up. The caller clears *ret. */
int registry_find(const struct registry *registry, const char *name, struct record *ret,
		  struct error *error);

/* The lock alone, for who has the folder already: for registry_close() to let go. */
int registry_lock(struct registry *registry, const struct registry_listener *listener,
		  struct error *error);

/* Makes the folder for a new tunnel, with its leash; -ENOTUNIQ when there is one of that name. */
int registry_add(const struct registry *registry, const char *name, struct error *error);

/* Takes the tunnel's own lock for the life of the calling process, its supervisor. */
int registry_hold(const struct registry *registry, const char *name, struct error *error);

/* Takes the record away, so that nobody finds the tunnel any more. */
void registry_forget(const struct registry *registry, const char *name);

/* Removes the folder of a tunnel and all in it. */
int registry_remove(const struct registry *registry, const char *name, struct error *error);

/* A file of a tunnel's folder: "log", "engine.sock". Returns the buffer. */
const char *registry_file(const struct registry *registry, const char *name, const char *file,
			  char path[static PATH_MAX]);

/* Writes the record in the place of the one that was there, in one step. */
int registry_write(const struct registry *registry, const struct record *record,
		   struct error *error);

/* Writes and reads why a tunnel ended: one line, empty when nobody could say. */
void registry_write_reason(const struct registry *registry, const char *name, const char *reason);
void registry_read_reason(const struct registry *registry, const char *name, char *reason,
			  size_t size);

#endif
