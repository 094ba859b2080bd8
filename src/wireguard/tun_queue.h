/* IP packets to and from a TUN device, through one of its queues: today the only one. */
#ifndef WIREGUARD_TUN_QUEUE_H
#define WIREGUARD_TUN_QUEUE_H

#include "wireguard/packet.h"

#define TUN_QUEUE_BATCH 64 /* packets after which no more are read */

struct tun_queue;

/* A queue of the device that tun_open() opened. The descriptor stays the caller's; it and the pool
 * must outlive the queue. */
struct tun_queue *tun_queue_create(int fd, struct packet_pool *pool, struct error *error);

/* Usable with CLEANUP(). */
void tun_queue_free(struct tun_queue **queue);

/* Reads packets that are waiting, TUN_QUEUE_BATCH and what the last large one is split into, and
 * appends them. One that is larger than the pool's packets is dropped. -EBADFD when the device has
 * been deleted. */
int tun_queue_read(struct tun_queue *queue, struct packet_queue *packets);

/* Writes all packets, those of one flow together, and gives them back to the pool. What a device
 * that is down or gone does not take is dropped. */
void tun_queue_write(struct tun_queue *queue, struct packet_queue *packets);

/* The device behind the descriptor, wherever it may have been moved: 1 up, 0 down, -EBADFD
 * deleted. */
int tun_queue_state(const struct tun_queue *queue);

#endif
