/* An engine whose device is in one namespace and whose UDP sockets are in another, and wireguard-go in
 * that other one. A program that uses it must become the engine when its arguments say so.
 *
 *	 outside                          inside
 *	+-------------------------+      +--------------------------+
 *	| engine (UDP 127.0.0.1)  |------| world_device             |
 *	|    |                    |      |   10.79.0.1, fd79::1     |
 *	| world_go_device         |      +--------------------------+
 *	|   10.79.0.2, fd79::2    |
 *	+-------------------------+
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <net/if.h>
#include <stdint.h>

#include "scratch.h"

#define WORLD_TRIES 1000 /* of world_pause(): ten seconds */

struct world {
	struct scratch outside, inside;
};

extern char world_device[IFNAMSIZ], world_go_device[IFNAMSIZ], world_log[64];

/* Names that no other run has, with the prefix of a program. */
void world_name_devices(const char *prefix);

/* For cmocka_unit_test_setup_teardown(): *state is a struct world, without an engine. */
int world_setup(void **state);
int world_teardown(void **state);

/* Starts the engine as subu would from the outside namespace; the second fails the test. */
int world_start(const struct world *world, uint32_t fwmark, struct error *error);
void world_must_start(const struct world *world, uint32_t fwmark);

/* Starts wireguard-go, and gives both ends keys, addresses, and the other for a peer. */
void world_connect(const struct world *world);

/* 10 ms. */
void world_pause(void);

/* The engine that engine_start() executes: this very program, called as subu is. */
int world_live_as_engine(int argc, char **argv);

#endif
