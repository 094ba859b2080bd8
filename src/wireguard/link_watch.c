#include "wireguard/link_watch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "base/memory.h"

#define MESSAGES_SIZE (64 << 10) /* bytes; one message about one interface is below 16 KiB */

int link_watch_open(int *ret_fd, struct error *error)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	CLEANUP(fd_close)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(error, "cannot watch the network interfaces");
	*ret_fd = fd_take(&fd);
	return 0;
}

int link_watch_ask(int fd, unsigned int index, struct error *error)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = RTM_GETLINK,
			   .nlmsg_flags = NLM_F_REQUEST},
		.link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index},
	};

	if (send(fd, &request, sizeof(request), 0) < 0)
		return error_errno(error, "cannot ask for the state of interface %u", index);
	return 0;
}

static void take_in(const struct nlmsghdr *message, unsigned int index, struct link_news *news)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute;

	if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK)
		return;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*link) || link->ifi_family != AF_UNSPEC ||
	    link->ifi_index != (int)index)
		return;
	news->here = message->nlmsg_type == RTM_NEWLINK;
	if (!news->here)
		return;
	news->up = link->ifi_flags & IFF_UP;
	mnl_attr_for_each(attribute, message, sizeof(*link))
	{
		if (mnl_attr_get_type(attribute) == IFLA_MTU &&
		    mnl_attr_get_payload_len(attribute) == sizeof(uint32_t))
			news->mtu = mnl_attr_get_u32(attribute);
	}
}

void link_watch_read(int fd, unsigned int index, struct link_news *news)
{
	_Alignas(struct nlmsghdr) char messages[MESSAGES_SIZE];
	struct error ignored;
	ssize_t size;

	while ((size = recv(fd, messages, sizeof(messages), MSG_DONTWAIT)) > 0 ||
	       (size < 0 && errno == ENOBUFS)) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)messages;
		int rest = (int)size;

		/* More news than the socket could hold: some of it may have been ours. */
		if (size < 0)
			link_watch_ask(fd, index, &ignored);
		for (; mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest))
			take_in(message, index, news);
	}
}
