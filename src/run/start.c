#include "run/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/resolve.h"
#include "wireguard/hash.h"
#include "wireguard/report.h"

#define GRACE_MS      5000  /* for a supervisor, which has an engine to end */
#define JOIN_WAIT_MS  10000 /* for a tunnel that is being made */
#define JOIN_PAUSE_MS 20

void started_clear(struct started *started)
{
	registry_close(&started->registry);
	record_clear(&started->record);
	fd_close(&started->leash);
	supervisor_news_close(&started->news);
}

bool start_has_rights(void)
{
	return process_may(CAP_SYS_ADMIN) && process_may(CAP_NET_ADMIN);
}

enum backend start_backend(void)
{
	return start_has_rights() && backend_kernel_present() ? BACKEND_KERNEL : BACKEND_ENGINE;
}

static int check(const struct tunnel *tunnel, struct error *error)
{
	if (tunnel->device.fwmark && !start_has_rights())
		return error_set(error, EPERM,
				 "FwMark asks for packets that only root may mark: take the line "
				 "away, or run subu as root");
	return 0;
}

static int look_up(const struct start *start, struct wg_peer *peer, struct error *error)
{
	const struct endpoint *endpoint = &peer->endpoint;

	return start->resolve_ms
		       ? resolve_host_within(endpoint->host, endpoint->port, start->resolve_ms,
					     &peer->address, error)
		       : resolve_host(endpoint->host, endpoint->port, &peer->address, error);
}

static void say_resolving(const struct start *start, const char *host)
{
	if (start->resolving)
		start->resolving(start->listener.data, host);
}

static int resolve(const struct start *start, struct tunnel *tunnel, struct error *error)
{
	for (size_t i = 0; i < tunnel->device.peer_count; i++) {
		struct wg_peer *peer = &tunnel->device.peers[i];
		int code;

		if (!*peer->endpoint.host || endpoint_is_numeric(&peer->endpoint, &peer->address))
			continue;
		say_resolving(start, peer->endpoint.host);
		code = look_up(start, peer, error);
		say_resolving(start, NULL);
		if (code < 0)
			return error_wrap(error, "the endpoint of the tunnel");
	}
	return 0;
}

char *start_source(const char *path)
{
	CLEANUP(memory_free) char *place = realpath(path, NULL);
	struct stat status;

	if (!place || stat(place, &status) < 0)
		return NULL;
	return memory_format("%s %lld.%09ld %lld", place, (long long)status.st_mtim.tv_sec,
			     status.st_mtim.tv_nsec, (long long)status.st_size);
}

static bool is_meant(const struct start *start, const struct record *record)
{
	return (*start->profile && strcmp(record->name, start->profile) == 0) ||
	       (*start->source && strcmp(record->source, start->source) == 0);
}

/* The one that is meant, if there is one. Returns 1 then. */
static int find(const struct registry *registry, const struct start *start, struct record *ret,
		struct error *error)
{
	struct record *records;
	size_t count;
	int code = registry_list(registry, &records, &count, error);

	for (size_t i = 0; code == 0 && i < count; i++) {
		if (!is_meant(start, &records[i]))
			continue;
		*ret = records[i];
		records[i] = (struct record){};
		code = 1;
	}
	if (code >= 0)
		registry_list_clear(records, count);
	return code;
}

