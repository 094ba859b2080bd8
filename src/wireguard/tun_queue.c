/* What is read comes into one buffer, and from there into packets, split or not: so only the buffer,
 * and not each packet of the pool in its turn, ever takes the 64 KiB of memory that a large one needs.
 * What is written is gathered from the packets, with the header in the room before the first. */
#include "wireguard/tun_queue.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/tun.h"
#include "wireguard/offload.h"

struct tun_queue {
	int fd;
	struct packet_pool *pool;
	bool udp; /* the kernel takes datagrams that have been put together */
	struct offload_group groups[OFFLOAD_GROUPS];
	/* A header, a packet, and a byte more that shows that it was cut. */
	uint8_t large[sizeof(struct virtio_net_hdr) + OFFLOAD_SIZE_MAX + 1];
};

struct tun_queue *tun_queue_create(int fd, struct packet_pool *pool, struct error *error)
{
	CLEANUP(tun_queue_free) struct tun_queue *queue = memory_zalloc(sizeof(*queue));

	queue->fd = fd;
	queue->pool = pool;
	if (tun_set_offload(fd, &queue->udp, error) < 0)
		return NULL;
	return MEMORY_TAKE(queue);
}

void tun_queue_free(struct tun_queue **queue)
{
	memory_free(queue);
}

int tun_queue_read(struct tun_queue *queue, struct packet_queue *packets)
{
	struct virtio_net_hdr header;

	for (unsigned int i = 0; i < TUN_QUEUE_BATCH && packets->count < TUN_QUEUE_BATCH; i++) {
		ssize_t size = read(queue->fd, queue->large, sizeof(queue->large));

		if (size < 0)
			return errno == EBADFD ? -EBADFD : 0;
		if ((size_t)size < sizeof(header))
			continue;
		memcpy(&header, queue->large, sizeof(header));
		offload_split(&header, queue->large + sizeof(header), (size_t)size - sizeof(header),
			      queue->pool, packets);
	}
	return 0;
}

/* Nothing can be done about packets that are not taken: IP is lossy. */
static void write_group(const struct tun_queue *queue, struct offload_group *group)
{
	const size_t size = sizeof(group->header);
	struct iovec pieces[OFFLOAD_MOST];
	struct packet *packet = group->packets.first;
	int count = 0;

	assert(packet->offset >= size);
	packet->offset -= (uint32_t)size;
	packet->length += (uint32_t)size;
	memcpy(packet_data(packet), &group->header, size);
	for (; packet; packet = packet->next)
		pieces[count++] = (struct iovec){packet_data(packet), packet->length};
	if (writev(queue->fd, pieces, count) < 0)
		errno = 0;
	packet_put_all(queue->pool, &group->packets);
}

void tun_queue_write(struct tun_queue *queue, struct packet_queue *packets)
{
	while (packets->first) {
		size_t count = offload_coalesce(packets, queue->udp, queue->groups);

		for (size_t i = 0; i < count; i++)
			write_group(queue, &queue->groups[i]);
	}
}

/* tun_chr_poll() in drivers/net/tun.c: a device can be written to when it is up; one that has been
 * deleted is an error. Its send buffer has no bound unless TUNSETSNDBUF gave it one. */
int tun_queue_state(const struct tun_queue *queue)
{
	struct pollfd device = {.fd = queue->fd, .events = POLLOUT};

	if (poll(&device, 1, 0) < 0)
		return 1;
	if (device.revents & POLLERR)
		return -EBADFD;
	return device.revents & POLLOUT ? 1 : 0;
}
