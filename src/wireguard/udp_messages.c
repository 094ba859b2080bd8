/* Datagrams in and out, many a system call.
 *
 * Sticky source: IP_PKTINFO and IPV6_PKTINFO say which of our addresses a datagram came to; the
 * core hands it back with each answer, so that a machine of several addresses answers from the one
 * it was called at. The interface is left open: should the route change, datagrams follow it. An
 * address that has gone makes sendmmsg() fail with EINVAL or the like; that datagram is then sent
 * once more without it.
 *
 * Datagrams of one size to one peer are handed over as one message, which the kernel or the device
 * takes apart (UDP_SEGMENT), and what the kernel has put together comes as one (UDP_GRO): most of the
 * way through the kernel is then gone once for many. Where a message is refused, because the path is
 * narrower than its datagrams (EINVAL, EMSGSIZE) or its device computes no checksums (EIO), they are
 * sent one by one, and from then on all that are as large.
 *
 * Sending never waits for longer than SEND_WAIT: a socket buffer that is still full then belongs to
 * a link that does not move, and the datagrams are dropped as a full queue in the kernel would. */
#include "wireguard/udp_messages.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

#define MESSAGES    16	  /* received by one system call */
#define MESSAGE_MAX 65507 /* bytes of UDP that a message can have in IPv4 */
#define SEND_WAIT   5	  /* milliseconds */

union control {
	struct cmsghdr header;
	uint8_t all[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

struct incoming {
	struct mmsghdr messages[MESSAGES];
	struct iovec pieces[MESSAGES];
	union control controls[MESSAGES];
	union socket_address addresses[MESSAGES];
	uint8_t bytes[MESSAGES][1 << 16]; /* more than any message has */
};

struct outgoing {
	struct mmsghdr messages[UDP_BATCH];
	struct iovec pieces[UDP_BATCH]; /* a packet each; those of a message follow each other */
	union control controls[UDP_BATCH];
	struct packet *packets[UDP_BATCH];
};

struct udp_messages {
	struct packet_pool *pool;
	uint32_t segment_max; /* bytes of datagrams that go together */
	struct incoming in;
	struct outgoing out;
};

struct udp_messages *udp_messages_create(struct packet_pool *pool)
{
	struct udp_messages *messages = memory_zalloc(sizeof(*messages));

	messages->pool = pool;
	messages->segment_max = MESSAGE_MAX;
	return messages;
}

void udp_messages_free(struct udp_messages **messages)
{
	memory_free(messages);
}

static void prepare_receive(struct udp_messages *messages)
{
	struct incoming *in = &messages->in;

	for (unsigned int i = 0; i < MESSAGES; i++) {
		in->pieces[i] = (struct iovec){in->bytes[i], sizeof(in->bytes[i])};
		in->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &in->addresses[i],
			.msg_namelen = sizeof(in->addresses[i]),
			.msg_iov = &in->pieces[i],
			.msg_iovlen = 1,
			.msg_control = &in->controls[i],
			.msg_controllen = sizeof(in->controls[i]),
		};
	}
}

/* The address a message came to, and the size of its datagrams: but for the last one, which may be
 * smaller. */
static union packet_source read_control(struct msghdr *header, uint32_t *segment)
{
	union packet_source source = {};
	int size;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&source.v4, CMSG_DATA(c), sizeof(source.v4));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&source.v6, CMSG_DATA(c), sizeof(source.v6));
		} else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(c), sizeof(size));
			if (size > 0)
				*segment = (uint32_t)size;
		}
	}
	return source;
}

/* Copies the datagrams of a message into packets. */
static void take_message(struct udp_messages *messages, unsigned int i,
			 struct packet_queue *datagrams)
{
	struct mmsghdr *message = &messages->in.messages[i];
	uint32_t segment = message->msg_len, left = message->msg_len;
	union packet_source source = read_control(&message->msg_hdr, &segment);
	const uint8_t *bytes = messages->in.bytes[i];

	do {
		const uint32_t size = left < segment ? left : segment;
		struct packet *packet = packet_get(messages->pool);

		if (!packet)
			return;
		if (size > packet->capacity) {
			packet_put(messages->pool, packet);
			return;
		}
		packet->offset = 0;
		packet->length = size;
		packet->address = messages->in.addresses[i];
		packet->source = source;
		memcpy(packet_data(packet), bytes, size);
		packet_queue_push(datagrams, packet);
		bytes += size;
		left -= size;
	} while (left);
}

void udp_messages_receive(struct udp_messages *messages, int fd, struct packet_queue *datagrams)
{
	int count;

	do {
		prepare_receive(messages);
		count = recvmmsg(fd, messages->in.messages, MESSAGES, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++)
			take_message(messages, (unsigned int)i, datagrams);
	} while (count == MESSAGES && datagrams->count < UDP_BATCH);
}

/* Asks the kernel to send from the source, if there is one. The interface stays open. */
static void write_source(struct msghdr *header, union control *control, const struct packet *packet)
{
	struct in_pktinfo v4 = {.ipi_spec_dst = packet->source.v4.ipi_spec_dst};
	struct in6_pktinfo v6 = {.ipi6_addr = packet->source.v6.ipi6_addr};

	header->msg_control = control;
	header->msg_controllen = sizeof(*control);
	if (packet->address.any.sa_family == AF_INET && v4.ipi_spec_dst.s_addr) {
		control->header.cmsg_level = IPPROTO_IP;
		control->header.cmsg_type = IP_PKTINFO;
		control->header.cmsg_len = CMSG_LEN(sizeof(v4));
		memcpy(CMSG_DATA(&control->header), &v4, sizeof(v4));
		header->msg_controllen = CMSG_SPACE(sizeof(v4));
	} else if (packet->address.any.sa_family == AF_INET6 &&
		   !IN6_IS_ADDR_UNSPECIFIED(&v6.ipi6_addr)) {
		control->header.cmsg_level = IPPROTO_IPV6;
		control->header.cmsg_type = IPV6_PKTINFO;
		control->header.cmsg_len = CMSG_LEN(sizeof(v6));
		memcpy(CMSG_DATA(&control->header), &v6, sizeof(v6));
		header->msg_controllen = CMSG_SPACE(sizeof(v6));
	} else {
		header->msg_control = NULL;
		header->msg_controllen = 0;
	}
}

