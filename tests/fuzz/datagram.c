/* Datagrams and IP packets of any content, at any time, against a device in the midst of its work.
 *
 * The input is a list of steps: one byte that says what is done, one for whose datagram it is done
 * to, two for a length, and that many bytes. Besides raw datagrams, bytes are laid over real ones
 * that the devices have made, so that what is behind the MACs and the indices is reached as well:
 * with no bytes laid over them, two devices talk to each other. When the first bit is set, they
 * have done so before. Keys are random in every run, so a finding may need its steps, not its
 * bytes. */
#include <stdlib.h>
#include <string.h>

#include "wireguard/bytes.h"
#include "wireguard/device.h"

#define PACKETS 300
#define ROOM	1600

enum step {
	STEP_RAW,	 /* the bytes are a datagram */
	STEP_DELIVER,	 /* the next datagram of the other device, with the bytes xored over it */
	STEP_SEND,	 /* the bytes are an IP packet from the TUN device */
	STEP_SEND_VALID, /* the same with a header that finds its way */
	STEP_PASS,	 /* time: the length in units of 100 ms */
	STEP_UNDER_LOAD,
	STEP_DOWN_AND_UP,
	STEP_COUNT,
};

struct world {
	struct packet_pool *pool;
	struct device *devices[2];
	struct device_output outputs[2];
	struct moment now;
};

static const struct {
	uint8_t key;
	uint8_t address;
} machines[2] = {{8, 1}, {16, 2}}; /* X25519 ignores three bits of the first byte */

static union socket_address address_of(unsigned int machine)
{
	union socket_address address = {.v4.sin_family = AF_INET};

	address.v4.sin_addr.s_addr = htobe32(0xc0000200 + machines[machine].address);
	address.v4.sin_port = htobe16(51820);
	return address;
}

static void world_init(struct world *world)
{
	struct error error;

	*world = (struct world){.now.monotonic = MOMENT_SECOND, .now.real.tv_sec = 1700000000};
	world->pool = packet_pool_create(PACKETS, ROOM, &error);
	for (unsigned int i = 0; i < 2; i++) {
		struct cidr allowed = {.ip.family = AF_INET, .length = 32};
		struct wg_peer_change peer = {.set_address = true, .address = address_of(1 - i)};
		struct wg_change change = {
			.set_private_key = true, .peers = &peer, .peer_count = 1};
		struct key other = {{machines[1 - i].key}};

		allowed.ip.v4.s_addr = htobe32(0x0a000000 + machines[1 - i].address);
		peer.allowed_ips = (struct cidr_list){&allowed, 1};
		change.private_key.bytes[0] = machines[i].key;
		if (key_derive_public(&other, &peer.public_key, &error) < 0)
			abort();
		world->devices[i] = device_create(world->pool);
		device_set_up(world->devices[i], &world->now, true, &world->outputs[i]);
		if (device_configure(world->devices[i], &world->now, &change, &world->outputs[i],
				     &error) < 0)
			abort();
	}
}

/* Every packet must have come back. */
static void world_clear(struct world *world)
{
	size_t count = 0;

	for (unsigned int i = 0; i < 2; i++) {
		packet_put_all(world->pool, &world->outputs[i].datagrams);
		packet_put_all(world->pool, &world->outputs[i].inner);
		device_free(&world->devices[i]);
	}
	while (packet_get(world->pool))
		count++;
	if (count != PACKETS)
		abort();
	packet_pool_free(&world->pool);
}

static void receive(struct world *world, unsigned int to, struct packet *packet)
{
	struct packet_queue queue = {};

	packet->address = address_of(1 - to);
	packet_queue_push(&queue, packet);
	device_receive(world->devices[to], &world->now, &queue, &world->outputs[to]);
}

static struct packet *packet_of(struct world *world, const uint8_t *bytes, size_t size)
{
	struct packet *packet = packet_get(world->pool);

	if (!packet)
		return NULL;
	packet->length = (uint32_t)(size < ROOM ? size : ROOM);
	memcpy(packet_data(packet), bytes, packet->length);
	return packet;
}

static void send_inner(struct world *world, unsigned int from, struct packet *packet, bool valid)
{
	struct packet_queue queue = {};
	uint8_t *data = packet_data(packet);

	if (valid && packet->length >= 20) {
		data[0] = 0x45;
		bytes_put_be32(data + 12, 0x0a000000 + machines[from].address);
		bytes_put_be32(data + 16, 0x0a000000 + machines[1 - from].address);
	}
	packet_queue_push(&queue, packet);
	device_send(world->devices[from], &world->now, &queue, &world->outputs[from]);
}

static void deliver(struct world *world, unsigned int to, const uint8_t *bytes, size_t size)
{
	struct packet *packet = packet_queue_pop(&world->outputs[1 - to].datagrams);

	if (!packet)
		return;
	for (size_t i = 0; i < size && i < packet->length; i++)
		packet_data(packet)[i] ^= bytes[i];
	receive(world, to, packet);
	packet_put_all(world->pool, &world->outputs[to].inner);
}

/* A session in both directions, so that not every input must find its way through a handshake. */
static void connect_devices(struct world *world)
{
	struct packet *packet = packet_get(world->pool);

	packet->length = 20;
	memset(packet_data(packet), 0, packet->length);
	send_inner(world, 0, packet, true);
	for (unsigned int i = 0; i < 3; i++)
		deliver(world, 1 - i % 2, NULL, 0);
}

static void pass(struct world *world, uint64_t tenths)
{
	world->now.monotonic += tenths * (MOMENT_SECOND / 10);
	world->now.real.tv_sec += (time_t)(tenths / 10);
	world->now.real.tv_nsec = (long)(tenths % 10 * (MOMENT_SECOND / 10));
	for (unsigned int i = 0; i < 2; i++) {
		device_run_timers(world->devices[i], &world->now, &world->outputs[i]);
		if (device_deadline(world->devices[i]) <= world->now.monotonic)
			abort();
	}
}

static void take_step(struct world *world, enum step step, unsigned int machine,
		      const uint8_t *bytes, size_t size)
{
	struct device_output *output = &world->outputs[machine];
	struct device *device = world->devices[machine];
	struct packet *packet;

	switch (step) {
	case STEP_DELIVER:
		deliver(world, machine, bytes, size);
		break;
	case STEP_RAW:
	case STEP_SEND:
	case STEP_SEND_VALID:
		packet = packet_of(world, bytes, size);
		if (packet && step == STEP_RAW)
			receive(world, machine, packet);
		else if (packet)
			send_inner(world, machine, packet, step == STEP_SEND_VALID);
		break;
	case STEP_PASS:
		pass(world, size);
		break;
	case STEP_UNDER_LOAD:
		device_set_under_load(device, &world->now);
		break;
	case STEP_DOWN_AND_UP:
		device_set_up(device, &world->now, false, output);
		device_set_up(device, &world->now, true, output);
		break;
	case STEP_COUNT:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world;
	size_t length;

	world_init(&world);
	if (size > 0 && data[0] & 0x80)
		connect_devices(&world);
	while (size >= 4) {
		length = bytes_get_be16(data + 2) % 2048;
		if ((data[0] & 0x7f) % STEP_COUNT != STEP_PASS && length > size - 4)
			length = size - 4;
		take_step(&world, (data[0] & 0x7f) % STEP_COUNT, data[1] % 2, data + 4, length);
		if ((data[0] & 0x7f) % STEP_COUNT == STEP_PASS)
			length = 0;
		data += 4 + length;
		size -= 4 + length;
	}
	world_clear(&world);
	return 0;
}
