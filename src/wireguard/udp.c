/* Sockets are made once with all the rights the process has at its start (buffers beyond
 * net.core.rmem_max, the firewall mark) and bound when the port is known, because by then the
 * process has given its rights away. Only a second change of the port needs new sockets, which get
 * what an unprivileged process can have. */
#include "wireguard/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "wireguard/udp_messages.h"

#define SOCKET_BUFFER (7 << 20) /* bytes; what wireguard-go asks for */
#define PORT_TRIES    100	/* as the kernel's wg_socket_init() */

struct udp {
	struct udp_messages *messages; /* owned */
	int fds[UDP_FAMILIES];	       /* owned */
	uint16_t port;
	bool port_was_asked_for;
	uint32_t fwmark;
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
	if (setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) < 0)
		return -1;
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

	udp->messages = udp_messages_create(pool);
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
	close_all(&(*udp)->fds);
	udp_messages_free(&(*udp)->messages);
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

void udp_receive(struct udp *udp, unsigned int family, struct packet_queue *datagrams)
{
	udp_messages_receive(udp->messages, udp->fds[family], datagrams);
}

void udp_send(struct udp *udp, struct packet_queue *datagrams)
{
	udp_messages_send(udp->messages, udp->fds, datagrams);
}
