/* The room enter/ on a command line of its own, for enter.bats:
 *
 *	enter-driver [-u ACCOUNT] [-d DNS] [-g GROUP] NETNS CMD [ARG...]
 *
 * Before it goes in it opens a file as descriptor 9, which the command must not find. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "enter/enter.h"
#include "kernel/cgroup.h"

static int fail(const struct error *error)
{
	fprintf(stderr, "enter-driver: %s\n", error->text);
	return ENTER_STATUS_FAILED;
}

static int parse(int argc, char **argv, struct enter *enter, struct dns *dns, struct error *error)
{
	int option, code = 0;

	while (code == 0 && (option = getopt(argc, argv, "+u:d:g:")) != -1) {
		if (option == 'u')
			enter->account = optarg;
		else if (option == 'd')
			code = dns_parse(optarg, dns, error);
		else if (option == 'g')
			code = cgroup_open(optarg, &enter->cgroup, error);
		else
			code = error_set(error, EINVAL, "see enter-driver.c");
	}
	return code;
}

int main(int argc, char **argv)
{
	struct enter enter = {.cgroup = -1};
	struct error error = {};
	struct dns dns = {};
	int status;

	if (parse(argc, argv, &enter, &dns, &error) < 0)
		return fail(&error);
	if (argc - optind < 2 || dup2(open("/dev/null", O_RDONLY), 9) < 0)
		return fail(&error);
	enter.netns = argv[optind];
	enter.dns = &dns;
	enter.argv = argv + optind + 1;
	status = enter_exec(&enter, &error);
	fail(&error);
	return status;
}
