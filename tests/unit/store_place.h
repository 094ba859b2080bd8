/* A folder of its own for each test of the database. */
#ifndef TESTS_STORE_PLACE_H
#define TESTS_STORE_PLACE_H

#include <sqlite3.h>

#include "model/store.h"

struct store_place {
	char folder[64];
	char path[80]; /* of a database that is not there yet */
};

/* For cmocka: a place as the test's state, and the end of it with all that is in it. */
int store_place_begin(void **state);
int store_place_end(void **state);

/* The same, with a database in it. */
int store_place_begin_made(void **state);

/* Opened, or the test fails. */
struct store *store_place_open(const struct store_place *place, enum store_access mode);

/* Runs SQL on the file, as another program would. */
void store_place_sql(const struct store_place *place, const char *text);

/* The path with this behind it; valid until the next call. */
const char *store_place_beside(const struct store_place *place, const char *ending);

/* Does it in a process that then ends as by kill -9: nothing is tidied up. It must return 0. */
void store_place_do_and_die(const struct store_place *place,
			    int (*act)(const struct store_place *place));

#endif
