/* A network namespace of a test's own: unique by name, gone afterwards whatever the test did. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "kernel/netlink.h"

struct scratch {
	char name[32]; /* below /run/netns */
	int netns;
	struct netlink netlink; /* NETLINK_ROUTE, in the namespace */
};

/* For cmocka_unit_test_setup_teardown(): *state is a struct scratch. The teardown ends the
 * processes in the namespace, too. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* The same for further namespaces of one test. */
int scratch_make(struct scratch *scratch, struct error *error);
void scratch_remove(struct scratch *scratch);

/* Starts Debian's wireguard-go in the namespace, quiet, with a device and a UAPI socket of that
 * name; the caller ends and reaps it. */
pid_t scratch_start_wireguard_go(const struct scratch *scratch, const char *name);

/* Runs a shell command in the namespace; true when it ended with status 0. */
bool scratch_run(const struct scratch *scratch, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
