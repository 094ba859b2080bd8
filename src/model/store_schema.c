/* The schema, as the steps that lead to it: migration[n] brings version n to n + 1, and a new
 * database is an empty one that takes them all. PRAGMA user_version says where a file stands. A
 * step that was ever released is never edited. */
#include <errno.h>
#include <stdio.h>

#include "model/sql.h"
#include "model/store.h"

static const char *const migrations[] = {
	/* 0 → 1 */
	"CREATE TABLE state ("
	"  name TEXT PRIMARY KEY,"
	"  value TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE subu ("
	"  id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 4294967294),"
	"  owner TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  account TEXT NOT NULL DEFAULT '',"
	"  lo_up INTEGER NOT NULL DEFAULT 0 CHECK (lo_up IN (0, 1)),"
	"  phase TEXT NOT NULL CHECK (phase IN ('making', 'present', 'removing')),"
	"  UNIQUE (owner, name)"
	") STRICT;"

	"CREATE TABLE wg ("
	"  id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 4294967294),"
	"  private_key BLOB NOT NULL CHECK (length(private_key) = 32),"
	"  listen_port INTEGER NOT NULL DEFAULT 0 CHECK (listen_port BETWEEN 0 AND 65535),"
	"  fwmark INTEGER NOT NULL DEFAULT 0 CHECK (fwmark BETWEEN 0 AND 4294967295),"
	"  mtu INTEGER NOT NULL DEFAULT 0 CHECK (mtu BETWEEN 0 AND 65535),"
	"  routes INTEGER NOT NULL DEFAULT 1 CHECK (routes IN (0, 1)),"
	"  from_pool INTEGER NOT NULL CHECK (from_pool IN (0, 1)),"
	"  addresses TEXT NOT NULL,"
	"  dns TEXT NOT NULL DEFAULT ''"
	") STRICT;"

	/* A tunnel whose server key is not known yet has one peer with a key of zeros. */
	"CREATE TABLE peer ("
	"  wg INTEGER NOT NULL REFERENCES wg (id) ON DELETE CASCADE,"
	"  place INTEGER NOT NULL,"
	"  public_key BLOB NOT NULL CHECK (length(public_key) = 32),"
	"  preshared_key BLOB NOT NULL CHECK (length(preshared_key) = 32),"
	"  endpoint TEXT NOT NULL DEFAULT '',"
	"  keepalive INTEGER NOT NULL DEFAULT 0 CHECK (keepalive BETWEEN 0 AND 65535),"
	"  allowed_ips TEXT NOT NULL DEFAULT '',"
	"  PRIMARY KEY (wg, place)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE links ("
	"  subu INTEGER NOT NULL UNIQUE REFERENCES subu (id),"
	"  wg INTEGER NOT NULL UNIQUE REFERENCES wg (id),"
	"  up INTEGER NOT NULL DEFAULT 0 CHECK (up IN (0, 1)),"
	"  phase TEXT NOT NULL CHECK (phase IN ('making', 'present', 'removing'))"
	") STRICT;"

	"CREATE TABLE options ("
	"  subu INTEGER NOT NULL REFERENCES subu (id) ON DELETE CASCADE,"
	"  name TEXT NOT NULL,"
	"  value TEXT NOT NULL,"
	"  PRIMARY KEY (subu, name)"
	") STRICT, WITHOUT ROWID;",

	/* 1 → 2: forced egress, also for what was attached before there was any */
	"ALTER TABLE links ADD COLUMN steer INTEGER NOT NULL DEFAULT 1 CHECK (steer IN (0, 1));",
};

#define SCHEMA_VERSION ((int)ARRAY_SIZE(migrations))

static int schema_version(struct store *store, int *ret, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store, "PRAGMA user_version", &statement, error);

	if (code == 0)
		code = sql_step(store, statement, error);
	if (code < 0)
		return code;
	*ret = sqlite3_column_int(statement, 0);
	return 0;
}

/* Reads the version again inside the transaction: another program may have been faster. */
static int migrate(struct store *store, struct error *error)
{
	char pragma[64];
	int version, code = schema_version(store, &version, error);

	for (; code == 0 && version < SCHEMA_VERSION; version++)
		code = sql_execute(store, migrations[version], error);
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", SCHEMA_VERSION);
	if (code == 0)
		code = sql_execute(store, pragma, error);
	return code;
}

int schema_migrate(struct store *store, struct error *error)
{
	int version, code = schema_version(store, &version, error);

	if (code < 0 || version == SCHEMA_VERSION)
		return code;
	if (version > SCHEMA_VERSION)
		return error_set(error, EPROTO,
				 "the database %s was written by a newer subu (schema %d; this one "
				 "knows %d): use that one",
				 store->path, version, SCHEMA_VERSION);
	if (version < 0)
		return sql_damaged(store, "its schema version is negative", error);
	code = store_begin(store, error);
	if (code == 0)
		code = migrate(store, error);
	if (code == 0)
		code = store_commit(store, error);
	if (code < 0) {
		store_rollback(store);
		return error_wrap(error, "cannot bring the schema from version %d to %d", version,
				  SCHEMA_VERSION);
	}
	return 0;
}
