#include "wireguard/packet.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"

#define CACHE_LINE 64

struct packet_pool {
	struct packet *packets; /* owned */
	uint8_t *buffers;	/* owned */
	struct packet *free;	/* the one given back last is taken first: it is warm */
	size_t fresh;		/* how many have been taken for the first time */
	size_t count, room;
	uint32_t capacity;
};

struct packet_pool *packet_pool_create(size_t count, size_t room, struct error *error)
{
	CLEANUP(packet_pool_free) struct packet_pool *pool = memory_zalloc(sizeof(*pool));
	size_t capacity = PACKET_HEADROOM + room + PACKET_TAILROOM;
	size_t total, array;

	capacity = (capacity + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	if (capacity <= UINT32_MAX && !__builtin_mul_overflow(count, capacity, &total) &&
	    !__builtin_mul_overflow(count, sizeof(*pool->packets), &array)) {
		pool->packets = malloc(array);
		pool->buffers = aligned_alloc(CACHE_LINE, total);
	}
	if (!pool->packets || !pool->buffers) {
		error_set(error, ENOMEM, "no memory for %zu packets of %zu bytes", count, room);
		return NULL;
	}
	pool->count = count;
	pool->room = room;
	pool->capacity = (uint32_t)capacity;
	return MEMORY_TAKE(pool);
}

void packet_pool_free(struct packet_pool **pool)
{
	if (!*pool)
		return;
	free((*pool)->buffers);
	free((*pool)->packets);
	memory_free(pool);
}

size_t packet_pool_size(const struct packet_pool *pool)
{
	return pool->count;
}

size_t packet_pool_room(const struct packet_pool *pool)
{
	return pool->room;
}

/* Where a packet is, there is its buffer. */
struct packet *packet_get(struct packet_pool *pool)
{
	struct packet *packet = pool->free;

	if (packet)
		pool->free = packet->next;
	else if (pool->fresh < pool->count)
		packet = &pool->packets[pool->fresh++];
	else
		return NULL;
	*packet = (struct packet){
		.buffer = pool->buffers + (size_t)(packet - pool->packets) * pool->capacity,
		.capacity = pool->capacity,
		.offset = PACKET_HEADROOM,
	};
	return packet;
}

void packet_put(struct packet_pool *pool, struct packet *packet)
{
	packet->next = pool->free;
	pool->free = packet;
}

void packet_put_all(struct packet_pool *pool, struct packet_queue *queue)
{
	struct packet *packet;

	while ((packet = packet_queue_pop(queue)))
		packet_put(pool, packet);
}

void packet_queue_push(struct packet_queue *queue, struct packet *packet)
{
	packet->next = NULL;
	if (queue->last)
		queue->last->next = packet;
	else
		queue->first = packet;
	queue->last = packet;
	queue->count++;
}

struct packet *packet_queue_pop(struct packet_queue *queue)
{
	struct packet *packet = queue->first;

	if (!packet)
		return NULL;
	queue->first = packet->next;
	if (!queue->first)
		queue->last = NULL;
	queue->count--;
	packet->next = NULL;
	return packet;
}
