#include "kernel/netlink_answer.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#define ERRNO_MAX 4095 /* include/linux/err.h of the kernel */

static void fail(struct netlink_answer *answer, int code)
{
	if (answer->code == 0)
		answer->code = code;
}

/* Not made of what netlink is made of: nothing behind it can be understood either. */
static void give_up(struct netlink_answer *answer)
{
	fail(answer, EPROTO);
	answer->ended = true;
}

static int message_attribute(const struct nlattr *attribute, void *data)
{
	struct netlink_answer *answer = data;

	if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
		snprintf(answer->message, sizeof(answer->message), "%s",
			 mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

/* The end: a code of 0 or a negative errno, and attributes from the offset on. */
static void end(struct netlink_answer *answer, const struct nlmsghdr *message, int code,
		size_t offset)
{
	if (code > 0 || code < -ERRNO_MAX) {
		give_up(answer);
		return;
	}
	answer->ended = true;
	if (code == 0 || answer->code != 0)
		return;
	answer->code = -code;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS && message->nlmsg_len % NLMSG_ALIGNTO == 0 &&
	    offset <= mnl_nlmsg_get_payload_len(message))
		mnl_attr_parse(message, (unsigned int)offset, message_attribute, answer);
}

/* NLMSG_ERROR: the code, then the request's header, followed by the rest of the request unless the
 * kernel cut it off (NLM_F_CAPPED), then attributes. */
static void end_by_error(struct netlink_answer *answer, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	size_t offset = sizeof(*error);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*error)) {
		give_up(answer);
		return;
	}
	if (!(message->nlmsg_flags & NLM_F_CAPPED) && error->msg.nlmsg_len > NLMSG_HDRLEN)
		offset += MNL_ALIGN((size_t)error->msg.nlmsg_len) - NLMSG_HDRLEN;
	end(answer, message, error->error, offset);
}

/* NLMSG_DONE: the code, then attributes. */
static void end_by_done(struct netlink_answer *answer, const struct nlmsghdr *message)
{
	int code;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(code)) {
		give_up(answer);
		return;
	}
	memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	end(answer, message, code, sizeof(code));
}

static void take_message(struct netlink_answer *answer, const struct nlmsghdr *message)
{
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->inconsistent = true;
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return;
	case NLMSG_ERROR:
		end_by_error(answer, message);
		return;
	case NLMSG_DONE:
		end_by_done(answer, message);
		return;
	case NLMSG_OVERRUN:
		fail(answer, ENOBUFS);
		return;
	}
	if (message->nlmsg_type < NLMSG_MIN_TYPE)
		return;
	if (answer->callback && answer->code == 0 &&
	    answer->callback(message, answer->data) <= MNL_CB_ERROR)
		fail(answer, errno ? errno : EPROTO);
}

/* Is there a whole message? mnl_nlmsg_ok() takes the length for signed, and libmnl reads attributes
 * up to the length rounded up: the kernel's messages with attributes have a round one. */
static bool is_whole(const struct nlmsghdr *message, size_t left)
{
	return left >= NLMSG_HDRLEN && message->nlmsg_len >= NLMSG_HDRLEN &&
	       message->nlmsg_len <= left &&
	       (message->nlmsg_len % NLMSG_ALIGNTO == 0 || message->nlmsg_type < NLMSG_MIN_TYPE);
}

void netlink_answer_take(struct netlink_answer *answer, const void *datagram, size_t size)
{
	const struct nlmsghdr *message;
	size_t at = 0;

	while (at < size && !answer->ended) {
		message = (const struct nlmsghdr *)((const char *)datagram + at);
		if (!is_whole(message, size - at)) {
			give_up(answer);
			return;
		}
		if (message->nlmsg_seq == answer->sequence)
			take_message(answer, message);
		at += MNL_ALIGN((size_t)message->nlmsg_len);
	}
}

int netlink_answer_verdict(const struct netlink_answer *answer, struct error *error)
{
	if (answer->code == EPROTO && !*answer->message)
		return error_set(error, EPROTO, "the kernel's answer cannot be understood");
	if (answer->code && *answer->message)
		return error_set(error, answer->code, "%s (%s)", answer->message,
				 strerror(answer->code));
	if (answer->code)
		return error_set(error, answer->code, "%s", strerror(answer->code));
	if (answer->inconsistent)
		return error_set(error, EAGAIN, "it changed while it was being read");
	return 0;
}
