/* wireguard/uapi_client over a socket, as root: against Debian's wireguard-go in a namespace of its
 * own, and against engines that are dead, slow or mad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "scratch.h"
#include "wireguard/backend.h"

#define TRIES	    1000 /* 10 ms each */
#define ALLOWED_IPS 2000

/* The device's, of this process: other runs of this test do not meet it. */
static char name[IFNAMSIZ], socket_path[64];

static pid_t engine; /* 0: none */

static void engine_kill(void)
{
	if (engine == 0)
		return;
	kill(engine, SIGKILL);
	waitpid(engine, NULL, 0);
	engine = 0;
}

static int teardown(void **state)
{
	engine_kill();
	unlink(socket_path);
	return *state ? scratch_teardown(state) : 0;
}

static void start_wireguard_go(const struct scratch *scratch)
{
	struct wg_device device;
	struct error error;
	int code = -ENODEV;

	engine = scratch_start_wireguard_go(scratch, name);
	for (int i = 0; i < TRIES && code == -ENODEV; i++) {
		usleep(10000);
		code = backend_read(BACKEND_ENGINE, -1, name, &device, &error);
	}
	assert_int_equal(code, 0);
	wg_device_clear(&device);
}

static void append_networks(struct cidr_list *list, unsigned int first, unsigned int count)
{
	struct cidr cidr = {.ip.family = AF_INET6, .length = 64};

	cidr.ip.bytes[0] = 0xfd;
	for (unsigned int i = first; i < first + count; i++) {
		cidr.ip.bytes[6] = (uint8_t)(i >> 8);
		cidr.ip.bytes[7] = (uint8_t)i;
		cidr_list_append(list, &cidr);
	}
}

static void make_change(struct wg_change *change)
{
	struct error error;

	*change = (struct wg_change){.set_private_key = true,
				     .set_listen_port = true,
				     .set_fwmark = true,
				     .listen_port = 51899,
				     .fwmark = 0x77,
				     .peers = memory_zalloc(2 * sizeof(*change->peers)),
				     .peer_count = 2};
	assert_int_equal(key_generate_private(&change->private_key, &error), 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct wg_peer_change *peer = &change->peers[i];

		assert_int_equal(key_generate_private(&peer->preshared_key, &error), 0);
		assert_int_equal(key_derive_public(&peer->preshared_key, &peer->public_key, &error),
				 0);
		peer->set_preshared_key = peer->set_address = peer->set_keepalive = true;
		peer->keepalive = (uint16_t)(20 + i);
		assert_int_equal(socket_address_parse(i ? "[2001:db8::7]:5" : "192.0.2.7:5",
						      &peer->address, &error),
				 0);
		append_networks(&peer->allowed_ips, i * ALLOWED_IPS, ALLOWED_IPS);
	}
}

static void assert_changed(const struct wg_device *device, const struct wg_change *change)
{
	assert_true(key_equal(&device->private_key, &change->private_key));
	assert_int_equal(device->listen_port, change->listen_port);
	assert_int_equal(device->fwmark, change->fwmark);
	assert_int_equal(device->peer_count, change->peer_count);
	for (size_t i = 0; i < change->peer_count; i++) {
		const struct wg_peer_change *wanted = &change->peers[i];
		const struct wg_peer *peer = wg_device_find_peer(device, &wanted->public_key);

		assert_non_null(peer);
		assert_true(key_equal(&peer->preshared_key, &wanted->preshared_key));
		assert_true(socket_address_equal(&peer->address, &wanted->address));
		assert_int_equal(peer->keepalive, wanted->keepalive);
		assert_true(cidr_list_equal(&peer->allowed_ips, &wanted->allowed_ips));
	}
}

static void test_wireguard_go(void **state)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};
	CLEANUP(wg_device_clear) struct wg_device device = {};
	struct error error;

	start_wireguard_go(*state);
	make_change(&change);
	assert_int_equal(backend_write(BACKEND_ENGINE, -1, name, &change, &error), 0);
	assert_int_equal(backend_read(BACKEND_ENGINE, -1, name, &device, &error), 0);
	assert_changed(&device, &change);
	wg_device_clear(&device);

	/* The first peer goes, the second has other allowed IPs, the rest stays. */
	change.set_private_key = change.set_listen_port = change.set_fwmark = false;
	change.peers[0].remove = true;
	change.peers[1].set_preshared_key = change.peers[1].set_address = false;
	change.peers[1].set_keepalive = false;
	change.peers[1].replace_allowed_ips = true;
	cidr_list_clear(&change.peers[1].allowed_ips);
	append_networks(&change.peers[1].allowed_ips, 0, 3);
	assert_int_equal(backend_write(BACKEND_ENGINE, -1, name, &change, &error), 0);
	assert_int_equal(backend_read(BACKEND_ENGINE, -1, name, &device, &error), 0);
	assert_int_equal(device.peer_count, 1);
	assert_true(cidr_list_equal(&device.peers[0].allowed_ips, &change.peers[1].allowed_ips));
	assert_true(key_equal(&device.peers[0].preshared_key, &change.peers[1].preshared_key));
	assert_int_equal(device.peers[0].keepalive, 21);
	assert_int_equal(device.listen_port, 51899);
}

