#include "run/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "kernel/netns.h"
#include "run/own_device.h"

#define LOOK_MS	  20 /* between two looks for a handshake */
#define KEEPALIVE 25 /* seconds: more than anybody waits */

static int open_netns(const struct record *record, int *ret, struct error *error)
{
	CLEANUP(fd_close) int anchor = -1;
	CLEANUP(fd_close) int fd = -1;
	char path[64];
	int code = process_open(&record->anchor, &anchor, error);

	if (code < 0)
		return error_wrap(error, "the tunnel %s has ended", record->name);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", record->anchor.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(error, "cannot look into the tunnel %s", record->name);
	*ret = fd_take(&fd);
	return 0;
}

static int find_device(const struct registry *registry, const struct record *record,
		       struct own_device *ret, int *ret_netns, struct error *error)
{
	int code = record->backend == BACKEND_ENGINE ? 0 : open_netns(record, ret_netns, error);

	ret->backend = record->backend;
	ret->netns = *ret_netns;
	registry_file(registry, record->name, "engine.sock", ret->socket);
	return code;
}

int inside_device(const struct registry *registry, const struct record *record,
		  struct wg_device *ret, struct error *error)
{
	CLEANUP(fd_close) int netns = -1;
	struct own_device device;
	int code = find_device(registry, record, &device, &netns, error);

	return code < 0 ? code : own_device_read(&device, ret, error);
}

static bool has_answered(const struct wg_device *device)
{
	for (size_t i = 0; i < device->peer_count; i++)
		if (device->peers[i].last_handshake)
			return true;
	return false;
}

static bool is_silent(const struct wg_peer *peer)
{
	return peer->address.any.sa_family != AF_UNSPEC && peer->keepalive == 0;
}

/* Gives the peers that were silent a keepalive, or takes it from them again. */
static int set_keepalive(const struct own_device *device, const struct wg_device *before,
			 uint16_t seconds, struct error *error)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};

	change.peers = memory_zalloc(sizeof(*change.peers) * (before->peer_count + 1));
	for (size_t i = 0; i < before->peer_count; i++)
		if (is_silent(&before->peers[i]))
			change.peers[change.peer_count++] = (struct wg_peer_change){
				.public_key = before->peers[i].public_key,
				.update_only = true,
				.set_keepalive = true,
				.keepalive = seconds,
			};
	return change.peer_count ? own_device_write(device, &change, error) : 0;
}

static bool has_endpoint(const struct wg_device *device)
{
	for (size_t i = 0; i < device->peer_count; i++)
		if (device->peers[i].address.any.sa_family != AF_UNSPEC)
			return true;
	return false;
}

static int say_timeout(const struct wg_device *device, unsigned int timeout_ms, struct error *error)
{
	const struct wg_peer *peer = device->peers;
	char text[SOCKET_TEXT_MAX];

	while (peer->address.any.sa_family == AF_UNSPEC)
		peer++;
	return error_set(error, ETIMEDOUT,
			 "no handshake with the server at %s within %u s: its address, the keys of "
			 "both sides, or a firewall on the way may be wrong",
			 socket_address_format(&peer->address, text), timeout_ms / 1000);
}

/* By the clock, for a look at thousands of allowed IPs takes its time. */
static int await(const struct own_device *device, unsigned int timeout_ms, struct error *error)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	const int64_t until = clock_ms() + timeout_ms;
	CLEANUP(wg_device_clear) struct wg_device now = {};
	int code;

	do {
		nanosleep(&pause, NULL);
		wg_device_clear(&now);
		code = own_device_read(device, &now, error);
		if (code < 0 || has_answered(&now))
			return code;
	} while (clock_ms() < until);
	return say_timeout(&now, timeout_ms, error);
}

int inside_await_handshake(const struct registry *registry, const struct record *record,
			   unsigned int timeout_ms, struct error *error)
{
	CLEANUP(wg_device_clear) struct wg_device before = {};
	CLEANUP(fd_close) int netns = -1;
	struct own_device device;
	int code = find_device(registry, record, &device, &netns, error);

	if (code == 0)
		code = own_device_read(&device, &before, error);
	if (code < 0 || !has_endpoint(&before))
		return code;
	code = set_keepalive(&device, &before, KEEPALIVE, error);
	if (code == 0)
		code = await(&device, timeout_ms, error);
	return code < 0 ? code : set_keepalive(&device, &before, 0, error);
}

/* The number of the process in the innermost namespace that it is in; 1 is a reaper. */
static int innermost_pid(pid_t pid)
{
	CLEANUP(file_close) FILE *file = NULL;
	char path[64], line[512];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "NSpid:", 6) == 0)
			return atoi(strrchr(line, '\t') + 1);
	return 0;
}

/* False when it has just gone. */
static bool read_name(pid_t pid, char name[static 16])
{
	CLEANUP(fd_close) int fd = -1;
	char path[64];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, name, 15);
	if (size <= 0)
		return false;
	name[size] = '\0';
	name[strcspn(name, "\n")] = '\0';
	text_make_printable(name);
	return true;
}

int inside_processes(const struct record *record, struct inside_process **ret, size_t *ret_count,
		     struct error *error)
{
	CLEANUP(memory_free) struct inside_process *processes = NULL;
	CLEANUP(memory_free) pid_t *pids = NULL;
	CLEANUP(fd_close) int netns = -1;
	size_t count, kept = 0;
	int code = open_netns(record, &netns, error);

	if (code == 0)
		code = netns_processes(netns, &pids, &count, error);
	if (code < 0)
		return code;
	processes = memory_resize(NULL, count + 1, sizeof(*processes));
	for (size_t i = 0; i < count; i++) {
		processes[kept].pid = pids[i];
		if (pids[i] != record->anchor.pid && innermost_pid(pids[i]) > 1 &&
		    read_name(pids[i], processes[kept].name))
			kept++;
	}
	*ret = MEMORY_TAKE(processes);
	*ret_count = kept;
	return 0;
}
