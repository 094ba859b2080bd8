#include "kernel/netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/netlink_answer.h"
#include "kernel/netns.h"

#define DATAGRAM_MAX 32768 /* the largest the kernel makes for a dump (netlink_recvmsg()) */
#define DUMP_TRIES   16

/* Options that older kernels lack and can be done without: strict checking is of 4.20, extended
 * acknowledgements of 4.12, answers without the request in them of 4.3. */
static void set_options(const struct netlink *netlink)
{
	static const int options[] = {NETLINK_GET_STRICT_CHK, NETLINK_EXT_ACK, NETLINK_CAP_ACK};
	int on = 1;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		mnl_socket_setsockopt(netlink->socket, options[i], &on, sizeof(on));
}

int netlink_open(int protocol, int netns_fd, struct netlink *ret, struct error *error)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	CLEANUP(netlink_close) struct netlink netlink = {};
	int code;

	if (netns_fd >= 0) {
		code = netns_visit_begin(&visit, netns_fd, error);
		if (code < 0)
			return code;
	}
	netlink.socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	if (!netlink.socket || mnl_socket_bind(netlink.socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return error_errno(error, "cannot open a netlink socket");
	netlink.port = mnl_socket_get_portid(netlink.socket);
	set_options(&netlink);
	*ret = netlink;
	netlink.socket = NULL;
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	netlink->socket = NULL;
}

static int send_request(const struct netlink *netlink, const struct nlmsghdr *request,
			struct error *error)
{
	while (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0)
		if (errno != EINTR)
			return error_errno(error, "cannot send to the kernel");
	return 0;
}

/* Receives one datagram of the kernel's; what another process sent counts as nothing. */
static int receive(const struct netlink *netlink, void *buffer, size_t size, size_t *ret,
		   struct error *error)
{
	struct sockaddr_nl sender = {};
	socklen_t sender_size = sizeof(sender);
	ssize_t length;

	do
		length = recvfrom(mnl_socket_get_fd(netlink->socket), buffer, size, MSG_TRUNC,
				  (struct sockaddr *)&sender, &sender_size);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return error_errno(error, "cannot receive from the kernel");
	if ((size_t)length > size)
		return error_set(error, EMSGSIZE, "the kernel's answer is too long");
	*ret = sender.nl_pid == 0 ? (size_t)length : 0;
	return 0;
}

int netlink_request(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t callback,
		    void *data, struct error *error)
{
	struct netlink_answer answer = {
		.sequence = ++netlink->sequence, .callback = callback, .data = data};
	_Alignas(struct nlmsghdr) char datagram[DATAGRAM_MAX];
	size_t size = 0;
	int code;

	request->nlmsg_flags |= NLM_F_REQUEST;
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	request->nlmsg_seq = answer.sequence;
	request->nlmsg_pid = netlink->port;
	code = send_request(netlink, request, error);
	while (code == 0 && !answer.ended) {
		code = receive(netlink, datagram, sizeof(datagram), &size, error);
		if (code == 0)
			netlink_answer_take(&answer, datagram, size);
	}
	explicit_bzero(datagram, sizeof(datagram)); /* a WireGuard device's answer has its keys */
	return code < 0 ? code : netlink_answer_verdict(&answer, error);
}

int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t callback,
		 void (*restart)(void *data), void *data, struct error *error)
{
	int code = -EAGAIN;

	request->nlmsg_flags |= NLM_F_DUMP;
	for (int i = 0; i < DUMP_TRIES && code == -EAGAIN; i++) {
		restart(data);
		code = netlink_request(netlink, request, callback, data, error);
	}
	return code;
}

static int family_attribute(const struct nlattr *attribute, void *data)
{
	uint16_t *family = data;

	if (mnl_attr_get_type(attribute) != CTRL_ATTR_FAMILY_ID)
		return MNL_CB_OK;
	if (mnl_attr_validate(attribute, MNL_TYPE_U16) < 0)
		return MNL_CB_ERROR;
	*family = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int family_message(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, GENL_HDRLEN, family_attribute, data);
}

int netlink_family(struct netlink *netlink, const char *name, uint16_t *ret, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = mnl_nlmsg_put_header(&buffer);
	struct genlmsghdr *generic = mnl_nlmsg_put_extra_header(request, sizeof(*generic));
	uint16_t family = 0;
	int code;

	request->nlmsg_type = GENL_ID_CTRL;
	generic->cmd = CTRL_CMD_GETFAMILY;
	generic->version = 1;
	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, name);
	code = netlink_request(netlink, request, family_message, &family, error);
	if (code == -ENOENT || (code == 0 && family == 0))
		return error_set(error, ENOENT, "the kernel has no netlink family '%s'", name);
	if (code < 0)
		return error_wrap(error, "cannot find the netlink family '%s'", name);
	*ret = family;
	return 0;
}
