/* Where a user's own files are: the rule (XDG Base Directory Specification 0.8), pure. */
#ifndef RUN_FOLDER_CHOICE_H
#define RUN_FOLDER_CHOICE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* What the choice rests on. Of the variables, NULL: not set. */
struct folder_facts {
	uid_t uid;		  /* effective */
	const char *config_home;  /* XDG_CONFIG_HOME */
	const char *home;	  /* HOME */
	const char *account_home; /* in the user database; NULL: the user has no account */
	const char *runtime;	  /* XDG_RUNTIME_DIR */
	bool run_user;		  /* /run/user/UID is there and the user's own */
};

/* For configuration: subu below the first of XDG_CONFIG_HOME, HOME/.config and the account's
 * home/.config that is an absolute path; the specification ignores others. -ENXIO when none is,
 * -ENAMETOOLONG. */
int folder_choose_config(const struct folder_facts *facts, char path[static PATH_MAX],
			 struct error *error);

/* For what does not outlive a login: /run/subu/tunnels for root; else subu below XDG_RUNTIME_DIR, if
 * that is an absolute path, or below /run/user/UID; else /tmp/subu-UID. -ENAMETOOLONG. */
int folder_choose_runtime(const struct folder_facts *facts, char path[static PATH_MAX],
			  struct error *error);

#endif
