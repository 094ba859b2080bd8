/* Inner packets of TCP and UDP, made plainly from what their fields are to be: what the fast code of
 * segmentation offload is compared with. */
#ifndef UNIT_INNER_H
#define UNIT_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wireguard/offload.h"

#define INNER_DF  0x4000
#define INNER_FIN 0x01
#define INNER_PSH 0x08
#define INNER_ACK 0x10
#define INNER_ECE 0x40
#define INNER_CWR 0x80

struct inner {
	bool six, tcp;
	uint8_t tos, ttl, flags;
	uint16_t id, fragment; /* IPv4 only */
	uint8_t hosts[2];      /* the last bytes of the addresses */
	uint16_t ports[2], window, urgent;
	uint32_t sequence, acknowledgement;
	uint8_t options[40]; /* of TCP */
	size_t options_size; /* a multiple of 4 */
	const uint8_t *payload;
	size_t payload_size;
};

/* Where the header of TCP or UDP begins, and where it ends. */
size_t inner_transport(const struct inner *inner);
size_t inner_headers(const struct inner *inner);

/* Where the checksum is, in the header of TCP or UDP. */
size_t inner_checksum_field(const struct inner *inner);

/* Writes the packet with right checksums; or, begun, with the sum of the pseudo header alone in the
 * place of that of TCP or UDP. Returns its size. */
size_t inner_write(const struct inner *inner, bool begun, uint8_t *ret);

/* Makes the checksum of the header of IPv4 right. */
void inner_fix_header(uint8_t *packet);

/* Random bytes to be payload, the same in every run. */
extern uint8_t inner_bytes[OFFLOAD_SIZE_MAX];

/* A pool of INNER_PACKETS as the state of a test, and the random numbers from their beginning; at the
 * end every packet must have come back. */
#define INNER_PACKETS 1500
int inner_setup(void **state);
int inner_teardown(void **state);

/* A number below the limit, at random. */
uint32_t inner_below(uint32_t limit);

/* A packet of any kind, with ACK, and payload of size bytes. */
struct inner inner_random(size_t size);

/* The header of a large packet with segments of that much payload. */
struct virtio_net_hdr inner_header(const struct inner *inner, uint16_t segment);

/* The packet of number i that a large one is to become. */
struct inner inner_segment(const struct inner *whole, size_t segment, size_t i);

/* Fails when the packet is another. */
void inner_expect(const struct inner *expected, const struct packet *packet);

/* The sum of 16-bit numbers in network order, an odd byte at the end being the high half of one. */
uint16_t inner_sum(const uint8_t *bytes, size_t size);

#endif
