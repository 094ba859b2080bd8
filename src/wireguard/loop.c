/* One thread, one epoll set, one round after another:
 *
 *	wait ──▶ each descriptor that is ready: a batch ──▶ core ──▶ output sent and written
 *	     ──▶ some of the handshake messages that wait ──▶ core ──▶ output
 *	     ──▶ timers that are due ──▶ core ──▶ output
 *
 * No descriptor is served more than a batch a round, so none starves another. A batch carries its
 * output with it: the queues of struct device_output are empty at the end of each step, and a
 * thread for a direction or a queue later needs no other shape. The clocks are read once a round;
 * a timer may be late by as long as one takes.
 *
 * Handshake messages cost a hundred times what data does and may come from anybody. They wait in a
 * queue of their own and data goes first. When the queue fills to an eighth, as in the kernel's
 * receive.c, the device is under load and demands cookies; when it is full they are dropped.
 *
 * The state of the link comes from rtnetlink, in the namespace where the device was made. A device
 * that was moved to another is beyond that: its descriptor is then asked once a POLL_INTERVAL, and
 * its MTU stays as last told. */
#include "wireguard/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "base/memory.h"
#include "wireguard/device.h"
#include "wireguard/link_watch.h"
#include "wireguard/log.h"
#include "wireguard/messages.h"
#include "wireguard/tun_queue.h"
#include "wireguard/uapi_server.h"
#include "wireguard/udp.h"

#define PACKETS		4096  /* in the pool; what waits for handshakes included */
#define PACKET_ROOM	65535 /* bytes: any MTU; only pages that are used take memory */
#define HANDSHAKES_MAX	1024  /* messages that wait */
#define HANDSHAKE_LOAD	(HANDSHAKES_MAX / 8)
#define HANDSHAKE_BATCH 16 /* messages a round: a few milliseconds */
#define POLL_INTERVAL	MOMENT_SECOND

enum source {
	SOURCE_TUN,
	SOURCE_UDP, /* and SOURCE_UDP + 1: a socket of each family */
	SOURCE_UAPI = SOURCE_UDP + UDP_FAMILIES,
	SOURCE_REMOVAL,
	SOURCE_LINK,
	SOURCE_SIGNAL,
	SOURCE_COUNT,
};

struct loop {
	struct log log; /* its name is the device's */
	const char *socket;
	unsigned int index;
	int epoll, tun, link, removal, signals; /* owned */
	struct packet_pool *pool;
	struct tun_queue *queue; /* of the device behind tun */
	struct device *device;
	struct udp *udp;
	struct uapi_server *uapi;
	struct uapi_handler handler;
	struct packet_queue handshakes; /* messages that wait for their turn */
	struct device_output output;	/* empty between steps */
	struct moment now;		/* when this round began */
	struct link_news news;
	bool up; /* as the device was told */
	bool ended;
};

static struct moment read_clocks(void)
{
	struct moment now;
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &now.real);
	now.monotonic = (uint64_t)boot.tv_sec * MOMENT_SECOND + (uint64_t)boot.tv_nsec;
	return now;
}

static int watch(struct loop *loop, int fd, unsigned int source, struct error *error)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = source};

	if (fd >= 0 && epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0 && errno != EEXIST)
		return error_errno(error, "cannot wait for packets");
	return 0;
}

/* Binding may have brought new sockets; those of before have left the set when they were closed. */
static int bind_port(struct loop *loop, uint16_t port, struct error *error)
{
	int code = udp_bind(loop->udp, port, error);

	for (unsigned int i = 0; i < UDP_FAMILIES && code == 0; i++)
		code = watch(loop, udp_fd(loop->udp, i), SOURCE_UDP + i, error);
	return code;
}

static void flush(struct loop *loop)
{
	udp_send(loop->udp, &loop->output.datagrams);
	tun_queue_write(loop->queue, &loop->output.inner);
}

static void end(struct loop *loop, const char *reason)
{
	if (!loop->ended)
		log_line(&loop->log, "ends: %s", reason);
	loop->ended = true;
}

static void handle_get(void *context, struct wg_device *ret)
{
	struct loop *loop = context;

	device_read(loop->device, ret);
	ret->listen_port = udp_port(loop->udp);
	ret->fwmark = udp_fwmark(loop->udp);
}

/* What may fail comes first, and is taken back if the next step fails. A device that is down and
 * has no port yet gets one when it goes up. */
