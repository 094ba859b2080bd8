/* Sockets by io_uring, for which no system call of sockets is made. A ring is used one entry at a
 * time: submit, wait, next. Once the wait was in vain it is of no more use. */
#include "ways.h"

#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

struct ring {
	int fd;
	uint8_t *rings; /* both, in one mapping */
	struct io_uring_sqe *entries;
	struct io_uring_params params;
};

static int ring_open(struct ring *ring)
{
	size_t size;
	void *rings, *entries;

	ring->fd = (int)syscall(SYS_io_uring_setup, 1, &ring->params);
	if (ring->fd < 0)
		return -errno;
	if (!(ring->params.features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	size = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
	if (size < ring->params.sq_off.array + sizeof(uint32_t))
		size = ring->params.sq_off.array + sizeof(uint32_t);
	rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	entries = mmap(NULL, sizeof(*ring->entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		       IORING_OFF_SQES);
	if (rings == MAP_FAILED || entries == MAP_FAILED)
		return -errno;
	ring->rings = rings;
	ring->entries = entries;
	return 0;
}

static uint32_t *word(const struct ring *ring, uint32_t offset)
{
	return (uint32_t *)(void *)(ring->rings + offset);
}

/* What the operation returned, or why it could not be submitted. */
static int ring_do(struct ring *ring, const struct io_uring_sqe *entry)
{
	uint32_t *tail = word(ring, ring->params.sq_off.tail);
	uint32_t *head = word(ring, ring->params.cq_off.head);
	struct __kernel_timespec patience = {.tv_nsec = WAYS_PATIENCE * 1000000LL};
	struct io_uring_getevents_arg wait = {.ts = (uintptr_t)&patience};
	struct io_uring_cqe *done;

	ring->entries[0] = *entry;
	*word(ring, ring->params.sq_off.array) = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1,
		    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &wait, sizeof(wait)) < 0)
		return -errno;
	if (__atomic_load_n(word(ring, ring->params.cq_off.tail), __ATOMIC_ACQUIRE) == *head)
		return -ETIME;
	done = (struct io_uring_cqe *)(void *)(ring->rings + ring->params.cq_off.cqes);
	done += *head & *word(ring, ring->params.cq_off.ring_mask);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return done->res;
}

static int ring_socket(struct ring *ring, int family, int type)
{
	struct io_uring_sqe entry = {
		.opcode = IORING_OP_SOCKET, .fd = family, .off = (uint64_t)type};

	return ring_do(ring, &entry);
}

static int ring_connect(struct ring *ring, int fd, const struct target *target)
{
	struct io_uring_sqe entry = {.opcode = IORING_OP_CONNECT,
				     .fd = fd,
				     .addr = (uintptr_t)&target->address,
				     .off = target->length};

	return ring_do(ring, &entry);
}

static int ring_send(struct ring *ring, int fd, const struct setting *setting)
{
	struct io_uring_sqe entry = {.opcode = IORING_OP_SEND,
				     .fd = fd,
				     .addr = (uintptr_t)setting->payload,
				     .len = (uint32_t)setting->size,
				     .msg_flags = MSG_NOSIGNAL};

	return ring_do(ring, &entry);
}

static int ring_send_to(struct ring *ring, int fd, const struct setting *setting,
			const struct target *target)
{
	struct iovec vector = {(void *)setting->payload, setting->size};
	struct msghdr message = {
		.msg_name = (void *)&target->address,
		.msg_namelen = target->length,
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};
	struct io_uring_sqe entry = {.opcode = IORING_OP_SENDMSG,
				     .fd = fd,
				     .addr = (uintptr_t)&message,
				     .len = 1,
				     .msg_flags = MSG_NOSIGNAL};

	return ring_do(ring, &entry);
}

static void ring_end(struct ring *ring)
{
	fd_close(&ring->fd);
}

static void try_target(const struct setting *setting, const struct target *target)
{
	CLEANUP(ring_end) struct ring ring = {.fd = -1};
	int family = target->address.any.sa_family, code = ring_open(&ring);
	CLEANUP(fd_close) int datagram = -1;
	CLEANUP(fd_close) int stream = -1;

	say(setting, target, "ring", code);
	if (code < 0)
		return;
	datagram = ring_socket(&ring, family, SOCK_DGRAM);
	stream = ring_socket(&ring, family, SOCK_STREAM);
	say(setting, target, "socket", datagram);
	for (int round = 0; round < WAYS_ROUNDS; round++)
		say(setting, target, "sendmsg", ring_send_to(&ring, datagram, setting, target));
	say(setting, target, "connect", ring_connect(&ring, datagram, target));
	say(setting, target, "send", ring_send(&ring, datagram, setting));
	code = ring_connect(&ring, stream, target);
	say(setting, target, "tcp connect", code);
	if (code == 0)
		say(setting, target, "tcp send", ring_send(&ring, stream, setting));
}

void run_uring(const struct setting *setting)
{
	struct target targets[TARGETS_MAX];
	size_t count = setting_targets(setting, TARGETS_ALL, targets);

	for (size_t i = 0; i < count; i++)
		try_target(setting, &targets[i]);
}
