/* The rows of sub-users, their links, options and the state table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/sql.h"
#include "model/store.h"

static int set_state(struct store *store, const char *name, const char *value, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store,
			       "INSERT INTO state (name, value) VALUES (?, ?) "
			       "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
			       &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
	return sql_run(store, statement, error);
}

/* 1 and the value, 0 when there is none, or a negative errno. */
static int get_state(struct store *store, const char *name, char *value, size_t size,
		     struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store, "SELECT value FROM state WHERE name = ?", &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	code = sql_step(store, statement, error);
	if (code > 0)
		snprintf(value, size, "%s", sql_text(statement, 0));
	return code;
}

int store_next_id(struct store *store, const char *counter, uint32_t *ret, struct error *error)
{
	char value[16] = "";
	uint64_t id = 0;
	int code = get_state(store, counter, value, sizeof(value), error);

	if (code < 0)
		return code;
	if (code > 0 && text_to_number(value, 0, UINT32_MAX - 1, &id) < 0)
		return sql_damaged(store, "its counter of ids is not a number", error);
	snprintf(value, sizeof(value), "%u", (uint32_t)id + 1);
	code = set_state(store, counter, value, error);
	if (code == 0)
		*ret = (uint32_t)id;
	return code;
}

int store_get_pool(struct store *store, struct cidr *ret, struct error *error)
{
	char value[CIDR_TEXT_MAX];
	int code = get_state(store, "pool", value, sizeof(value), error);

	if (code < 0)
		return code;
	if (code == 0)
		return error_set(error, ENOENT,
				 "there is no pool of local addresses yet: set one "
				 "with `subu WG global CIDR`, such as 10.88.0.0/16");
	if (cidr_parse(value, ret, error) < 0)
		return sql_damaged(store, "its pool is not a network", error);
	return 0;
}

int store_set_pool(struct store *store, const struct cidr *pool, struct error *error)
{
	char text[CIDR_TEXT_MAX];

	return set_state(store, "pool", cidr_format(pool, text), error);
}

static int parse_phase(struct store *store, const char *text, enum phase *ret, struct error *error)
{
	for (enum phase phase = PHASE_MAKING; phase <= PHASE_REMOVING; phase++) {
		if (strcmp(text, phase_name(phase)) == 0) {
			*ret = phase;
			return 0;
		}
	}
	return sql_damaged(store, "a row is in no known phase", error);
}

#define SUBU_COLUMNS "id, owner, name, account, lo_up, phase"

static int read_subu(struct store *store, sqlite3_stmt *row, struct subu *ret, struct error *error)
{
	struct subu subu = {
		.id = (uint32_t)sqlite3_column_int64(row, 0),
		.lo_up = sqlite3_column_int(row, 4),
	};

	snprintf(subu.owner, sizeof(subu.owner), "%s", sql_text(row, 1));
	snprintf(subu.name, sizeof(subu.name), "%s", sql_text(row, 2));
	snprintf(subu.account, sizeof(subu.account), "%s", sql_text(row, 3));
	if (parse_phase(store, sql_text(row, 5), &subu.phase, error) < 0)
		return -error->code;
	*ret = subu;
	return 0;
}

static void bind_subu(sqlite3_stmt *statement, const struct subu *subu)
{
	sqlite3_bind_int64(statement, 1, subu->id);
	sqlite3_bind_text(statement, 2, subu->owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, subu->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, subu->account, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 5, subu->lo_up);
	sqlite3_bind_text(statement, 6, phase_name(subu->phase), -1, SQLITE_STATIC);
}

int store_add_subu(struct store *store, struct subu *subu, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	struct name_reference same = {.by_id = false};
	struct subu existing = {};
	int code;

	memcpy(same.owner, subu->owner, sizeof(same.owner));
	memcpy(same.name, subu->name, sizeof(same.name));
	code = store_find_subu(store, &same, &existing, error);
	if (code == 0)
		return error_set(error, EEXIST, "%s has a sub-user %s already: subu_%u",
				 subu->owner, subu->name, existing.id);
	if (code != -ENOENT)
		return code;
	code = store_next_id(store, "next-subu", &subu->id, error);
	if (code == 0)
		code = sql_prepare(store,
				   "INSERT INTO subu (" SUBU_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)",
				   &statement, error);
	if (code < 0)
		return code;
	bind_subu(statement, subu);
	return sql_run(store, statement, error);
}

int store_find_subu(struct store *store, const struct name_reference *reference, struct subu *ret,
		    struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store,
			       "SELECT " SUBU_COLUMNS
			       " FROM subu WHERE (?1 AND id = ?2) "
			       "OR (NOT ?1 AND owner = ?3 AND name = ?4)",
			       &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_int(statement, 1, reference->by_id);
	sqlite3_bind_int64(statement, 2, reference->id);
	sqlite3_bind_text(statement, 3, reference->owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, reference->name, -1, SQLITE_STATIC);
	code = sql_step(store, statement, error);
	if (code > 0)
		return read_subu(store, statement, ret, error);
	if (code < 0)
		return code;
	if (reference->by_id)
		return error_set(error, ENOENT, "there is no sub-user subu_%u: see `subu list`",
				 reference->id);
	return error_set(error, ENOENT, "there is no sub-user %s:%s: see `subu list`",
			 reference->owner, reference->name);
}

