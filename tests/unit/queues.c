/* wireguard/send: packets that wait, in the bounds of their peer and of the pool, and none that costs
 * an allocation. */
#include "simulation.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "wireguard/send.h"

/* No more than 128 packets of a peer wait, and the oldest go first. */
static void test_staged_packets(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;

	for (uint32_t i = 0; i < PEER_STAGED_MOST + 50; i++)
		simulation_send(simulation, a, "10.0.0.1", "10.0.0.2", 100 + i);
	assert_int_equal(simulation_peer(a)->staged.count, PEER_STAGED_MOST);
	assert_int_equal(a->output.datagrams.count, 1); /* one initiation for all */
	simulation_settle(simulation);
	assert_int_equal(b->output.inner.first->length, 150);
	assert_int_equal(simulation_read(simulation, b), PEER_STAGED_MOST);
	assert_int_equal(a->device->staged_count, 0);
}

/* Nor do the packets of all peers together take more than half of the pool. */
static void test_staged_packets_of_many_peers(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct wg_peer_change change = {.set_address = true, .address = a->address};
	struct error error;
	char address[IP_TEXT_MAX];

	for (uint8_t i = 0; i < 4; i++) {
		snprintf(address, sizeof(address), "10.1.0.%u", i);
		change.public_key = (struct key){{9, i}};
		assert_int_equal(cidr_list_parse(address, &change.allowed_ips, &error), 0);
		simulation_configure(simulation, a, &change);
		cidr_list_clear(&change.allowed_ips);
		for (uint32_t j = 0; j < PEER_STAGED_MOST; j++)
			simulation_send(simulation, a, "10.0.0.1", address, 100);
	}
	assert_int_equal(a->device->staged_count, SIMULATION_PACKETS / 2);
}

/* A batch larger than that passes whole when there is a session. */
static void test_large_batch(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	struct packet_queue queue = {};
	struct packet *packet;

	simulation_connect(simulation);
	for (size_t i = 0; i < 2 * PEER_STAGED_MOST; i++) {
		packet = packet_get(simulation->pool);
		packet->length = 20;
		memcpy(packet_data(packet),
		       (uint8_t[20]){0x45, [3] = 20, [12] = 10, [15] = 1, [16] = 10, [19] = 2}, 20);
		packet_queue_push(&queue, packet);
	}
	device_send(a->device, &simulation->now, &queue, &a->output);
	assert_int_equal(simulation_deliver(simulation, a, b), 2 * PEER_STAGED_MOST);
	assert_int_equal(simulation_read(simulation, b), 2 * PEER_STAGED_MOST);
}

static size_t allocations; /* by libcrypto */

static void *count_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return malloc(size);
}

static void *count_realloc(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return realloc(block, size);
}

static void count_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	free(block);
}

/* While packets move, libcrypto allocates nothing either. */
static void test_no_allocation(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a, *b = &simulation->b;
	size_t before;

	simulation_connect(simulation);
	before = allocations;
	assert_true(before > 0);
	for (int i = 0; i < 100; i++) {
		simulation_ping(simulation, i % 2 ? a : b);
		simulation_settle(simulation);
		assert_int_equal(simulation_read(simulation, i % 2 ? b : a), 1);
	}
	assert_int_equal(allocations, before);
}

/* When every packet is in use nothing breaks, and later all goes on. */
static void test_empty_pool(void **state)
{
	struct simulation *simulation = *state;
	struct machine *a = &simulation->a;
	struct packet_queue held = {};
	struct packet *packet;

	while ((packet = packet_get(simulation->pool)))
		packet_queue_push(&held, packet);
	packet_put(simulation->pool, packet_queue_pop(&held));
	simulation_ping(simulation, a); /* its packet was the last */
	assert_int_equal(a->output.datagrams.count, 0);
	packet_put_all(simulation->pool, &held);
	simulation_connect(simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		simulated(test_staged_packets), simulated(test_staged_packets_of_many_peers),
		simulated(test_large_batch),	simulated(test_no_allocation),
		simulated(test_empty_pool),
	};

	if (!CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
