/* Where forced egress is tried: a namespace, a control group and a BPF file system of the test's own.
 *
 *	scratch namespace:  lo   tunnel0 ── tunnel1   lan0 ── lan1
 *
 * Both pairs are up, in both families, and no one asks for an address on the cable: each device
 * takes all that is routed to it. The main table knows the way to the LAN's network. */
#ifndef TESTS_PLACE_H
#define TESTS_PLACE_H

#include <stdint.h>

#include "egress/layout.h"
#include "scratch.h"

#define PLACE_SUBU "subu_0"    /* the folder of the pins */
#define PLACE_FAR  "10.98.0.2" /* by lan0 */
#define PLACE_FAR6 "fd98::2"   /* by lan0 */

struct place {
	struct scratch scratch;
	char group[48]; /* below the root of the hierarchy */
	int cgroup;
	struct egress_config config; /* with tunnel0 for the tunnel */
	unsigned int lan;	     /* the index of lan0 */
};

/* In main(), first: what is mounted from here on is the test's own. */
int place_unshare(void);

/* For cmocka_unit_test_setup_teardown(): *state is a struct place. */
int place_setup(void **state);
int place_teardown(void **state);

/* Does the work in a child that is in the group and the namespace, as root still; returns what it
 * returned, from 0 to 255. */
int place_run(const struct place *place, int (*work)(const struct place *place));

/* The same, and goes on at once; the caller ends and reaps it. */
pid_t place_start(const struct place *place, int (*work)(const struct place *place));

/* Becomes nobody, without any capability. */
void place_drop(void);

/* How many packets have left by the device. */
uint64_t place_sent(const struct place *place, const char *device);

#endif
