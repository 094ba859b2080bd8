/* Opening and making the database.
 *
 * The order matters: the file's owner, mode and header first, by plain reading, so that a file
 * which is not ours gets neither a lock beside it nor into the hands of SQLite, which might write
 * to it; then the lock, so that nobody else is in the middle of something; then SQLite, its own
 * check of the file, and the schema. Only what is accepted is ever written to: a refused file keeps
 * even the log that a killed program left beside it.
 *
 * A new database is made under another name and linked to its own when it is complete, so a killed
 * `init` leaves either nothing at the path or all of it. */
#include "model/store.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "model/sql.h"

/* The header of a database file (https://sqlite.org/fileformat2.html#the_database_header). */
#define HEADER_SIZE	      100
#define HEADER_MAGIC	      "SQLite format 3"
#define HEADER_APPLICATION_ID 68

#define BUSY_TIMEOUT_MS 5000

#define STRINGIFY(value)    #value
#define NUMBER_TEXT(value)  STRINGIFY(value)
#define APPLICATION_ID_TEXT NUMBER_TEXT(STORE_APPLICATION_ID)

static int check_folder(const char *path, struct error *error)
{
	CLEANUP(memory_free) char *copy = memory_strdup(path);
	const char *folder = dirname(copy);
	struct stat status;

	if (stat(folder, &status) < 0)
		return error_errno(error, "cannot look at the folder %s", folder);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return error_set(error, EPERM,
				 "the folder %s of the database belongs to user %u: it must be "
				 "root's or your own",
				 folder, status.st_uid);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(error, EPERM,
				 "others may write to the folder %s of the database: chmod go-w it",
				 folder);
	return 0;
}

static int check_file(int fd, const char *path, struct error *error)
{
	uint8_t header[HEADER_SIZE];
	struct stat status;
	uint32_t id;

	if (fstat(fd, &status) < 0)
		return error_errno(error, "cannot look at the database %s", path);
	if (!S_ISREG(status.st_mode))
		return error_set(error, EINVAL, "%s is not a file, so not a subu database", path);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return error_set(error, EPERM,
				 "the database %s belongs to user %u: it must be "
				 "root's or your own",
				 path, status.st_uid);
	if (status.st_mode & (S_IRWXG | S_IRWXO))
		return error_set(error, EPERM,
				 "others may read or write the database %s, which holds private "
				 "keys: chmod 600 it",
				 path);
	if (pread(fd, header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0)
		return error_set(error, EINVAL, "%s is not a subu database, or a damaged one",
				 path);
	memcpy(&id, header + HEADER_APPLICATION_ID, sizeof(id));
	if (be32toh(id) != STORE_APPLICATION_ID)
		return error_set(error, EINVAL, "%s is a database of another program, not of subu",
				 path);
	return 0;
}

static int open_and_check_file(const char *path, struct error *error)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return error_errno(error, "cannot open the database %s", path);
	return check_file(fd, path, error);
}

static int take_lock(const char *path, enum store_access mode, void (*waiting)(const char *path),
		     int *ret, struct error *error)
{
	int operation = mode == STORE_WRITE ? LOCK_EX : LOCK_SH;
	CLEANUP(memory_free) char *lock_path = memory_format("%s.lock", path);
	CLEANUP(fd_close)
	int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(error, "cannot open %s", lock_path);
	if (flock(fd, operation | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK && waiting)
			waiting(path);
		while (flock(fd, operation) < 0)
			if (errno != EINTR)
				return error_errno(error, "cannot lock %s", lock_path);
	}
	*ret = fd_take(&fd);
	return 0;
}

/* SQLite's own protections (https://sqlite.org/security.html), and patience with other readers,
 * who lock the file for a moment when they open and close it. */
static void protect(struct store *store)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
}

/* For a file that is accepted: what the design asks for. */
static int configure(struct store *store, struct error *error)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return sql_execute(store,
			   "PRAGMA journal_mode = WAL;"
			   "PRAGMA synchronous = FULL;"
			   "PRAGMA foreign_keys = ON;"
			   "PRAGMA secure_delete = ON;"
			   "PRAGMA temp_store = MEMORY;"
			   "PRAGMA cell_size_check = ON",
			   error);
}

/* A few kilobytes: checking all of it costs less than opening it. */
static int check_integrity(struct store *store, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store, "PRAGMA quick_check(1)", &statement, error);

	if (code == 0)
		code = sql_step(store, statement, error);
	if (code < 0)
		return code;
	if (strcmp(sql_text(statement, 0), "ok") != 0)
		return sql_damaged(store, sql_text(statement, 0), error);
	return 0;
}

