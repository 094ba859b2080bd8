/* Datagrams in and out, many a system call.
 *
 * Sockets are made once with all the rights the process has at its start (buffers beyond
 * net.core.rmem_max, the firewall mark) and bound when the port is known, because by then the
 * process has given its rights away. Only a second change of the port needs new sockets, which get
 * what an unprivileged process can have.
 *
 * Sticky source: IP_PKTINFO and IPV6_PKTINFO say which of our addresses a datagram came to; the
 * core hands it back with each answer, so that a machine of several addresses answers from the one
 * it was called at. The interface is left open: should the route change, datagrams follow it. An
 * address that has gone makes sendmmsg() fail with EINVAL or the like; that datagram is then sent
 * once more without it.
 *
 * Sending never waits for longer than SEND_WAIT: a socket buffer that is still full then belongs to
 * a link that does not move, and the datagrams are dropped as a full queue in the kernel would. */
#include "wireguard/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

#define SOCKET_BUFFER (7 << 20) /* bytes; what wireguard-go asks for */
#define PORT_TRIES    100	/* as the kernel's wg_socket_init() */
#define SEND_WAIT     5		/* milliseconds */

union control {
	struct cmsghdr header;
	uint8_t v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	uint8_t v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* What one system call moves. */
struct batch {
	struct mmsghdr messages[UDP_BATCH];
	struct iovec pieces[UDP_BATCH];
	union control controls[UDP_BATCH];
	struct packet *packets[UDP_BATCH];
};

struct udp {
	struct packet_pool *pool;
	int fds[UDP_FAMILIES]; /* owned */
	uint16_t port;
	bool port_was_asked_for;
	uint32_t fwmark;
	struct batch in; /* its packets wait here for the next datagrams */
	struct batch out;
};

static const sa_family_t families[UDP_FAMILIES] = {AF_INET, AF_INET6};

/* The larger of what a privileged process and any process may have. */
static void set_buffer(int fd, int privileged, int plain)
{
	const int size = SOCKET_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, privileged, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, plain, &size, sizeof(size));
}

static int set_options(int fd, sa_family_t family)
{
	const int on = 1, fragment = IP_PMTUDISC_DONT;

	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (family == AF_INET6) {
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
			return -1;
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	/* A path narrower than the tunnel's MTU fragments rather than loses, as with the kernel's.
	 */
	if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &fragment, sizeof(fragment)) < 0)
		return -1;
	return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
}

static int set_mark(int fd, uint32_t fwmark, struct error *error)
{
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof(fwmark)) < 0)
		return error_errno(error, "cannot set the firewall mark 0x%x", fwmark);
	return 0;
}

static void close_all(int (*fds)[UDP_FAMILIES])
{
	for (unsigned int i = 0; i < UDP_FAMILIES; i++)
		fd_close(&(*fds)[i]);
}

