/* Datagrams through UDP sockets, many a system call and a message. For udp.c alone, which makes the
 * sockets. */
#ifndef WIREGUARD_UDP_MESSAGES_H
#define WIREGUARD_UDP_MESSAGES_H

#include "wireguard/packet.h"
#include "wireguard/udp.h"

struct udp_messages;

/* The pool must outlive it. Ends the program when there is no memory. */
struct udp_messages *udp_messages_create(struct packet_pool *pool);

/* Usable with CLEANUP(). */
void udp_messages_free(struct udp_messages **messages);

/* As udp_receive() and udp_send(), with the sockets of the families. */
void udp_messages_receive(struct udp_messages *messages, int fd, struct packet_queue *datagrams);
void udp_messages_send(struct udp_messages *messages, const int fds[static UDP_FAMILIES],
		       struct packet_queue *datagrams);

#endif
