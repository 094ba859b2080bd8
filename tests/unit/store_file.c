/* model/store: the file. How it is made, and which files are refused, each one untouched to the
 * byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "store_place.h"

#define TOKEN	  "k3x9qa"
#define FILE_MAX  (1 << 20)
#define PAGE_SIZE 4096

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
}

/* The bytes of a file, for the caller to free; empty for one that is no file. */
static char *read_file(const char *path, size_t *ret_size)
{
	char *bytes = memory_zalloc(FILE_MAX);
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t size = fd < 0 ? 0 : read(fd, bytes, FILE_MAX);

	*ret_size = size < 0 ? 0 : (size_t)size;
	return bytes;
}

/* The database is refused with these words, both ways, and stays as it is. */
static void check_refused(const struct store_place *place, int code, const char *words)
{
	CLEANUP(memory_free) char *before = NULL, *after = NULL;
	struct store *const untouched = (struct store *)&untouched;
	struct store *store = untouched;
	size_t size, size_after;
	struct error error;

	before = read_file(place->path, &size);
	for (enum store_access mode = STORE_READ; mode <= STORE_WRITE; mode++) {
		assert_int_equal(store_open(place->path, mode, NULL, &store, &error), -code);
		assert_non_null(strstr(error.text, words));
		assert_non_null(strstr(error.text, place->folder));
		assert_ptr_equal(store, untouched);
	}
	assert_true(store_create(place->path, TOKEN, &error) < 0);
	after = read_file(place->path, &size_after);
	assert_int_equal(size, size_after);
	assert_memory_equal(before, after, size);
}

/* One that is not ours does not even get a lock beside it. */
static void check_foreign(const struct store_place *place, int code, const char *words)
{
	check_refused(place, code, words);
	assert_false(is_there(store_place_beside(place, ".lock")));
	assert_false(is_there(store_place_beside(place, "-wal")));
}

static void test_tokens(void **state)
{
	static const char *const bad[] = {"",	    "abcde",   "abcdefg", "ABCDEF",
					  "abc de", "abcde\n", "abcdé"};
	const struct store_place *place = *state;
	char path[128];
	struct error error;

	snprintf(path, sizeof(path), "%s/new/subu.db", place->folder);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(store_create(path, bad[i], &error), -EINVAL);
		assert_true(error.usage);
	}
	*strrchr(path, '/') = '\0';
	assert_false(is_there(path));
}

static void test_create(void **state)
{
	const struct store_place *place = *state;
	char folder[80], path[128];
	struct store *store;
	struct error error;
	mode_t mask = umask(0);
	int code;

	snprintf(folder, sizeof(folder), "%s/new", place->folder);
	snprintf(path, sizeof(path), "%s/subu.db", folder);
	code = store_create(path, "000zzz", &error);
	umask(mask);
	assert_int_equal(code, 0);
	assert_int_equal(mode_of(folder), 0700);
	assert_int_equal(mode_of(path), 0600);
	strcat(path, ".lock");
	assert_int_equal(mode_of(path), 0600);
	path[strlen(path) - strlen(".lock")] = '\0';
	assert_int_equal(store_open(path, STORE_WRITE, NULL, &store, &error), 0);
	store_close(&store);
	assert_null(store);
	snprintf(path, sizeof(path), "%s/none/new/subu.db", place->folder);
	assert_int_equal(store_create(path, TOKEN, &error), -ENOENT);
}

static void test_create_refused(void **state)
{
	const struct store_place *place = *state;
	struct error error;

	write_file(place->path, "mine", 4);
	assert_int_equal(store_create(place->path, TOKEN, &error), -EEXIST);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(symlink("nowhere", place->path), 0);
	assert_int_equal(store_create(place->path, TOKEN, &error), -EEXIST);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(mkdir(place->path, 0700), 0);
	assert_int_equal(store_create(place->path, TOKEN, &error), -EEXIST);
	assert_int_equal(rmdir(place->path), 0);
	assert_int_equal(chmod(place->folder, 0770), 0);
	assert_int_equal(store_create(place->path, TOKEN, &error), -EPERM);
	assert_int_equal(chmod(place->folder, 0700), 0);
	assert_false(is_there(place->path));
	assert_false(is_there(store_place_beside(place, ".lock")));
}

/* What an earlier one left when it was killed in the middle. */
static void test_create_after_kill(void **state)
{
	const struct store_place *place = *state;
	struct store *store;
	struct error error;

	write_file(store_place_beside(place, ".new"), "half", 4);
	write_file(store_place_beside(place, ".new-wal"), "half", 4);
	write_file(store_place_beside(place, ".new-shm"), "half", 4);
	assert_int_equal(store_create(place->path, TOKEN, &error), 0);
	assert_false(is_there(store_place_beside(place, ".new")));
	assert_false(is_there(store_place_beside(place, ".new-wal")));
	assert_false(is_there(store_place_beside(place, ".new-shm")));
	store = store_place_open(place, STORE_WRITE);
	store_close(&store);
	assert_false(is_there(store_place_beside(place, "-wal")));
}

static void test_missing(void **state)
{
	const struct store_place *place = *state;
	struct store *store;
	struct error error;

	assert_int_equal(store_open(place->path, STORE_WRITE, NULL, &store, &error), -ENOENT);
	assert_non_null(strstr(error.text, "subu init"));
	assert_false(is_there(place->path));
	assert_false(is_there(store_place_beside(place, ".lock")));
}