static int make_socket(sa_family_t family, uint32_t fwmark, int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 && family == AF_INET6 && errno == EAFNOSUPPORT) {
		*ret_fd = -1;
		return 0;
	}
	if (fd < 0 || set_options(fd, family) < 0)
		return error_errno(error, "cannot make a UDP socket");
	if (fwmark && set_mark(fd, fwmark, error) < 0)
		return -error->code;
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Exchanges the contents: the sockets in use for those in hand. */
static void swap_sockets(int a[static UDP_FAMILIES], int b[static UDP_FAMILIES])
{
	for (unsigned int i = 0; i < UDP_FAMILIES; i++) {
		int kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

/* New sockets in the place of those in fds[], which are closed. */
static int make_sockets(uint32_t fwmark, int fds[static UDP_FAMILIES], struct error *error)
{
	CLEANUP(close_all) int made[UDP_FAMILIES] = {-1, -1};

	for (unsigned int i = 0; i < UDP_FAMILIES; i++)
		if (make_socket(families[i], fwmark, &made[i], error) < 0)
			return -error->code;
	swap_sockets(fds, made);
	return 0;
}

struct udp *udp_create(struct packet_pool *pool, uint32_t fwmark, struct error *error)
{
	CLEANUP(udp_free) struct udp *udp = memory_zalloc(sizeof(*udp));

	udp->pool = pool;
	udp->fds[0] = udp->fds[1] = -1;
	udp->fwmark = fwmark;
	if (make_sockets(fwmark, udp->fds, error) < 0)
		return NULL;
	return MEMORY_TAKE(udp);
}

void udp_free(struct udp **udp)
{
	if (!*udp)
		return;
	for (unsigned int i = 0; i < UDP_BATCH; i++)
		if ((*udp)->in.packets[i])
			packet_put((*udp)->pool, (*udp)->in.packets[i]);
	close_all(&(*udp)->fds);
	memory_free(udp);
}

/* Binds to the port, or for 0 to one the kernel chooses, and says which it is. */
static int bind_one(int fd, sa_family_t family, uint16_t port, uint16_t *ret_port)
{
	union socket_address address = {.any.sa_family = family};
	socklen_t size = socket_address_size(&address);

	/* The port is at the same place in both families' addresses. */
	address.v4.sin_port = htons(port);
	if (bind(fd, &address.any, size) < 0 || getsockname(fd, &address.any, &size) < 0)
		return -errno;
	*ret_port = ntohs(address.v4.sin_port);
	return 0;
}

static int bind_all(const int fds[static UDP_FAMILIES], uint16_t port, uint16_t *ret_port)
{
	for (unsigned int i = 0; i < UDP_FAMILIES; i++) {
		int code = fds[i] < 0 ? 0 : bind_one(fds[i], families[i], port, &port);

		if (code < 0)
			return code;
	}
	*ret_port = port;
	return 0;
}

/* A port that IPv4 was given at random may be taken in IPv6. A bound socket cannot be bound again,
 * so that each further try takes new ones. */
static int bind_with_tries(uint32_t fwmark, int fds[static UDP_FAMILIES], uint16_t port,
			   uint16_t *ret_port, struct error *error)
{
	int code = bind_all(fds, port, ret_port);

	for (unsigned int i = 1; code == -EADDRINUSE && port == 0 && i < PORT_TRIES; i++) {
		if (make_sockets(fwmark, fds, error) < 0)
			return -error->code;
		code = bind_all(fds, port, ret_port);
	}
	if (code < 0)
		return error_code(error, code, "cannot listen at UDP port %u", port);
	return 0;
}

int udp_bind(struct udp *udp, uint16_t port, struct error *error)
{
	CLEANUP(close_all) int fds[UDP_FAMILIES] = {-1, -1};
	bool unused = udp->port == 0 && udp->fds[0] >= 0;
	uint16_t bound;
	int code;

	if (udp->port && (port ? port == udp->port : !udp->port_was_asked_for)) {
		udp->port_was_asked_for = port != 0;
		return 0;
	}
	if (unused)
		swap_sockets(udp->fds, fds);
	else if (make_sockets(udp->fwmark, fds, error) < 0)
		return -error->code;
	code = bind_with_tries(udp->fwmark, fds, port, &bound, error);
	if (code < 0) {
		struct error ignored;

		/* One of them may be bound already. Without a spare, the next bind makes some. */
		if (unused)
			make_sockets(udp->fwmark, udp->fds, &ignored);
		return code;
	}
	swap_sockets(udp->fds, fds);
	udp->port = bound;
	udp->port_was_asked_for = port != 0;
	return 0;
}

int udp_set_fwmark(struct udp *udp, uint32_t fwmark, struct error *error)
{
	if (fwmark == udp->fwmark)
		return 0;
	for (unsigned int i = 0; i < UDP_FAMILIES; i++) {
		struct error ignored;

		if (set_mark(udp->fds[i], fwmark, error) == 0)
			continue;
		while (i-- > 0)
			set_mark(udp->fds[i], udp->fwmark, &ignored);
		return -error->code;
	}
	udp->fwmark = fwmark;
	return 0;
}

uint16_t udp_port(const struct udp *udp)
{
	return udp->port;
}

uint32_t udp_fwmark(const struct udp *udp)
{
	return udp->fwmark;
}

int udp_fd(const struct udp *udp, unsigned int family)
{
	return udp->fds[family];
}

/* Sees to it that the batch has packets to read into; fewer when the pool has no more. */
static unsigned int prepare_receive(struct udp *udp)
{
	struct batch *in = &udp->in;
	unsigned int i;

	for (i = 0; i < UDP_BATCH; i++) {
		struct packet *packet = in->packets[i];

		if (!packet)
			packet = in->packets[i] = packet_get(udp->pool);
		if (!packet)
			break;
		in->pieces[i] = (struct iovec){packet->buffer, packet->capacity};
		in->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &packet->address,
			.msg_namelen = sizeof(packet->address),
			.msg_iov = &in->pieces[i],
			.msg_iovlen = 1,
			.msg_control = &in->controls[i],
			.msg_controllen = sizeof(in->controls[i]),
		};
	}
	return i;
}

static union packet_source read_source(struct msghdr *header)
{
	union packet_source source = {};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			memcpy(&source.v4, CMSG_DATA(c), sizeof(source.v4));
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			memcpy(&source.v6, CMSG_DATA(c), sizeof(source.v6));
	}
	return source;
}