static void test_nobody_there(void **state)
{
	struct wg_device device;
	struct error error;

	assert_int_equal(backend_read(BACKEND_ENGINE, -1, name, &device, &error), -ENODEV);
	start_wireguard_go(*state);
	engine_kill();
	assert_int_equal(access(socket_path, F_OK), 0); /* what it left */
	assert_int_equal(backend_read(BACKEND_ENGINE, -1, name, &device, &error), -ENODEV);
	assert_int_equal(backend_read(BACKEND_ENGINE, -1, "", &device, &error), -EINVAL);
	assert_int_equal(backend_read(BACKEND_ENGINE, -1, "../x", &device, &error), -EINVAL);
	assert_int_equal(backend_read(BACKEND_ENGINE, -1, "abcdefghijklmnop", &device, &error),
			 -EINVAL);
}

/* An engine that does with the connection as the function says, then hangs up. */
static void start_fake(void (*serve)(int fd))
{
	struct sockaddr_un address = {
		.sun_family = AF_UNIX,
	};
	CLEANUP(fd_close) int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	engine_kill();
	unlink(socket_path);
	mkdir("/var/run/wireguard", 0755);
	strcpy(address.sun_path, socket_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 5), 0);
	engine = fork();
	if (engine == 0) {
		signal(SIGPIPE, SIG_DFL);
		serve(accept(listener, NULL, NULL));
		_exit(0);
	}
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(1);
}

static void serve_nothing(int fd)
{
	(void)fd;
	for (;;)
		pause();
}

static void serve_half(int fd)
{
	say(fd, "listen_port=1\nfwm");
	serve_nothing(fd);
}

static void serve_hangup(int fd)
{
	say(fd, "listen_port=1\n");
}

static void serve_refusal(int fd)
{
	char first[10];

	if (read(fd, first, sizeof(first)) < 0)
		_exit(1);
	say(fd, "errno=95\n\n");
}

static void serve_endless_line(int fd)
{
	for (;;)
		say(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static void serve_endless_lines(int fd)
{
	static char text[1 << 16];

	while (strlen(text) < sizeof(text) - 20)
		strcat(text, "listen_port=1\n");
	for (;;)
		say(fd, text);
}

static void serve_nul(int fd)
{
	if (write(fd, "listen_port=1\0\n", 15) < 0)
		_exit(1);
	say(fd, "errno=0\n\n");
}

static void serve_bad_value(int fd)
{
	say(fd, "listen_port=70000\nerrno=0\n\n");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_bad_engines(void **state)
{
	static const struct {
		void (*serve)(int fd);
		int code, or_code; /* a matter of speed, or of what was read before a hangup */
	} cases[] = {
		{serve_nothing, -ETIMEDOUT, -ETIMEDOUT},    {serve_half, -ETIMEDOUT, -ETIMEDOUT},
		{serve_refusal, -EOPNOTSUPP, -EOPNOTSUPP},  {serve_endless_line, -EPROTO, -EPROTO},
		{serve_endless_lines, -EPROTO, -ETIMEDOUT}, {serve_nul, -EPROTO, -EPROTO},
		{serve_bad_value, -EPROTO, -EPROTO},	    {serve_hangup, -EPROTO, -ECONNRESET},
	};
	struct wg_device device;
	struct error error;
	double begin;
	int code;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start_fake(cases[i].serve);
		begin = seconds();
		code = backend_read(BACKEND_ENGINE, -1, name, &device, &error);
		if (code != cases[i].or_code)
			assert_int_equal(code, cases[i].code);
		assert_true(seconds() - begin < 30);
	}
}

/* One that hangs up in the middle of a long request has said why. */
static void test_refused_early(void **state)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};
	struct error error;

	(void)state;
	make_change(&change);
	start_fake(serve_refusal);
	assert_int_equal(backend_write(BACKEND_ENGINE, -1, name, &change, &error), -EOPNOTSUPP);
	start_fake(serve_nothing);
	assert_int_equal(backend_write(BACKEND_ENGINE, -1, name, &change, &error), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wireguard_go, scratch_setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_there, scratch_setup, teardown),
		cmocka_unit_test_teardown(test_bad_engines, teardown),
		cmocka_unit_test_teardown(test_refused_early, teardown),
	};

	snprintf(name, sizeof(name), "ut%d", getpid());
	snprintf(socket_path, sizeof(socket_path), "/var/run/wireguard/%s.sock", name);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
