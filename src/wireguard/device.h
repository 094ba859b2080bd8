/* A WireGuard device without its sockets: bytes and a moment in, bytes and a deadline out. No
 * function here makes a system call other than getrandom(). Nothing here is safe to call from two
 * threads at once.
 *
 * The I/O around it is a loop:
 *
 *	wait until a socket or the TUN device is readable, or device_deadline() has come
 *	read the clocks once into a struct moment
 *	datagrams read into packets ──▶ device_receive()
 *	packets read from the TUN   ──▶ device_send()
 *	the deadline has come       ──▶ device_run_timers()
 *	send output.datagrams, write output.inner, give both back with packet_put_all()
 */
#ifndef WIREGUARD_DEVICE_H
#define WIREGUARD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/tunnel.h"
#include "wireguard/backend.h"
#include "wireguard/moment.h"
#include "wireguard/packet.h"

#define DEVICE_PEERS_MAX (1U << 20)

struct device;

/* What is to be done after a call. Calls add to it; the caller empties it. It can never hold more
 * than the pool has. The order within each queue is the order to send or write in. */
struct device_output {
	struct packet_queue datagrams; /* to send to each one's address, from its source */
	struct packet_queue inner;     /* IP packets to write to the TUN device */
};

/* A device that is down, without key or peers, with TUNNEL_MTU_DEFAULT. The pool must outlive
 * the device and have room for the MTU. */
struct device *device_create(struct packet_pool *pool);

/* Wipes all keys and gives back all packets. Usable with CLEANUP(). */
void device_free(struct device **device);

/* A device that is down drops all it is given. Up: peers with a persistent keepalive are greeted.
 * Down: sessions, handshakes and waiting packets are forgotten; configuration and statistics stay.
 * Call with the state of the TUN interface, as often as it is told. */
void device_set_up(struct device *device, const struct moment *now, bool up,
		   struct device_output *output);

/* The MTU of the TUN interface: no padding goes past it. */
void device_set_mtu(struct device *device, uint32_t mtu);

/* The I/O sees more handshake messages than it has time for: for the second after now, senders of
 * such messages must prove with a cookie that they own their address, and are limited in rate. */
void device_set_under_load(struct device *device, const struct moment *now);

/* Applies a change, in the order that the cross-platform UAPI gives: the private key,
 * replace_peers, then the peers one after another; a peer that stands several times is changed
 * several times. The listen port and the firewall mark are the I/O's business and are ignored here.
 * -ENOSPC past DEVICE_PEERS_MAX, -ENOMEM; the device is then changed up to that peer. */
int device_configure(struct device *device, const struct moment *now,
		     const struct wg_change *change, struct device_output *output,
		     struct error *error);

/* Keys, peers, allowed IPs and statistics as they are. The listen port and the firewall mark are
 * left 0. The caller clears *ret with wg_device_clear(). */
void device_read(const struct device *device, struct wg_device *ret);

/* Takes all datagrams out of the queue; each has its data, the address it is from and, where
 * known, the source. What is not for us or not right vanishes without a trace. */
void device_receive(struct device *device, const struct moment *now, struct packet_queue *datagrams,
		    struct device_output *output);

/* Takes all IP packets out of the queue: each has PACKET_HEADROOM in front and PACKET_TAILROOM
 * behind. A packet for a peer without a session waits for its handshake; one that no peer's allowed
 * IPs hold, or whose peer has no known address, is dropped. */
void device_send(struct device *device, const struct moment *now, struct packet_queue *packets,
		 struct device_output *output);

/* Does what is due at this moment. */
void device_run_timers(struct device *device, const struct moment *now,
		       struct device_output *output);

/* When device_run_timers() wants to be called next, on the monotonic clock; MOMENT_NEVER when not
 * before another call has been made. Cheap; may be too early, never too late. */
uint64_t device_deadline(const struct device *device);

#endif
