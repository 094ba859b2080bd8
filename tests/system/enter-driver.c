/* The room enter/ on a command line of its own, for enter.bats:
 *
 *	enter-driver [-u ACCOUNT] [-d DNS] NETNS CMD [ARG...]
 *
 * Before it goes in it opens a file as descriptor 9, which the command must not find. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "enter/enter.h"

static int fail(const struct error *error)
{
	fprintf(stderr, "enter-driver: %s\n", error->text);
	return ENTER_STATUS_FAILED;
}

int main(int argc, char **argv)
{
	struct enter enter = {};
	struct error error = {};
	struct dns dns = {};
	int option, status;

	while ((option = getopt(argc, argv, "+u:d:")) != -1) {
		if (option == 'u')
			enter.account = optarg;
		else if (option != 'd' || dns_parse(optarg, &dns, &error) < 0)
			return fail(&error);
	}
	if (argc - optind < 2 || dup2(open("/dev/null", O_RDONLY), 9) < 0)
		return fail(&error);
	enter.netns = argv[optind];
	enter.dns = &dns;
	enter.argv = argv + optind + 1;
	status = enter_exec(&enter, &error);
	fail(&error);
	return status;
}
