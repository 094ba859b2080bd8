/* The UDP sockets of a device: one for IPv4 and, where the machine has it, one for IPv6, on the
 * same port. */
#ifndef WIREGUARD_UDP_H
#define WIREGUARD_UDP_H

#include <stdint.h>

#include "base/error.h"
#include "wireguard/packet.h"

#define UDP_FAMILIES 2	/* sockets of a device: IPv4, then IPv6 */
#define UDP_BATCH    64 /* datagrams a system call; no message may have more (UDP_MAX_SEGMENTS) */

struct udp;

/* Makes the sockets in the caller's network namespace, with large buffers and the firewall mark
 * (0: none) as far as its rights go, and binds none. Without IPv6 there is only the IPv4 one. The
 * pool must outlive it. */
struct udp *udp_create(struct packet_pool *pool, uint32_t fwmark, struct error *error);

/* Usable with CLEANUP(). */
void udp_free(struct udp **udp);

/* Binds both sockets to the port; 0: to one that is free in both families. The first time it is the
 * sockets of udp_create() that are bound. Later, another port takes new sockets, which the old ones
 * give way to, so the descriptors change. 0 when there is a port already that was not asked for by
 * number: that port stays. -EADDRINUSE, or -EPERM when the firewall mark cannot be given to new
 * sockets; the old ones then stay. */
int udp_bind(struct udp *udp, uint16_t port, struct error *error);

/* Marks what is sent from now on, for the machine's routing rules and firewall. -EPERM without
 * CAP_NET_RAW or CAP_NET_ADMIN; the mark of before then stays. */
int udp_set_fwmark(struct udp *udp, uint32_t fwmark, struct error *error);

/* 0 before udp_bind(). */
uint16_t udp_port(const struct udp *udp);
uint32_t udp_fwmark(const struct udp *udp);

/* The socket of a family (0 or 1), to wait on; -1 where there is none. */
int udp_fd(const struct udp *udp, unsigned int family);

/* Reads datagrams that are waiting at one socket into packets of the pool, and appends them with the
 * addresses they came from and to: UDP_BATCH of them, and what the last messages hold besides. One that
 * is too large for a packet is dropped. */
void udp_receive(struct udp *udp, unsigned int family, struct packet_queue *datagrams);

/* Sends all datagrams and gives them back to the pool. Each leaves from its source; when that is no
 * longer an address of this machine, from the one that the routing table chooses. What cannot be
 * sent is dropped. */
void udp_send(struct udp *udp, struct packet_queue *datagrams);

#endif
