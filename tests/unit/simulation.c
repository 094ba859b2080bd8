#include "simulation.h"

#include <stdlib.h>

#include "base/memory.h"

union socket_address simulation_address(const char *text)
{
	union socket_address address = {};
	struct error error;

	assert_int_equal(socket_address_parse(text, &address, &error), 0);
	return address;
}

struct wg_peer_change simulation_change(const struct machine *peer)
{
	return (struct wg_peer_change){.public_key = peer->public_key};
}

void simulation_configure(struct simulation *simulation, struct machine *machine,
			  struct wg_peer_change *change)
{
	struct wg_change whole = {.peers = change, .peer_count = 1};
	struct error error;

	assert_int_equal(device_configure(machine->device, &simulation->now, &whole,
					  &machine->output, &error),
			 0);
}

static void start(struct simulation *simulation, struct machine *machine, uint8_t first,
		  const char *address)
{
	struct wg_change change = {.set_private_key = true};
	struct error error;

	machine->device = device_create(simulation->pool);
	memset(machine->private_key.bytes, first, KEY_SIZE);
	assert_int_equal(key_derive_public(&machine->private_key, &machine->public_key, &error), 0);
	machine->address = simulation_address(address);
	change.private_key = machine->private_key;
	assert_int_equal(device_configure(machine->device, &simulation->now, &change,
					  &machine->output, &error),
			 0);
	device_set_up(machine->device, &simulation->now, true, &machine->output);
}

static void introduce(struct simulation *simulation, struct machine *machine, struct machine *peer,
		      const char *allowed_ips)
{
	struct wg_peer_change change = simulation_change(peer);
	struct error error;

	assert_int_equal(cidr_list_parse(allowed_ips, &change.allowed_ips, &error), 0);
	if (machine == &simulation->a) {
		change.set_address = true;
		change.address = peer->address;
	}
	simulation_configure(simulation, machine, &change);
	cidr_list_clear(&change.allowed_ips);
}

int simulation_setup(void **state)
{
	struct simulation *simulation = memory_zalloc(sizeof(*simulation));
	struct error error;

	simulation->pool = packet_pool_create(SIMULATION_PACKETS, 2048, &error);
	assert_non_null(simulation->pool);
	simulation->now.monotonic = 1000 * MOMENT_SECOND;
	simulation->now.real.tv_sec = 1700000000;
	start(simulation, &simulation->a, 1, "192.0.2.1:1000");
	start(simulation, &simulation->b, 2, "192.0.2.2:2000");
	introduce(simulation, &simulation->a, &simulation->b, "10.0.0.2, fd00::2");
	introduce(simulation, &simulation->b, &simulation->a, "10.0.0.1, fd00::1");
	*state = simulation;
	return 0;
}

int simulation_teardown(void **state)
{
	struct simulation *simulation = *state;
	size_t count = 0;

	simulation_lose(simulation, &simulation->a);
	simulation_lose(simulation, &simulation->b);
	simulation_read(simulation, &simulation->a);
	simulation_read(simulation, &simulation->b);
	device_free(&simulation->a.device);
	device_free(&simulation->b.device);
	while (packet_get(simulation->pool))
		count++;
	packet_pool_free(&simulation->pool);
	free(simulation);
	assert_int_equal(count, SIMULATION_PACKETS);
	return 0;
}

void simulation_pass(struct simulation *simulation, uint64_t nanoseconds)
{
	struct timespec *real = &simulation->now.real;
	uint64_t total = (uint64_t)real->tv_nsec + nanoseconds;

	simulation->now.monotonic += nanoseconds;
	real->tv_sec += (time_t)(total / MOMENT_SECOND);
	real->tv_nsec = (long)(total % MOMENT_SECOND);
}

unsigned int simulation_run(struct simulation *simulation, struct machine *machine,
			    uint64_t nanoseconds, enum message_type type)
{
	uint64_t end = simulation->now.monotonic + nanoseconds;
	struct packet *packet;
	unsigned int count = 0;
	uint64_t deadline;

	while ((deadline = device_deadline(machine->device)) <= end) {
		if (deadline > simulation->now.monotonic)
			simulation_pass(simulation, deadline - simulation->now.monotonic);
		device_run_timers(machine->device, &simulation->now, &machine->output);
		while ((packet = packet_queue_pop(&machine->output.datagrams))) {
			count += packet_data(packet)[0] == type;
			packet_put(simulation->pool, packet);
		}
	}
	simulation_pass(simulation, end - simulation->now.monotonic);
	return count;
}

