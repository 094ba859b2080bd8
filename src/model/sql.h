/* SQLite as the store's files use it: statements that finalise themselves and errors in our own
 * form. Private to model/store*.c. */
#ifndef MODEL_SQL_H
#define MODEL_SQL_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"

struct store {
	sqlite3 *db;
	int lock;
	char *path;
};

/* Use with CLEANUP(). */
void sql_finalize(sqlite3_stmt **statement);

/* Turns what SQLite says now into an error; returns a negative errno. */
int sql_error(struct store *store, struct error *error);

int sql_prepare(struct store *store, const char *text, sqlite3_stmt **ret, struct error *error);

/* 1: a row is there; 0: the statement is done; negative: it failed. */
int sql_step(struct store *store, sqlite3_stmt *statement, struct error *error);

/* Runs a statement that gives no rows. */
int sql_run(struct store *store, sqlite3_stmt *statement, struct error *error);

/* Runs a statement that gives no rows and whose only parameter is an id. */
int sql_run_with_id(struct store *store, const char *text, uint32_t id, struct error *error);

/* Runs the text of one or more statements without parameters. */
int sql_execute(struct store *store, const char *text, struct error *error);

/* The text of a column; "" for NULL. Valid until the next step. */
const char *sql_text(sqlite3_stmt *statement, int column);

/* Says that the database holds what it cannot hold. */
int sql_damaged(struct store *store, const char *what, struct error *error);

/* model/store_schema.c: brings the schema of an open database to this program's version, or refuses
 * one that is newer. */
int schema_migrate(struct store *store, struct error *error);

/* "subu" in ASCII: PRAGMA application_id of our databases (https://sqlite.org/pragma.html). */
#define STORE_APPLICATION_ID 0x73756275

/* The next id of a counter in the state table, which is moved on: ids are never reused. */
int store_next_id(struct store *store, const char *counter, uint32_t *ret, struct error *error);

#endif
