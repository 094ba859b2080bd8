/* A plain TUN device gives one packet a read() and takes one a write(): the batches here are of
 * what comes between two waits, and their form is that of a queue with vnet_hdr, which gives more.
 */
#include "wireguard/tun_queue.h"

#include <errno.h>
#include <unistd.h>

int tun_queue_read(int fd, struct packet_pool *pool, struct packet_queue *packets)
{
	const size_t room = packet_pool_room(pool);

	for (unsigned int i = 0; i < TUN_QUEUE_BATCH; i++) {
		struct packet *packet = packet_get(pool);
		ssize_t size;

		if (!packet)
			break;
		/* A byte more than what fits shows that a packet has been cut. */
		size = read(fd, packet_data(packet), room + 1);
		if (size > 0 && (size_t)size <= room) {
			packet->length = (uint32_t)size;
			packet_queue_push(packets, packet);
			continue;
		}
		packet_put(pool, packet);
		if (size < 0)
			return errno == EBADFD ? -EBADFD : 0;
	}
	return 0;
}

void tun_queue_write(int fd, struct packet_pool *pool, struct packet_queue *packets)
{
	struct packet *packet;

	while ((packet = packet_queue_pop(packets))) {
		/* Nothing can be done about a packet that is not taken: IP is lossy. */
		if (write(fd, packet_data(packet), packet->length) < 0)
			errno = 0;
		packet_put(pool, packet);
	}
}

int tun_queue_state(int fd)
{
	/* A packet of no bytes is refused with EINVAL by a device that is up (tun_get_user() in
	 * drivers/net/tun.c). */
	if (write(fd, "", 0) < 0 && (errno == EIO || errno == EBADFD))
		return errno == EIO ? 0 : -EBADFD;
	return 1;
}