static void write_ipv4(uint8_t *data, const struct ip *from, const struct ip *to, uint32_t size)
{
	data[0] = 0x45;
	data[2] = (uint8_t)(size >> 8);
	data[3] = (uint8_t)size;
	memcpy(data + 12, from->bytes, 4);
	memcpy(data + 16, to->bytes, 4);
}

static void write_ipv6(uint8_t *data, const struct ip *from, const struct ip *to, uint32_t size)
{
	data[0] = 0x60;
	data[4] = (uint8_t)((size - 40) >> 8);
	data[5] = (uint8_t)(size - 40);
	memcpy(data + 8, from->bytes, 16);
	memcpy(data + 24, to->bytes, 16);
}

void simulation_send(struct simulation *simulation, struct machine *machine, const char *from,
		     const char *to, uint32_t size)
{
	struct packet *packet = packet_get(simulation->pool);
	struct packet_queue queue = {};
	struct ip source, destination;
	struct error error;

	assert_non_null(packet);
	assert_int_equal(ip_parse(from, &source, &error), 0);
	assert_int_equal(ip_parse(to, &destination, &error), 0);
	packet->length = size;
	memset(packet_data(packet), (int)size, size);
	if (source.family == AF_INET)
		write_ipv4(packet_data(packet), &source, &destination, size);
	else
		write_ipv6(packet_data(packet), &source, &destination, size);
	packet_queue_push(&queue, packet);
	device_send(machine->device, &simulation->now, &queue, &machine->output);
	assert_null(queue.first);
}

void simulation_ping(struct simulation *simulation, struct machine *from)
{
	if (from == &simulation->a)
		simulation_send(simulation, from, "10.0.0.1", "10.0.0.2", 100);
	else
		simulation_send(simulation, from, "10.0.0.2", "10.0.0.1", 100);
}

struct packet *simulation_take(struct machine *machine, enum message_type type)
{
	struct packet *packet = packet_queue_pop(&machine->output.datagrams);

	assert_non_null(packet);
	assert_int_equal(packet_data(packet)[0], type);
	return packet;
}

struct packet *simulation_copy(struct simulation *simulation, const struct packet *packet)
{
	struct packet *copy = packet_get(simulation->pool);

	assert_non_null(copy);
	copy->length = packet->length;
	copy->address = packet->address;
	memcpy(packet_data(copy), packet_data(packet), packet->length);
	return copy;
}

void simulation_hand_over(struct simulation *simulation, struct machine *to,
			  const union socket_address *from, struct packet *packet)
{
	struct packet_queue queue = {};

	packet->address = *from;
	packet_queue_push(&queue, packet);
	device_receive(to->device, &simulation->now, &queue, &to->output);
	assert_null(queue.first);
}

size_t simulation_deliver(struct simulation *simulation, struct machine *from, struct machine *to)
{
	struct packet_queue under_way = from->output.datagrams;
	struct packet *packet;
	size_t count = 0;

	from->output.datagrams = (struct packet_queue){};
	while ((packet = packet_queue_pop(&under_way))) {
		assert_true(socket_address_equal(&packet->address, &to->address));
		simulation_hand_over(simulation, to, &from->address, packet);
		count++;
	}
	return count;
}

void simulation_settle(struct simulation *simulation)
{
	while (simulation_deliver(simulation, &simulation->a, &simulation->b) +
	       simulation_deliver(simulation, &simulation->b, &simulation->a))
		continue;
}

size_t simulation_lose(struct simulation *simulation, struct machine *machine)
{
	size_t count = machine->output.datagrams.count;

	packet_put_all(simulation->pool, &machine->output.datagrams);
	return count;
}

size_t simulation_read(struct simulation *simulation, struct machine *machine)
{
	size_t count = machine->output.inner.count;

	packet_put_all(simulation->pool, &machine->output.inner);
	return count;
}

void simulation_connect(struct simulation *simulation)
{
	simulation_ping(simulation, &simulation->a);
	simulation_settle(simulation);
	assert_true(simulation_read(simulation, &simulation->b) > 0);
	assert_non_null(simulation_peer(&simulation->a)->sessions.current);
	assert_non_null(simulation_peer(&simulation->b)->sessions.current);
}

struct peer *simulation_peer(struct machine *machine)
{
	return machine->device->first;
}
