#include "store_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/memory.h"

int store_place_begin(void **state)
{
	struct store_place *place = memory_zalloc(sizeof(*place));

	strcpy(place->folder, "/tmp/subu-store-XXXXXX");
	if (!mkdtemp(place->folder))
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/subu.db", place->folder);
	*state = place;
	return 0;
}

int store_place_begin_made(void **state)
{
	struct store_place *place;
	struct error error;

	if (store_place_begin(state) < 0)
		return -1;
	place = *state;
	return store_create(place->path, "k3x9qa", &error);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

int store_place_end(void **state)
{
	struct store_place *place = *state;
	int result = nftw(place->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(place);
	return result;
}

struct store *store_place_open(const struct store_place *place, enum store_access mode)
{
	struct store *store = NULL;
	struct error error;

	if (store_open(place->path, mode, NULL, &store, &error) < 0)
		fail_msg("%s", error.text);
	return store;
}

void store_place_sql(const struct store_place *place, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

const char *store_place_beside(const struct store_place *place, const char *ending)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s%s", place->path, ending);
	return path;
}

void store_place_do_and_die(const struct store_place *place,
			    int (*act)(const struct store_place *place))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (act(place) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
