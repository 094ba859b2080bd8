/* Two WireGuard devices in memory, with a clock that stands still unless it is moved and a network
 * that carries only what a test tells it to.
 *
 *	a  10.0.0.1, fd00::1            b  10.0.0.2, fd00::2
 *	   192.0.2.1:1000  ◀───────────▶   192.0.2.2:2000
 *
 * a knows b's address; b learns a's. */
#ifndef TESTS_SIMULATION_H
#define TESTS_SIMULATION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>
#include <string.h>

#include "wireguard/device_state.h"
#include "wireguard/messages.h"

#define SIMULATION_PACKETS 512

struct machine {
	struct device *device;
	struct key private_key, public_key;
	union socket_address address; /* outside */
	struct device_output output;  /* not yet on its way */
};

struct simulation {
	struct packet_pool *pool;
	struct moment now;
	struct machine a, b;
};

/* For cmocka: *state is the simulation. At the end every packet must be back in the pool. */
int simulation_setup(void **state);
int simulation_teardown(void **state);

/* Moves the clock, and nothing else. */
void simulation_pass(struct simulation *simulation, uint64_t nanoseconds);

/* Moves the clock from one deadline of this machine to the next until the time has passed, running
 * its timers; returns how many datagrams of a type they made, of which all are lost. */
unsigned int simulation_run(struct simulation *simulation, struct machine *machine,
			    uint64_t nanoseconds, enum message_type type);

/* Applies a change to the one peer that a machine has: the other. */
struct wg_peer_change simulation_change(const struct machine *peer);
void simulation_configure(struct simulation *simulation, struct machine *machine,
			  struct wg_peer_change *change);

/* An IP packet of this size leaves the machine's TUN device; content follows from the size. */
void simulation_send(struct simulation *simulation, struct machine *machine, const char *from,
		     const char *to, uint32_t size);

/* The same between the two machines' own IPv4 addresses, 100 bytes. */
void simulation_ping(struct simulation *simulation, struct machine *from);

/* The first datagram a machine has made, which the test now owns; it must be of this type. */
struct packet *simulation_take(struct machine *machine, enum message_type type);

/* A packet with the same content. */
struct packet *simulation_copy(struct simulation *simulation, const struct packet *packet);

/* Hands a datagram over, as from this address. It is used up. */
void simulation_hand_over(struct simulation *simulation, struct machine *to,
			  const union socket_address *from, struct packet *packet);

/* Hands over all that a machine has made so far; returns how many datagrams that was. */
size_t simulation_deliver(struct simulation *simulation, struct machine *from, struct machine *to);

/* Delivers both ways until nothing is on its way. */
void simulation_settle(struct simulation *simulation);

/* Loses all datagrams that a machine has made; returns how many there were. */
size_t simulation_lose(struct simulation *simulation, struct machine *machine);

/* Takes what a machine has for its TUN device; returns how many packets that was. */
size_t simulation_read(struct simulation *simulation, struct machine *machine);

/* A handshake begun by a with a ping, which arrives. Leaves a session confirmed by both sides. */
void simulation_connect(struct simulation *simulation);

/* The peer of a machine. */
struct peer *simulation_peer(struct machine *machine);

union socket_address simulation_address(const char *text);

/* A test that is given a struct simulation of its own. */
#define simulated(function)                                                                        \
	cmocka_unit_test_setup_teardown(function, simulation_setup, simulation_teardown)

#endif
