/* IP packets to and from a TUN device, through one of its queues: today the only one. */
#ifndef WIREGUARD_TUN_QUEUE_H
#define WIREGUARD_TUN_QUEUE_H

#include "wireguard/packet.h"

#define TUN_QUEUE_BATCH 64 /* packets read at a time */

/* Reads up to TUN_QUEUE_BATCH packets that are waiting and appends them. One that is larger than
 * the pool's packets is dropped. -EBADFD when the device has been deleted. */
int tun_queue_read(int fd, struct packet_pool *pool, struct packet_queue *packets);

/* Writes all packets and gives them back to the pool. What a device that is down or gone does not
 * take is dropped. */
void tun_queue_write(int fd, struct packet_pool *pool, struct packet_queue *packets);

/* The device behind the descriptor, wherever it may have been moved: 1 up, 0 down, -EBADFD
 * deleted. */
int tun_queue_state(int fd);

#endif
