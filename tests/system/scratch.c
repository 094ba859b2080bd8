#include "scratch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/netns.h"
#include "kernel/process.h"

int scratch_make(struct scratch *scratch, struct error *error)
{
	static unsigned int number;
	int code;

	*scratch = (struct scratch){.netns = -1};
	snprintf(scratch->name, sizeof(scratch->name), "subu-test-%d-%u", getpid(), number++);
	code = netns_create(scratch->name, error);
	if (code == 0)
		code = netns_open(scratch->name, &scratch->netns, error);
	if (code == 0)
		code = netlink_open(NETLINK_ROUTE, scratch->netns, &scratch->netlink, error);
	return code;
}

void scratch_remove(struct scratch *scratch)
{
	CLEANUP(memory_free) pid_t *pids = NULL;
	struct error error;
	size_t count;

	if (scratch->netns >= 0 && netns_processes(scratch->netns, &pids, &count, &error) == 0)
		process_end(pids, count, 0, &error);
	netlink_close(&scratch->netlink);
	fd_close(&scratch->netns);
	if (netns_delete(scratch->name, &error) < 0)
		fprintf(stderr, "%s\n", error.text);
}

int scratch_setup(void **state)
{
	struct scratch *scratch = memory_zalloc(sizeof(*scratch));
	struct error error;

	*state = scratch;
	if (scratch_make(scratch, &error) == 0)
		return 0;
	fprintf(stderr, "%s\n", error.text);
	scratch_teardown(state);
	return -1;
}

int scratch_teardown(void **state)
{
	struct scratch *scratch = *state;

	scratch_remove(scratch);
	free(scratch);
	return 0;
}

pid_t scratch_start_wireguard_go(const struct scratch *scratch, const char *name)
{
	struct error error;
	pid_t child = fork();

	if (child)
		return child;
	if (netns_enter(scratch->netns, &error) == 0 && freopen("/dev/null", "w", stdout) &&
	    freopen("/dev/null", "w", stderr))
		execlp("wireguard-go", "wireguard-go", "-f", name, (char *)NULL);
	_exit(1);
}

bool scratch_run(const struct scratch *scratch, const char *format, ...)
{
	char command[1024];
	va_list args;
	int length = snprintf(command, sizeof(command), "exec >/dev/null; exec 2>&1; ");

	length += snprintf(command + length, sizeof(command) - (size_t)length,
			   "exec ip netns exec %s ", scratch->name);
	va_start(args, format);
	vsnprintf(command + length, sizeof(command) - (size_t)length, format, args);
	va_end(args);
	return system(command) == 0;
}
