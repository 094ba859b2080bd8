/* The kernel's answer to one netlink request, taken datagram by datagram: bytes in, messages to a
 * callback, a verdict at the end. No system call. */
#ifndef KERNEL_NETLINK_ANSWER_H
#define KERNEL_NETLINK_ANSWER_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct netlink_answer {
	uint32_t sequence; /* of the request; what answers another is passed over */
	mnl_cb_t callback; /* gets each message; may be NULL; refuses one by MNL_CB_ERROR and errno
			    */
	void *data;

	bool ended;	   /* nothing follows: netlink_answer_verdict() may be asked */
	bool inconsistent; /* NLM_F_DUMP_INTR was seen */
	int code;	   /* the first failure, a positive errno */
	char message[256]; /* the kernel's words for it, or empty */
};

/* Takes a datagram (aligned as a struct nlmsghdr). One that is not made of whole messages ends the
 * answer with EPROTO. A callback that refuses a message gets no more; the answer goes on to its
 * end, so that nothing of it is left in the socket. */
void netlink_answer_take(struct netlink_answer *answer, const void *datagram, size_t size);

/* 0, or the negative errno with the kernel's message; -EAGAIN for a dump that is inconsistent. */
int netlink_answer_verdict(const struct netlink_answer *answer, struct error *error);

#endif
