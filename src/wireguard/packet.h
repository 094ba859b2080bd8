/* Packets and where they live.
 *
 * All packets come from one pool, made once; nothing is allocated while packets move. A packet has
 * exactly one owner at any time: the pool, a queue, or the function that holds it. Its data is
 * sealed and opened in place: room in front takes the message header, room behind the padding and
 * the authentication tag.
 *
 *	buffer          offset             offset + length        capacity
 *	|-- headroom ---|------- data -------|------ tailroom ------|
 */
#ifndef WIREGUARD_PACKET_H
#define WIREGUARD_PACKET_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"

#define PACKET_HEADROOM 16 /* bytes: the header of a transport data message */
#define PACKET_TAILROOM 32 /* bytes: at most 15 of padding, and the tag of 16 */

/* The local address a datagram arrived at, for answers to leave from. The core only copies it: the
 * I/O fills it from IP_PKTINFO or IPV6_PKTINFO, of the family of the packet's address, and reads it
 * when it sends. All zero: the routing table chooses. */
union packet_source {
	struct in_pktinfo v4;
	struct in6_pktinfo v6;
};

struct packet {
	uint8_t *buffer; /* capacity bytes, the pool's */
	uint32_t capacity;
	uint32_t offset;
	uint32_t length;
	union socket_address address; /* of a datagram: whom it is from, or for */
	union packet_source source;
	struct packet *next; /* in its queue */
};

/* First in, first out. Zeroed memory is an empty queue. */
struct packet_queue {
	struct packet *first, *last;
	size_t count;
};

struct packet_pool;

/* A pool of count packets, each able to hold data of room bytes between headroom and tailroom.
 * NULL with a message when there is no memory; the pages are taken when first used. */
struct packet_pool *packet_pool_create(size_t count, size_t room, struct error *error);

/* Frees the pool, wipes nothing. Every packet must be back in it. Usable with CLEANUP(). */
void packet_pool_free(struct packet_pool **pool);

/* How many packets the pool was made with, and how much data one holds. */
size_t packet_pool_size(const struct packet_pool *pool);
size_t packet_pool_room(const struct packet_pool *pool);

/* A packet without data at offset PACKET_HEADROOM, address and source zeroed; NULL when all are in
 * use. The caller owns it until it gives it to a queue or back. */
struct packet *packet_get(struct packet_pool *pool);
void packet_put(struct packet_pool *pool, struct packet *packet);

/* Gives back all packets of a queue, which is empty afterwards. */
void packet_put_all(struct packet_pool *pool, struct packet_queue *queue);

static inline uint8_t *packet_data(const struct packet *packet)
{
	return packet->buffer + packet->offset;
}

void packet_queue_push(struct packet_queue *queue, struct packet *packet);

/* The first packet, which the caller owns now; NULL when the queue is empty. */
struct packet *packet_queue_pop(struct packet_queue *queue);

#endif