int store_list_subus(struct store *store, struct subu **ret, size_t *ret_count, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	CLEANUP(memory_free) struct subu *list = NULL;
	size_t count = 0;
	int code = sql_prepare(store, "SELECT " SUBU_COLUMNS " FROM subu ORDER BY id", &statement,
			       error);

	if (code < 0)
		return code;
	while ((code = sql_step(store, statement, error)) > 0) {
		list = memory_resize(list, count + 1, sizeof(*list));
		code = read_subu(store, statement, &list[count], error);
		if (code < 0)
			return code;
		count++;
	}
	if (code < 0)
		return code;
	*ret = MEMORY_TAKE(list);
	*ret_count = count;
	return 0;
}

int store_update_subu(struct store *store, const struct subu *subu, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store,
			       "UPDATE subu SET owner = ?2, name = ?3, account = ?4, lo_up = ?5, "
			       "phase = ?6 WHERE id = ?1",
			       &statement, error);

	if (code < 0)
		return code;
	bind_subu(statement, subu);
	return sql_run(store, statement, error);
}

int store_delete_subu(struct store *store, uint32_t id, struct error *error)
{
	return sql_run_with_id(store, "DELETE FROM subu WHERE id = ?", id, error);
}

static void bind_link(sqlite3_stmt *statement, const struct subu_link *link)
{
	sqlite3_bind_int64(statement, 1, link->subu);
	sqlite3_bind_int64(statement, 2, link->tunnel);
	sqlite3_bind_int(statement, 3, link->up);
	sqlite3_bind_text(statement, 4, phase_name(link->phase), -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 5, link->steer);
}

static int write_link(struct store *store, const char *text, const struct subu_link *link,
		      struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store, text, &statement, error);

	if (code < 0)
		return code;
	bind_link(statement, link);
	return sql_run(store, statement, error);
}

int store_add_link(struct store *store, const struct subu_link *link, struct error *error)
{
	return write_link(store,
			  "INSERT INTO links (subu, wg, up, phase, steer) VALUES (?, ?, ?, ?, ?)",
			  link, error);
}

int store_update_link(struct store *store, const struct subu_link *link, struct error *error)
{
	return write_link(
		store,
		"UPDATE links SET up = ?3, phase = ?4, steer = ?5 WHERE subu = ?1 AND wg = ?2",
		link, error);
}

int store_delete_link(struct store *store, const struct subu_link *link, struct error *error)
{
	return sql_run_with_id(store, "DELETE FROM links WHERE subu = ?", link->subu, error);
}

static int find_link(struct store *store, const char *text, uint32_t id, struct subu_link *ret,
		     struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	struct subu_link link;
	int code = sql_prepare(store, text, &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_int64(statement, 1, id);
	code = sql_step(store, statement, error);
	if (code == 0)
		return error_set(error, ENOENT, "no tunnel is attached");
	if (code < 0)
		return code;
	link.subu = (uint32_t)sqlite3_column_int64(statement, 0);
	link.tunnel = (uint32_t)sqlite3_column_int64(statement, 1);
	link.up = sqlite3_column_int(statement, 2);
	link.steer = sqlite3_column_int(statement, 4);
	code = parse_phase(store, sql_text(statement, 3), &link.phase, error);
	if (code == 0)
		*ret = link;
	return code;
}

int store_find_link_of_subu(struct store *store, uint32_t subu, struct subu_link *ret,
			    struct error *error)
{
	return find_link(store, "SELECT subu, wg, up, phase, steer FROM links WHERE subu = ?", subu,
			 ret, error);
}

int store_find_link_of_tunnel(struct store *store, uint32_t tunnel, struct subu_link *ret,
			      struct error *error)
{
	return find_link(store, "SELECT subu, wg, up, phase, steer FROM links WHERE wg = ?", tunnel,
			 ret, error);
}

int store_get_option(struct store *store, uint32_t subu, const struct subu_option *option,
		     char value[static OPTION_VALUE_MAX], struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store, "SELECT value FROM options WHERE subu = ? AND name = ?",
			       &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_int64(statement, 1, subu);
	sqlite3_bind_text(statement, 2, option->name, -1, SQLITE_STATIC);
	code = sql_step(store, statement, error);
	if (code < 0)
		return code;
	if (code == 0) {
		option_default(option, value, OPTION_VALUE_MAX);
		return 0;
	}
	if (option_check(option, sql_text(statement, 0), error) < 0)
		return sql_damaged(store, "an option has a value that it cannot have", error);
	snprintf(value, OPTION_VALUE_MAX, "%s", sql_text(statement, 0));
	return 0;
}

int store_set_option(struct store *store, uint32_t subu, const struct subu_option *option,
		     const char *value, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store,
			       "INSERT INTO options (subu, name, value) VALUES (?, ?, ?) "
			       "ON CONFLICT (subu, name) DO UPDATE SET value = excluded.value",
			       &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_int64(statement, 1, subu);
	sqlite3_bind_text(statement, 2, option->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, value, -1, SQLITE_STATIC);
	return sql_run(store, statement, error);
}
