/* What exec and doctor need to go inside a sub-user. */
#ifndef CMD_INSIDE_H
#define CMD_INSIDE_H

#include <stdbool.h>

#include "enter/enter.h"
#include "model/store.h"
#include "model/subu.h"

struct inside {
	struct subu subu;
	struct subu_link link;
	bool linked; /* there is a link */
	struct dns dns;
	char netns[SUBU_ID_TEXT_MAX];
	int cgroup; /* owned; -1: the machine has no control groups */
};

/* Fills in what the database and the kernel say, and refuses a sub-user that ought to be steered and
 * is not, by the kernel's word. */
int inside_find(struct store *store, const struct subu *subu, struct inside *ret,
		struct error *error);

/* What enter_inside() takes, for the account, or the sub-user's own when it is NULL. Valid as long
 * as *inside stays where it is. */
struct enter inside_enter(const struct inside *inside, const char *account);

void inside_clear(struct inside *inside);

#endif
