/* Segmentation offload: one large packet through the TUN device in the place of many small ones.
 *
 * With IFF_VNET_HDR a struct virtio_net_hdr stands in front of each packet (virtio 1.2, section
 * 5.1.6; include/linux/virtio_net.h). One that comes from the kernel may have up to 64 KiB for a
 * network of 1500 bytes, and a checksum that is only begun: splitting makes of it what would have
 * been sent without any offload. The other way, packets of one flow that follow each other are put
 * together, and the kernel takes them apart again where it has to.
 *
 * Both are pure: bytes in, packets out. Nothing a header says is believed before it has been
 * compared with the size of the packet. */
#ifndef WIREGUARD_OFFLOAD_H
#define WIREGUARD_OFFLOAD_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>

#include "wireguard/packet.h"

/* In <linux/virtio_net.h> since Linux 6.2. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define OFFLOAD_SIZE_MAX 65535 /* bytes of a large packet: what IPv4's header can say */
#define OFFLOAD_GROUPS	 64    /* groups that are made at a time */
#define OFFLOAD_MOST	 64 /* packets of a group; the kernel takes no more of UDP (UDP_MAX_SEGMENTS) */

/* Appends the packets that the bytes behind the header stand for, with right headers and checksums:
 * one, or as many as gso_size makes of them. When the pool has no more, the rest is lost. What
 * cannot be right, or is larger than the pool's packets, is dropped. */
void offload_split(const struct virtio_net_hdr *header, const uint8_t *data, size_t size,
		   struct packet_pool *pool, struct packet_queue *packets);

/* Packets that are written as one: all of the first, and of the others what is behind their headers,
 * to which they have been cut. A packet that is alone has an empty header and is as it was. */
struct offload_group {
	struct virtio_net_hdr header;
	struct packet_queue packets;
	uint32_t headers; /* bytes, of each packet; from here on for offload_coalesce() alone */
	uint32_t segment; /* payload of each packet but the last, bytes */
	uint32_t payload; /* of all */
	bool verified;	  /* the checksums of the first packet are right */
	bool open;	  /* another packet may follow */
};

/* Takes packets out of the queue and puts them into groups, at most OFFLOAD_GROUPS, in the order in
 * which to write these; returns how many. The order within a flow stays. Only packets whose
 * checksums are right are put together, since the kernel asks about none of them afterwards; UDP
 * only with udp. What is left in the queue is for another call. */
size_t offload_coalesce(struct packet_queue *packets, bool udp,
			struct offload_group groups[static OFFLOAD_GROUPS]);

#endif