void udp_receive(struct udp *udp, unsigned int family, struct packet_queue *datagrams)
{
	struct batch *in = &udp->in;
	unsigned int room = prepare_receive(udp);
	int count = recvmmsg(udp->fds[family], in->messages, room, MSG_DONTWAIT, NULL);

	for (int i = 0; i < count; i++) {
		struct msghdr *header = &in->messages[i].msg_hdr;
		struct packet *packet = in->packets[i];

		if (header->msg_flags & MSG_TRUNC)
			continue;
		packet->offset = 0;
		packet->length = in->messages[i].msg_len;
		packet->source = read_source(header);
		packet_queue_push(datagrams, packet);
		in->packets[i] = NULL;
	}
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

/* Takes the datagrams at the head of the queue that go out of one socket, at most a batch. */
static unsigned int prepare_send(struct udp *udp, struct packet_queue *datagrams)
{
	struct batch *out = &udp->out;
	sa_family_t family = datagrams->first->address.any.sa_family;
	unsigned int i;

	for (i = 0; i < UDP_BATCH && datagrams->first; i++) {
		struct packet *packet = datagrams->first;

		if (packet->address.any.sa_family != family)
			break;
		out->packets[i] = packet_queue_pop(datagrams);
		out->pieces[i] = (struct iovec){packet_data(packet), packet->length};
		out->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &packet->address,
			.msg_namelen = socket_address_size(&packet->address),
			.msg_iov = &out->pieces[i],
			.msg_iovlen = 1,
		};
		write_source(&out->messages[i].msg_hdr, &out->controls[i], packet);
	}
	return i;
}

static void send_batch(int fd, struct batch *out, unsigned int count)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	bool waited = false;

	for (unsigned int i = 0; i < count;) {
		int sent = sendmmsg(fd, &out->messages[i], count - i, MSG_DONTWAIT);
		struct msghdr *failed = &out->messages[i].msg_hdr;

		if (sent > 0) {
			i += (unsigned int)sent;
		} else if (errno == EAGAIN) {
			if (waited || poll(&wait, 1, SEND_WAIT) <= 0)
				return;
			waited = true;
		} else if (errno != EINTR && failed->msg_controllen) {
			failed->msg_control = NULL;
			failed->msg_controllen = 0;
		} else if (errno != EINTR) {
			i++;
		}
	}
}

void udp_send(struct udp *udp, struct packet_queue *datagrams)
{
	while (datagrams->first) {
		bool six = datagrams->first->address.any.sa_family == AF_INET6;
		unsigned int count = prepare_send(udp, datagrams);

		send_batch(udp->fds[six], &udp->out, count);
		for (unsigned int i = 0; i < count; i++)
			packet_put(udp->pool, udp->out.packets[i]);
	}
}
