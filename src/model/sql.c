#include "model/sql.h"

#include <errno.h>

void sql_finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
	*statement = NULL;
}

int sql_error(struct store *store, struct error *error)
{
	switch (sqlite3_errcode(store->db)) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set(error, EUCLEAN,
				 "the database %s is damaged (%s): put back a copy of it",
				 store->path, sqlite3_errmsg(store->db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(error, EBUSY, "another program is using the database %s",
				 store->path);
	case SQLITE_FULL:
		return error_set(error, ENOSPC, "no space left for the database %s", store->path);
	default:
		return error_set(error, EIO, "the database %s: %s", store->path,
				 sqlite3_errmsg(store->db));
	}
}

int sql_prepare(struct store *store, const char *text, sqlite3_stmt **ret, struct error *error)
{
	if (sqlite3_prepare_v2(store->db, text, -1, ret, NULL) != SQLITE_OK)
		return sql_error(store, error);
	return 0;
}

int sql_step(struct store *store, sqlite3_stmt *statement, struct error *error)
{
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return sql_error(store, error);
	}
}

int sql_run(struct store *store, sqlite3_stmt *statement, struct error *error)
{
	int code = sql_step(store, statement, error);

	return code < 0 ? code : 0;
}

int sql_run_with_id(struct store *store, const char *text, uint32_t id, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store, text, &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_int64(statement, 1, id);
	return sql_run(store, statement, error);
}

int sql_execute(struct store *store, const char *text, struct error *error)
{
	if (sqlite3_exec(store->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_error(store, error);
	return 0;
}

const char *sql_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? (const char *)text : "";
}

int sql_damaged(struct store *store, const char *what, struct error *error)
{
	return error_set(error, EUCLEAN, "the database %s is damaged (%s): put back a copy of it",
			 store->path, what);
}
