/* WireGuard's generic netlink messages (<linux/wireguard.h>): a change made into messages, messages
 * made into a device. No system call. */
#ifndef WIREGUARD_WGNETLINK_H
#define WIREGUARD_WGNETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wireguard/backend.h"

#define WGNETLINK_MESSAGE_LEAST 512
#define WGNETLINK_MESSAGE_MOST	32768 /* a nested attribute ends at 65535 */

/* How much of a change has been put into messages. Zeroed: nothing. */
struct wgnetlink_cursor {
	bool started;
	size_t peer;	   /* the next one */
	size_t allowed_ip; /* and the next of its allowed IPs; not 0: the peer is begun */
};

/* Makes the next WG_CMD_SET_DEVICE message into the buffer, which is aligned as a struct nlmsghdr
 * and has size bytes, from LEAST to MOST. False when the change has been put whole; even one that
 * changes nothing makes a message. The name is shorter than IFNAMSIZ. The caller wipes the buffer.
 */
bool wgnetlink_set(struct wgnetlink_cursor *cursor, const struct wg_change *change, uint16_t family,
		   const char *name, void *buffer, size_t size);

/* Makes the request to dump a device, of less than WGNETLINK_MESSAGE_LEAST bytes. */
void wgnetlink_get(uint16_t family, const char *name, void *buffer);

/* Adds what a message of the dump tells to the struct wg_device that data points to, zeroed before
 * the first: a callback for netlink_dump(). MNL_CB_ERROR and errno for a message that is not right;
 * the device is still to be cleared then. */
int wgnetlink_take(const struct nlmsghdr *message, void *data);

#endif