static int handle_set(void *context, const struct wg_change *change, struct error *error)
{
	struct loop *loop = context;
	uint32_t fwmark = udp_fwmark(loop->udp);
	struct error ignored;
	int code = 0;

	if (change->set_fwmark)
		code = udp_set_fwmark(loop->udp, change->fwmark, error);
	if (code == 0 && change->set_listen_port && (change->listen_port || udp_port(loop->udp)))
		code = bind_port(loop, change->listen_port, error);
	if (code < 0) {
		udp_set_fwmark(loop->udp, fwmark, &ignored);
		return code;
	}
	code = device_configure(loop->device, &loop->now, change, &loop->output, error);
	flush(loop);
	return code;
}

static void handle_refused(void *context, const struct error *error)
{
	struct loop *loop = context;

	log_line(&loop->log, "refused a request: %s", error->text);
}

/* Tells the core what the link has become. */
static void follow_link(struct loop *loop)
{
	int state = loop->news.here ? loop->news.up : tun_queue_state(loop->queue);
	struct error error;

	if (state < 0) {
		end(loop, "the device has been deleted");
		return;
	}
	if (loop->news.mtu)
		device_set_mtu(loop->device, loop->news.mtu);
	if (state > 0 && udp_port(loop->udp) == 0 && bind_port(loop, 0, &error) < 0)
		log_line(&loop->log, "%s", error.text);
	if (loop->up != (state > 0))
		log_line(&loop->log, "the link is %s", state ? "up" : "down");
	loop->up = state > 0;
	device_set_up(loop->device, &loop->now, loop->up, &loop->output);
	flush(loop);
}

static void receive_link(struct loop *loop)
{
	bool was_here = loop->news.here;

	link_watch_read(loop->link, loop->index, &loop->news);
	if (was_here && !loop->news.here && tun_queue_state(loop->queue) >= 0)
		log_line(&loop->log, "the device is in another network namespace now");
	follow_link(loop);
}

static void receive_packets(struct loop *loop)
{
	struct packet_queue packets = {};

	if (tun_queue_read(loop->queue, &packets) < 0) {
		end(loop, "the device has been deleted");
		packet_put_all(loop->pool, &packets);
		return;
	}
	device_send(loop->device, &loop->now, &packets, &loop->output);
	flush(loop);
}

static bool is_handshake(const struct packet *packet)
{
	uint8_t type = packet->length ? packet_data(packet)[0] : 0;

	return type == MESSAGE_INITIATION || type == MESSAGE_RESPONSE ||
	       type == MESSAGE_COOKIE_REPLY;
}

static void receive_datagrams(struct loop *loop, unsigned int family)
{
	struct packet_queue datagrams = {}, data = {};
	struct packet *packet;

	udp_receive(loop->udp, family, &datagrams);
	while ((packet = packet_queue_pop(&datagrams))) {
		if (!is_handshake(packet))
			packet_queue_push(&data, packet);
		else if (loop->handshakes.count < HANDSHAKES_MAX)
			packet_queue_push(&loop->handshakes, packet);
		else
			packet_put(loop->pool, packet);
	}
	if (!data.count)
		return;
	device_receive(loop->device, &loop->now, &data, &loop->output);
	flush(loop);
}

static void receive_handshakes(struct loop *loop)
{
	struct packet_queue some = {};

	if (!loop->handshakes.count)
		return;
	if (loop->handshakes.count >= HANDSHAKE_LOAD)
		device_set_under_load(loop->device, &loop->now);
	while (loop->handshakes.count && some.count < HANDSHAKE_BATCH)
		packet_queue_push(&some, packet_queue_pop(&loop->handshakes));
	device_receive(loop->device, &loop->now, &some, &loop->output);
	flush(loop);
}

static void run_timers(struct loop *loop)
{
	if (loop->now.monotonic < device_deadline(loop->device))
		return;
	device_run_timers(loop->device, &loop->now, &loop->output);
	flush(loop);
}

static void serve(struct loop *loop, unsigned int source)
{
	switch (source) {
	case SOURCE_TUN:
		receive_packets(loop);
		break;
	case SOURCE_UAPI:
		uapi_server_run(loop->uapi);
		break;
	case SOURCE_REMOVAL:
		if (uapi_removed(loop->removal, loop->socket))
			end(loop, "its UAPI socket has been removed");
		break;
	case SOURCE_LINK:
		receive_link(loop);
		break;
	case SOURCE_SIGNAL:
		end(loop, "it was told to");
		break;
	default:
		receive_datagrams(loop, source - SOURCE_UDP);
	}
}