/* Asks the kernel to make as many datagrams of the message as it has pieces. */
static void write_segment(struct msghdr *header, union control *control)
{
	const uint16_t segment = (uint16_t)header->msg_iov[0].iov_len;
	struct cmsghdr *next;

	if (header->msg_iovlen < 2)
		return;
	next = (struct cmsghdr *)(control->all + header->msg_controllen);
	next->cmsg_level = SOL_UDP;
	next->cmsg_type = UDP_SEGMENT;
	next->cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(next), &segment, sizeof(segment));
	header->msg_control = control;
	header->msg_controllen += CMSG_SPACE(sizeof(segment));
}

/* To the same address, and from the same as far as write_source() says so. */
static bool is_same_way(const struct packet *a, const struct packet *b)
{
	if (!socket_address_equal(&a->address, &b->address))
		return false;
	if (a->address.any.sa_family == AF_INET)
		return a->source.v4.ipi_spec_dst.s_addr == b->source.v4.ipi_spec_dst.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->source.v6.ipi6_addr, &b->source.v6.ipi6_addr);
}

/* May the packet be another datagram of the message that the one before it ends? */
static bool joins(const struct udp_messages *messages, const struct msghdr *header,
		  const struct packet *before, const struct packet *packet)
{
	const size_t segment = header->msg_iov[0].iov_len;

	return segment <= messages->segment_max && before->length == segment && packet->length &&
	       packet->length <= segment && (header->msg_iovlen + 1) * segment <= MESSAGE_MAX &&
	       is_same_way(before, packet);
}

/* Makes messages of the packets from first to end; returns how many. */
static unsigned int prepare_send(struct udp_messages *messages, unsigned int first,
				 unsigned int end)
{
	struct outgoing *out = &messages->out;
	unsigned int count = 0;

	for (unsigned int i = first; i < end; i++) {
		struct packet *packet = out->packets[i];
		struct msghdr *header = &out->messages[count].msg_hdr;

		out->pieces[i] = (struct iovec){packet_data(packet), packet->length};
		if (count && joins(messages, &out->messages[count - 1].msg_hdr, out->packets[i - 1],
				   packet)) {
			out->messages[count - 1].msg_hdr.msg_iovlen++;
			continue;
		}
		*header = (struct msghdr){
			.msg_name = &packet->address,
			.msg_namelen = socket_address_size(&packet->address),
			.msg_iov = &out->pieces[i],
			.msg_iovlen = 1,
		};
		write_source(header, &out->controls[count++], packet);
	}
	for (unsigned int i = 0; i < count; i++)
		write_segment(&out->messages[i].msg_hdr, &out->controls[i]);
	return count;
}

/* Has the message its source? It stands before the size of segments. */
static bool has_source(const struct msghdr *header)
{
	return header->msg_controllen &&
	       ((const struct cmsghdr *)header->msg_control)->cmsg_level != SOL_UDP;
}

/* What to do about a message that was not sent: true when it has been changed and is worth another
 * try. */
static bool change_failed(struct udp_messages *messages, struct msghdr *header,
			  union control *control)
{
	if (has_source(header)) {
		header->msg_control = NULL;
		header->msg_controllen = 0;
		write_segment(header, control);
		return true;
	}
	if (header->msg_iovlen > 1 && (errno == EIO || errno == EINVAL || errno == EMSGSIZE))
		messages->segment_max = errno == EIO ? 0 : (uint32_t)header->msg_iov[0].iov_len - 1;
	return false;
}

/* Sends the packets from first on; returns the number of the first that is left to be sent in other
 * messages, or end. */
static unsigned int send_some(struct udp_messages *messages, int fd, unsigned int first,
			      unsigned int end)
{
	struct outgoing *out = &messages->out;
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	const unsigned int count = prepare_send(messages, first, end);
	bool waited = false;

	for (unsigned int i = 0; i < count;) {
		int sent = sendmmsg(fd, &out->messages[i], count - i, MSG_DONTWAIT);
		struct msghdr *header = &out->messages[i].msg_hdr;

		if (sent > 0) {
			i += (unsigned int)sent;
		} else if (errno == EAGAIN) {
			if (waited || poll(&wait, 1, SEND_WAIT) <= 0)
				return end;
			waited = true;
		} else if (errno != EINTR && !change_failed(messages, header, &out->controls[i])) {
			if (header->msg_iov[0].iov_len > messages->segment_max &&
			    header->msg_iovlen > 1)
				return (unsigned int)(header->msg_iov - out->pieces);
			i++;
		}
	}
	return end;
}

void udp_messages_send(struct udp_messages *messages, const int fds[static UDP_FAMILIES],
		       struct packet_queue *datagrams)
{
	struct outgoing *out = &messages->out;

	while (datagrams->first) {
		sa_family_t family = datagrams->first->address.any.sa_family;
		unsigned int count = 0, i = 0;

		while (count < UDP_BATCH && datagrams->first &&
		       datagrams->first->address.any.sa_family == family)
			out->packets[count++] = packet_queue_pop(datagrams);
		while (i < count)
			i = send_some(messages, fds[family == AF_INET6], i, count);
		for (i = 0; i < count; i++)
			packet_put(messages->pool, out->packets[i]);
	}
}
