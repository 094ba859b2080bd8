/* One netlink socket and the conversation over it (libmnl). The socket belongs to the network
 * namespace it was opened in, wherever its process goes afterwards. */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdint.h>

#include "base/error.h"

/* Room for a request of some attributes: mnl_nlmsg_put_header(&buffer). */
union netlink_buffer {
	struct nlmsghdr header;
	char bytes[512];
};

struct netlink {
	struct mnl_socket *socket; /* owned */
	unsigned int port;
	uint32_t sequence;
};

/* Opens a socket of the protocol (NETLINK_ROUTE, NETLINK_GENERIC) in the namespace of netns_fd, or
 * in the caller's for -1, with strict checking and extended acknowledgements. */
int netlink_open(int protocol, int netns_fd, struct netlink *ret, struct error *error);
void netlink_close(struct netlink *netlink);

/* Sends the request and waits for its acknowledgement or, for a dump, its end; each message of the
 * answer goes to the callback (which may be NULL). Returns the kernel's negative errno, with its
 * extended message where it gives one; the caller adds the object with error_wrap(). A dump that
 * the kernel calls inconsistent (NLM_F_DUMP_INTR) is -EAGAIN: the whole function that asked is to
 * be tried again. */
int netlink_request(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t callback,
		    void *data, struct error *error);

/* As netlink_request() for a dump, asked again while it is inconsistent, some times at the most;
 * restart(data) comes before each try and forgets what the last one gathered. */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t callback,
		 void (*restart)(void *data), void *data, struct error *error);

/* The number of a generic netlink family; -ENOENT when the kernel has none of that name (it tries
 * to load the module itself). */
int netlink_family(struct netlink *netlink, const char *name, uint16_t *ret, struct error *error);

#endif