static void tell_of_same_key(const struct registry *registry, const struct start *start,
			     const char *fingerprint)
{
	struct record *records;
	struct error ignored;
	size_t count;

	if (!start->listener.same_key || registry_list(registry, &records, &count, &ignored) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (strcmp(records[i].fingerprint, fingerprint) == 0)
			start->listener.same_key(start->listener.data, records[i].name);
	registry_list_clear(records, count);
}

/* -1 in *ret for a tunnel that was set free: nobody reads there. */
static int take_leash(const struct registry *registry, const struct record *record, int *ret,
		      struct error *error)
{
	char path[PATH_MAX];

	*ret = open(registry_file(registry, record->name, "leash", path),
		    O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (*ret < 0 && errno != ENXIO)
		return error_errno(error, "cannot hold the tunnel %s", record->name);
	return 0;
}

/* Returns 1 with all in *ret, 0 for none, -EAGAIN for one that is being made. */
static int try_to_join(const struct start *start, struct started *ret, struct error *error)
{
	CLEANUP(registry_close) struct registry registry = REGISTRY_NONE;
	CLEANUP(record_clear) struct record record = {};
	int leash, code = registry_open(&start->listener, &registry, error);

	if (code == 0)
		code = find(&registry, start, &record, error);
	if (code <= 0)
		return code;
	if (!record.anchor.pid)
		return error_set(error, EAGAIN, "the tunnel %s is being made, and is not up yet",
				 record.name);
	code = take_leash(&registry, &record, &leash, error);
	if (code < 0)
		return code;
	*ret = STARTED_NONE;
	strcpy(ret->registry.folder, registry.folder);
	ret->leash = leash;
	ret->record = record;
	record = (struct record){};
	return 1;
}

int start_join(const struct start *start, struct started *ret, struct error *error)
{
	const struct timespec moment = {.tv_nsec = JOIN_PAUSE_MS * 1000000L};
	int code = try_to_join(start, ret, error);

	for (int waited = 0; code == -EAGAIN && waited < JOIN_WAIT_MS; waited += JOIN_PAUSE_MS) {
		nanosleep(&moment, NULL);
		code = try_to_join(start, ret, error);
	}
	return code;
}

/* Both ends of the tunnel's leash: for the supervisor, and for who starts it. */
static int open_leash(const struct registry *registry, struct started *started, int *ret_end,
		      struct error *error)
{
	char path[PATH_MAX];

	*ret_end = open(registry_file(registry, started->record.name, "leash", path),
			O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (*ret_end < 0)
		return error_errno(error, "cannot open %s", path);
	return take_leash(registry, &started->record, &started->leash, error);
}

static int add(const struct start *start, const struct registry *registry,
	       const struct started *started, struct error *error)
{
	CLEANUP(record_clear) struct record other = {};
	int code = find(registry, start, &other, error);

	if (code > 0 && strcmp(other.name, start->name) != 0)
		return error_set(error, EEXIST,
				 "the tunnel of this configuration is up already, as %s: see "
				 "`subu status %s`",
				 other.name, other.name);
	if (code >= 0)
		code = registry_add(registry, start->name, error);
	if (code == 0)
		tell_of_same_key(registry, start, started->record.fingerprint);
	return code;
}

/* The folder and the one who looks after it, with the registry locked. */
static int begin(const struct start *start, struct tunnel *tunnel, struct started *started,
		 struct error *error)
{
	CLEANUP(registry_close) struct registry registry = REGISTRY_NONE;
	CLEANUP(fd_close) int leash = -1;
	struct supervisor supervisor = {
		.registry = &registry,
		.record = &started->record,
		.tunnel = tunnel,
		.alone = !start_has_rights(),
	};
	struct error ignored;
	int code = registry_open(&start->listener, &registry, error);

	strcpy(started->registry.folder, registry.folder);
	if (code == 0)
		code = add(start, &registry, started, error);
	if (code < 0)
		return code;
	code = open_leash(&registry, started, &leash, error);
	supervisor.leash = leash;
	if (code == 0)
		code = supervisor_start(&supervisor, &started->supervisor, &started->news, error);
	if (code == 0)
		code = process_identify(started->supervisor, &started->record.supervisor, error);
	if (code < 0) {
		fd_close(&leash); /* to remove a folder takes a descriptor */
		registry_remove(&registry, start->name, &ignored);
	}
	return code;
}

/* Of the same key it is the same, and it tells nothing of it. The public key would do as well, but
 * takes X25519. */
static void take_fingerprint(const struct key *private_key, char text[static KEY_BASE64_MAX])
{
	static const char label[] = "subu: the key of a tunnel";
	struct key fingerprint;

	hash_digest(label, strlen(label), private_key->bytes, KEY_SIZE, fingerprint.bytes);
	key_to_base64(&fingerprint, text);
}

static void describe(const struct start *start, const struct tunnel *tunnel, struct record *record)
{
	char text[KEY_BASE64_MAX];

	take_fingerprint(&tunnel->device.private_key, text);
	record->backend = start_backend();
	record->since = time(NULL);
	record->addresses = cidr_list_format(&tunnel->addresses);
	record->dns = dns_format(&tunnel->dns);
	record->source = memory_strdup(start->source);
	record->fingerprint = memory_strdup(text);
	strncpy(record->name, start->name, sizeof(record->name) - 1);
	strncpy(record->profile, start->profile, sizeof(record->profile) - 1);
}

int start_tunnel(const struct start *start, struct tunnel *tunnel, struct started *ret,
		 struct error *error)
{
	CLEANUP(started_clear) struct started started = STARTED_NONE;
	int code = check(tunnel, error);

	if (code == 0)
		code = resolve(start, tunnel, error);
	if (code == 0) {
		describe(start, tunnel, &started.record);
		code = begin(start, tunnel, &started, error);
	}
	tunnel_clear(tunnel);
	if (code < 0) {
		start_end(&started);
		return code;
	}
	*ret = started;
	started = STARTED_NONE;
	return 0;
}

int start_await_namespaces(const struct started *started, struct process_id *ret,
			   struct error *error)
{
	*ret = started->record.anchor;
	return started->news.who < 0 ? 0 : supervisor_await_who(&started->news, ret, error);
}

int start_await(struct started *started, struct error *error)
{
	int code = started->news.report < 0 ? 0 : report_await(started->news.report, error);

	if (code == 0)
		code = start_await_namespaces(started, &started->record.anchor, error);
	supervisor_news_close(&started->news);
	return code;
}

int start_release(struct started *started, struct error *error)
{
	/* The supervisor may have gone meanwhile. */
	signal(SIGPIPE, SIG_IGN);
	if (write(started->leash, "", 1) < 0)
		return error_errno(error, "cannot set the tunnel %s free", started->record.name);
	fd_close(&started->leash);
	return 0;
}

/* Nobody but the caller, who has let it go. A FIFO without writers reads as its end. */
static bool is_held(const struct started *started)
{
	char path[PATH_MAX], byte;
	CLEANUP(fd_close)
	int fd = open(registry_file(&started->registry, started->record.name, "leash", path),
		      O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && read(fd, &byte, 1) < 0;
}

static void await_end(const struct started *started)
{
	struct pollfd supervisor = {.fd = -1, .events = POLLIN};
	struct error ignored;

	if (started->supervisor > 0) {
		waitpid(started->supervisor, NULL, 0);
	} else if (process_open(&started->record.supervisor, &supervisor.fd, &ignored) == 0) {
		poll(&supervisor, 1, GRACE_MS);
		fd_close(&supervisor.fd);
	}
}

void start_end(struct started *started)
{
	bool ours = started->supervisor > 0 || started->leash >= 0;

	fd_close(&started->leash);
	if (ours && !is_held(started))
		await_end(started);
	started->supervisor = 0;
}

int start_take_down(const struct record *record, struct error *error)
{
	CLEANUP(fd_close) int supervisor = -1;
	int code = process_open(&record->supervisor, &supervisor, error);

	if (code == 0)
		code = process_end_held(supervisor, GRACE_MS, error);
	if (code < 0 && code != -ESRCH)
		return error_wrap(error, "cannot end the tunnel %s", record->name);
	return 0;
}
