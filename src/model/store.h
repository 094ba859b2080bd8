/* The database: what the user said, kept in SQLite. Rows go in and come out as model values; nobody
 * above sees SQL.
 *
 * The file holds private keys: 0600, in a folder that only its owner can write. Whoever opens it
 * for writing holds an exclusive flock on FILE.lock until store_close(), readers a shared one, so
 * two programs wait for each other. */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/option.h"
#include "model/subu.h"
#include "model/tunnel.h"

#define STORE_DEFAULT_PATH "/var/lib/subu/subu.db"
#define STORE_TOKEN_LENGTH 6

struct store;

enum store_access {
	STORE_READ,
	STORE_WRITE,
};

/* Makes the database, and its last folder (0700) if need be. Refuses when there is anything at the
 * path: -EEXIST. The token is 6 characters of a–z and 0–9. */
int store_create(const char *path, const char *token, struct error *error);

/* Opens it, waiting for the lock (waiting() is called once if that takes a while; NULL: silently).
 * Refuses, and leaves untouched: no such file, a file that others may read or write, a foreign or
 * damaged file, a schema newer than this program. An older one is migrated (also for STORE_READ).
 */
int store_open(const char *path, enum store_access mode, void (*waiting)(const char *path),
	       struct store **ret, struct error *error);

/* Rolls back an open transaction, closes, gives the lock back. */
void store_close(struct store **store);

int store_begin(struct store *store, struct error *error);
int store_commit(struct store *store, struct error *error);
void store_rollback(struct store *store);

/* Sub-users. Add sets subu->id, the next never used. Find: -ENOENT with a sentence when there is no
 * such sub-user. A list is the caller's to free. */
int store_add_subu(struct store *store, struct subu *subu, struct error *error);
int store_find_subu(struct store *store, const struct name_reference *reference, struct subu *ret,
		    struct error *error);
int store_list_subus(struct store *store, struct subu **ret, size_t *ret_count,
		     struct error *error);
int store_update_subu(struct store *store, const struct subu *subu, struct error *error);
int store_delete_subu(struct store *store, uint32_t id, struct error *error);

/* Tunnels, with their peers. The caller clears what it was given. */
int store_add_tunnel(struct store *store, struct tunnel *tunnel, struct error *error);
int store_find_tunnel(struct store *store, uint32_t id, struct tunnel *ret, struct error *error);
int store_list_tunnel_ids(struct store *store, uint32_t **ret, size_t *ret_count,
			  struct error *error);
int store_update_tunnel(struct store *store, const struct tunnel *tunnel, struct error *error);
int store_delete_tunnel(struct store *store, uint32_t id, struct error *error);

/* Links. Find: -ENOENT, without a message worth showing, when there is none. A sub-user has one
 * tunnel at most, and a tunnel is in one sub-user at most: add is refused by the database
 * otherwise. */
int store_add_link(struct store *store, const struct subu_link *link, struct error *error);
int store_find_link_of_subu(struct store *store, uint32_t subu, struct subu_link *ret,
			    struct error *error);
int store_find_link_of_tunnel(struct store *store, uint32_t tunnel, struct subu_link *ret,
			      struct error *error);
int store_update_link(struct store *store, const struct subu_link *link, struct error *error);
int store_delete_link(struct store *store, const struct subu_link *link, struct error *error);

/* Options of a sub-user. Get gives the default where none is set. */
#define OPTION_VALUE_MAX 64
int store_get_option(struct store *store, uint32_t subu, const struct subu_option *option,
		     char value[static OPTION_VALUE_MAX], struct error *error);
int store_set_option(struct store *store, uint32_t subu, const struct subu_option *option,
		     const char *value, struct error *error);

/* The pool of local addresses. Get: -ENOENT with a sentence that says how to set one, when there is
 * none. */
int store_get_pool(struct store *store, struct cidr *ret, struct error *error);
int store_set_pool(struct store *store, const struct cidr *pool, struct error *error);

#endif