static void test_modes(void **state)
{
	static const mode_t files[] = {0604, 0602, 0640, 0620}, folders[] = {0702, 0720, 0777};
	const struct store_place *place = *state;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(chmod(place->path, files[i]), 0);
		check_refused(place, EPERM, "chmod 600");
	}
	assert_int_equal(chmod(place->path, 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		assert_int_equal(chmod(place->folder, folders[i]), 0);
		check_refused(place, EPERM, "chmod go-w");
	}
	assert_int_equal(chmod(place->folder, 0755), 0);
	store_close(&(struct store *){store_place_open(place, STORE_READ)});
}

static void test_foreign_files(void **state)
{
	const struct store_place *place = *state;
	char text[PAGE_SIZE];

	write_file(place->path, "", 0);
	check_foreign(place, EINVAL, "not a subu database");
	memset(text, 'x', sizeof(text));
	write_file(place->path, text, sizeof(text));
	check_foreign(place, EINVAL, "not a subu database");
	write_file(place->path, "SQLite format 3", 16);
	check_foreign(place, EINVAL, "not a subu database");
	assert_int_equal(unlink(place->path), 0);
	store_place_sql(place, "CREATE TABLE a (b); INSERT INTO a VALUES (1)");
	assert_int_equal(chmod(place->path, 0600), 0);
	check_foreign(place, EINVAL, "another program");
}

/* None of these is read, and none makes the program wait for ever. */
static void test_foreign_kinds(void **state)
{
	const struct store_place *place = *state;

	alarm(30);
	assert_int_equal(mkfifo(place->path, 0600), 0);
	check_foreign(place, EINVAL, "is not a file");
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(mkdir(place->path, 0700), 0);
	check_foreign(place, EINVAL, "is not a file");
	assert_int_equal(rmdir(place->path), 0);
	assert_int_equal(symlink("/etc/passwd", place->path), 0);
	check_foreign(place, ELOOP, "cannot open");
	alarm(0);
}

/* Every page but the first in turn is overwritten; the first, behind its header. */
static void test_damaged_pages(void **state)
{
	const struct store_place *place = *state;
	CLEANUP(memory_free) char *whole = NULL;
	size_t size;

	whole = read_file(place->path, &size);
	assert_true(size > 2 * PAGE_SIZE);
	for (size_t start = 0; start < size; start += PAGE_SIZE) {
		CLEANUP(memory_free) char *bytes = memory_zalloc(size);
		size_t skip = start ? 0 : 100;

		memcpy(bytes, whole, size);
		memset(bytes + start + skip, 0xa5, PAGE_SIZE - skip);
		write_file(place->path, bytes, size);
		check_refused(place, EUCLEAN, "damaged");
	}
}

/* Anything from a page on may be missing. */
static void test_truncated(void **state)
{
	const struct store_place *place = *state;
	CLEANUP(memory_free) char *whole = NULL;
	size_t size;

	whole = read_file(place->path, &size);
	for (size_t end = 100; end + PAGE_SIZE <= size; end += PAGE_SIZE / 2) {
		write_file(place->path, whole, end);
		check_refused(place, EUCLEAN, "damaged");
	}
}

static void test_newer(void **state)
{
	const struct store_place *place = *state;

	store_place_sql(place, "PRAGMA user_version = 99");
	check_refused(place, EPROTO, "newer subu (schema 99");
	store_place_sql(place, "PRAGMA journal_mode = DELETE");
	check_refused(place, EPROTO, "newer subu");
	store_place_sql(place, "PRAGMA user_version = -1");
	check_refused(place, EUCLEAN, "damaged");
}

static int leave_newer(const struct store_place *place)
{
	sqlite3 *db;

	return sqlite3_open(place->path, &db) ||
	       sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
}

/* The log that a newer program left is its own to deal with. */
static void test_newer_with_log(void **state)
{
	const struct store_place *place = *state;
	CLEANUP(memory_free) char *log = NULL, *log_after = NULL;
	size_t size, size_after;

	store_place_do_and_die(place, leave_newer);
	log = read_file(store_place_beside(place, "-wal"), &size);
	assert_true(size > 0);
	check_refused(place, EPROTO, "newer subu");
	log_after = read_file(store_place_beside(place, "-wal"), &size_after);
	assert_int_equal(size, size_after);
	assert_memory_equal(log, log_after, size);
}

/* A database of version 0 is one that has our mark and no tables yet. */
static void test_older(void **state)
{
	for (enum store_access mode = STORE_READ; mode <= STORE_WRITE; mode++) {
		const struct store_place *place = *state;
		CLEANUP(store_close) struct store *store = NULL;
		struct subu *list = NULL;
		struct error error;
		size_t count;

		unlink(place->path);
		store_place_sql(place, "PRAGMA application_id = 0x73756275");
		assert_int_equal(chmod(place->path, 0600), 0);
		store = store_place_open(place, mode);
		assert_int_equal(store_list_subus(store, &list, &count, &error), 0);
		assert_int_equal(count, 0);
		free(list);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, store_place_begin, store_place_end)
#define TEST_MADE(test)                                                                            \
	cmocka_unit_test_setup_teardown(test, store_place_begin_made, store_place_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tokens),
		TEST(test_create),
		TEST(test_create_refused),
		TEST(test_create_after_kill),
		TEST(test_missing),
		TEST_MADE(test_modes),
		TEST(test_foreign_files),
		TEST(test_foreign_kinds),
		TEST_MADE(test_damaged_pages),
		TEST_MADE(test_truncated),
		TEST_MADE(test_newer),
		TEST_MADE(test_newer_with_log),
		TEST(test_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
