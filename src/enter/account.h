/* Whose identity a command runs under. */
#ifndef ENTER_ACCOUNT_H
#define ENTER_ACCOUNT_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct account {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* owned; gid is one of them */
	size_t group_count;
};

/* What the choice rests on. */
struct account_facts {
	const char *wanted; /* an account's name; NULL: none was given */
	uid_t real_uid, effective_uid;
	gid_t real_gid, effective_gid;
	const char *sudo_uid, *sudo_gid; /* from the environment; NULL: not there */
};

#define ACCOUNT_GID_OWN ((gid_t)-1) /* the account's own primary group */

/* An account before anybody looked it up: by name, or else by number. */
struct account_choice {
	const char *name; /* points to what was wanted; NULL: by uid */
	uid_t uid;
	gid_t gid;
};

/* The rule: the account that is wanted; else, for root, who called sudo; else the caller. What sudo
 * says is believed only when the caller is root, who could say it himself, and must be numbers.
 * -EPERM for a program that runs with another's rights (set-user-ID, set-group-ID): whoever can
 * start it would be what he likes. */
int account_choose(const struct account_facts *facts, struct account_choice *ret,
		   struct error *error);

/* account_choose() for this process, and the account that it names with its groups from the user
 * database. -ENOENT when there is no such account or group; -EPERM when a caller who is not root
 * wants another's account. The caller clears *ret. */
int account_find(const char *wanted, struct account *ret, struct error *error);

/* Is there an account of that name? 0; -ENOENT when there is none, or what kept the user database
 * from being read. */
int account_exists(const char *name, struct error *error);

/* Becomes the account for good: groups, group, user. The capabilities stay, for
 * process_drop_capabilities() to drop with the bounding set. */
int account_become(const struct account *account, struct error *error);

void account_clear(struct account *account);

#endif
