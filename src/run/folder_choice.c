#include "run/folder_choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "enter/cover.h"

static bool is_absolute(const char *path)
{
	return path && *path == '/';
}

static int compose(const char *folder, const char *below, char path[static PATH_MAX],
		   struct error *error)
{
	if (strlen(folder) + strlen(below) >= PATH_MAX)
		return error_set(error, ENAMETOOLONG,
				 "the path of the folder %.100s... is too long: %d characters are "
				 "the most",
				 folder, PATH_MAX - 1);
	strcpy(stpcpy(path, folder), below);
	return 0;
}

int folder_choose_config(const struct folder_facts *facts, char path[static PATH_MAX],
			 struct error *error)
{
	if (is_absolute(facts->config_home))
		return compose(facts->config_home, "/subu", path, error);
	if (is_absolute(facts->home))
		return compose(facts->home, "/.config/subu", path, error);
	if (is_absolute(facts->account_home))
		return compose(facts->account_home, "/.config/subu", path, error);
	return error_set(error, ENXIO,
			 "there is no folder for your configuration: user id %u has no account, "
			 "and neither XDG_CONFIG_HOME nor HOME is an absolute path",
			 facts->uid);
}

int folder_choose_runtime(const struct folder_facts *facts, char path[static PATH_MAX],
			  struct error *error)
{
	if (facts->uid == 0)
		return compose("/run/subu/tunnels", "", path, error);
	if (is_absolute(facts->runtime))
		return compose(facts->runtime, "/subu", path, error);
	snprintf(path, PATH_MAX, facts->run_user ? COVER_RUN_USER : COVER_TEMPORARY, facts->uid);
	return 0;
}
