/* wireguard/udp: what is left of a change when a system call fails half-way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "wireguard/udp.h"

#define DESCRIPTORS_MAX 1024

static uint32_t marks[DESCRIPTORS_MAX];	 /* of each socket, which are not really marked */
static unsigned int marks_until_failure; /* 0: none fails */

/* In the place of libc's: SO_MARK takes rights, and fails when it is told to. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	typeof(setsockopt) *libc_setsockopt = dlsym(RTLD_NEXT, "setsockopt");

	if (level != SOL_SOCKET || option != SO_MARK)
		return libc_setsockopt(fd, level, option, value, size);
	if (marks_until_failure && --marks_until_failure == 0) {
		errno = EPERM;
		return -1;
	}
	marks[fd] = *(const uint32_t *)value;
	return 0;
}

/* Sockets of both families, marked with 7. */
static struct udp *make(struct packet_pool *pool)
{
	struct error error;
	struct udp *udp = udp_create(pool, 7, &error);

	assert_non_null(udp);
	assert_true(udp_fd(udp, 0) >= 0 && udp_fd(udp, 0) < DESCRIPTORS_MAX);
	assert_true(udp_fd(udp, 1) >= 0 && udp_fd(udp, 1) < DESCRIPTORS_MAX);
	return udp;
}

static void assert_marked(const struct udp *udp, uint32_t fwmark)
{
	assert_int_equal(udp_fwmark(udp), fwmark);
	assert_int_equal(marks[udp_fd(udp, 0)], fwmark);
	assert_int_equal(marks[udp_fd(udp, 1)], fwmark);
}

static void test_mark_of_one_family_fails(void **state)
{
	CLEANUP(packet_pool_free) struct packet_pool *pool = NULL;
	CLEANUP(udp_free) struct udp *udp = NULL;
	struct error error;

	(void)state;
	pool = packet_pool_create(2 * UDP_BATCH, 1500, &error);
	udp = make(pool);
	for (unsigned int failing = 1; failing <= UDP_FAMILIES; failing++) {
		marks_until_failure = failing;
		assert_int_equal(udp_set_fwmark(udp, 8, &error), -EPERM);
		assert_marked(udp, 7);
	}
	assert_int_equal(udp_set_fwmark(udp, 8, &error), 0);
	assert_marked(udp, 8);
}

/* A port that is taken, in IPv4 alone. The caller closes *ret_fd. */
static uint16_t take_port(int *ret_fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	*ret_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

/* Where binding has failed, and then making new sockets for the next time. */
static void test_spare_of_one_family_fails(void **state)
{
	CLEANUP(packet_pool_free) struct packet_pool *pool = NULL;
	CLEANUP(udp_free) struct udp *udp = NULL;
	CLEANUP(fd_close) int other = -1;
	uint16_t port = take_port(&other);
	struct error error;

	(void)state;
	pool = packet_pool_create(2 * UDP_BATCH, 1500, &error);
	for (unsigned int failing = 1; failing <= UDP_FAMILIES; failing++) {
		udp = make(pool);
		marks_until_failure = failing;
		assert_int_equal(udp_bind(udp, port, &error), -EADDRINUSE);
		assert_int_equal(udp_port(udp), 0);
		assert_int_equal(udp_bind(udp, 0, &error), 0);
		assert_true(udp_port(udp) > 0);
		assert_true(udp_fd(udp, 0) >= 0);
		assert_true(udp_fd(udp, 1) >= 0);
		assert_marked(udp, 7);
		udp_free(&udp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spare_of_one_family_fails),
		cmocka_unit_test(test_mark_of_one_family_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