/* Milliseconds to wait, rounded up; -1: for an event only. */
static int wait_time(const struct loop *loop)
{
	uint64_t now = loop->now.monotonic, until = device_deadline(loop->device), wait;

	if (loop->handshakes.count || until <= now)
		return 0;
	if (!loop->news.here && until > now + POLL_INTERVAL)
		until = now + POLL_INTERVAL;
	if (until == MOMENT_NEVER)
		return -1;
	wait = (until - now + 999999) / 1000000;
	return wait < INT_MAX ? (int)wait : INT_MAX;
}

void loop_run(struct loop *loop)
{
	struct epoll_event events[SOURCE_COUNT];

	loop->now = read_clocks();
	while (!loop->ended) {
		int count = epoll_wait(loop->epoll, events, SOURCE_COUNT, wait_time(loop));

		loop->now = read_clocks();
		for (int i = 0; i < count && !loop->ended; i++)
			serve(loop, events[i].data.u32);
		if (!loop->news.here && !loop->ended)
			follow_link(loop);
		receive_handshakes(loop);
		run_timers(loop);
	}
}

/* SIGINT is not asked about: a shell has its background jobs ignore it, but a signal that is blocked
 * is taken all the same. */
void loop_signals(sigset_t *ret)
{
	struct sigaction hangup;

	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		sigaddset(ret, SIGHUP);
}

static int take_signals(struct loop *loop, struct error *error)
{
	sigset_t signals;

	loop_signals(&signals);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return error_errno(error, "cannot take signals");
	loop->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signals < 0)
		return error_errno(error, "cannot take signals");
	return 0;
}

static int watch_all(struct loop *loop, struct error *error)
{
	int code = watch(loop, loop->removal, SOURCE_REMOVAL, error);

	if (code == 0)
		code = watch(loop, loop->signals, SOURCE_SIGNAL, error);
	if (code == 0)
		code = watch(loop, uapi_server_fd(loop->uapi), SOURCE_UAPI, error);
	return code;
}

void loop_device_close(struct loop_device *device)
{
	fd_close(&device->tun);
	fd_close(&device->link);
}

void loop_setup_close(struct loop_setup *setup)
{
	loop_device_close(&setup->device);
	fd_close(&setup->uapi);
	fd_close(&setup->removal);
}

struct loop *loop_create(const struct loop_setup *setup, struct error *error)
{
	CLEANUP(loop_free) struct loop *loop = memory_zalloc(sizeof(*loop));

	*loop = (struct loop){
		.log.name = setup->name,
		.socket = setup->socket,
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.tun = -1,
		.link = -1,
		.removal = setup->removal,
		.signals = -1,
		.handler = {handle_get, handle_set, handle_refused, loop},
		.news.here = true,
	};
	loop->uapi = uapi_server_create(setup->uapi, &loop->handler, error);
	loop->pool = packet_pool_create(PACKETS, PACKET_ROOM, error);
	if (loop->epoll < 0)
		error_errno(error, "cannot wait for packets");
	if (loop->epoll < 0 || !loop->uapi || !loop->pool)
		return NULL;
	loop->device = device_create(loop->pool);
	loop->udp = udp_create(loop->pool, setup->fwmark, error);
	if (!loop->udp || take_signals(loop, error) < 0 || watch_all(loop, error) < 0)
		return NULL;
	return MEMORY_TAKE(loop);
}

int loop_attach(struct loop *loop, const struct loop_device *device, struct error *error)
{
	int code;

	loop->tun = device->tun;
	loop->link = device->link;
	loop->index = device->index;
	if (fcntl(loop->tun, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(error, "cannot prepare the TUN device");
	loop->queue = tun_queue_create(loop->tun, loop->pool, error);
	if (!loop->queue)
		return -error->code;
	code = watch(loop, loop->tun, SOURCE_TUN, error);
	if (code == 0)
		code = watch(loop, loop->link, SOURCE_LINK, error);
	return code < 0 ? code : link_watch_ask(loop->link, loop->index, error);
}

void loop_free(struct loop **pointer)
{
	struct loop *loop = *pointer;

	if (!loop)
		return;
	if (loop->pool)
		packet_put_all(loop->pool, &loop->handshakes);
	uapi_server_free(&loop->uapi);
	udp_free(&loop->udp);
	device_free(&loop->device);
	tun_queue_free(&loop->queue);
	packet_pool_free(&loop->pool);
	fd_close(&loop->tun);
	fd_close(&loop->link);
	fd_close(&loop->removal);
	fd_close(&loop->signals);
	fd_close(&loop->epoll);
	memory_free(pointer);
}