static int open_database(struct store *store, int flags, struct error *error)
{
	mode_t mask = umask(0077);
	int result = sqlite3_open_v2(store->path, &store->db,
				     flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
	int code;

	umask(mask);
	if (result != SQLITE_OK)
		return sql_error(store, error);
	protect(store);
	code = check_integrity(store, error);
	if (code == 0 && flags & SQLITE_OPEN_CREATE)
		code = sql_execute(store, "PRAGMA application_id = " APPLICATION_ID_TEXT, error);
	if (code == 0)
		code = schema_migrate(store, error);
	if (code == 0)
		code = configure(store, error);
	return code;
}

int store_open(const char *path, enum store_access mode, void (*waiting)(const char *path),
	       struct store **ret, struct error *error)
{
	CLEANUP(store_close) struct store *store = memory_zalloc(sizeof(*store));
	int code;

	store->lock = -1;
	store->path = memory_strdup(path);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return error_set(error, ENOENT,
				 "there is no database %s: make it with `subu init "
				 "TOKEN`",
				 path);
	code = check_folder(path, error);
	if (code == 0)
		code = open_and_check_file(path, error);
	if (code == 0)
		code = take_lock(path, mode, waiting, &store->lock, error);
	if (code == 0)
		code = open_database(store, 0, error);
	if (code == 0)
		*ret = MEMORY_TAKE(store);
	return code;
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	sqlite3_close((*store)->db);
	fd_close(&(*store)->lock);
	memory_free(&(*store)->path);
	memory_free(store);
}

static int check_token(const char *token, struct error *error)
{
	size_t length = strspn(token, "abcdefghijklmnopqrstuvwxyz0123456789");

	if (length != STORE_TOKEN_LENGTH || token[length])
		return error_usage(error,
				   "a token is %d characters of a-z and 0-9, chosen by you, "
				   "such as k3x9qa",
				   STORE_TOKEN_LENGTH);
	return 0;
}

static int make_folder(const char *path, struct error *error)
{
	CLEANUP(memory_free) char *copy = memory_strdup(path);
	const char *folder = dirname(copy);

	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return error_errno(error, "cannot make the folder %s", folder);
	return check_folder(path, error);
}

static int fill_new(struct store *store, const char *token, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = open_database(store, SQLITE_OPEN_CREATE, error);

	if (code == 0)
		code = sql_prepare(store, "INSERT INTO state (name, value) VALUES ('token', ?)",
				   &statement, error);
	if (code < 0)
		return code;
	sqlite3_bind_text(statement, 1, token, -1, SQLITE_STATIC);
	return sql_run(store, statement, error);
}

/* Removes what a draft leaves: the file and SQLite's two beside it. */
static void remove_draft(const char *draft)
{
	static const char *const endings[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		CLEANUP(memory_free) char *path = memory_format("%s%s", draft, endings[i]);

		unlink(path);
	}
}

static int make_draft(const char *draft, const char *token, struct error *error)
{
	CLEANUP(store_close) struct store *store = memory_zalloc(sizeof(*store));

	store->lock = -1;
	store->path = memory_strdup(draft);
	remove_draft(draft);
	return fill_new(store, token, error);
}

static int check_nothing_there(const char *path, struct error *error)
{
	struct stat status;

	if (lstat(path, &status) == 0)
		return error_set(error, EEXIST,
				 "there is a database %s already; nothing was changed", path);
	return 0;
}

/* Looks for what is there before it makes a lock beside it, and again when nobody else can. */
int store_create(const char *path, const char *token, struct error *error)
{
	CLEANUP(memory_free) char *draft = memory_format("%s.new", path);
	CLEANUP(fd_close) int lock = -1;
	int code;

	code = check_token(token, error);
	if (code == 0)
		code = check_nothing_there(path, error);
	if (code == 0)
		code = make_folder(path, error);
	if (code == 0)
		code = take_lock(path, STORE_WRITE, NULL, &lock, error);
	if (code == 0)
		code = check_nothing_there(path, error);
	if (code < 0)
		return code;
	code = make_draft(draft, token, error);
	/* link() and not rename(): it never replaces what came there meanwhile. */
	if (code == 0 && link(draft, path) < 0)
		code = error_errno(error, "cannot make %s", path);
	remove_draft(draft);
	return code;
}

int store_begin(struct store *store, struct error *error)
{
	return sql_execute(store, "BEGIN IMMEDIATE", error);
}

int store_commit(struct store *store, struct error *error)
{
	return sql_execute(store, "COMMIT", error);
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}
