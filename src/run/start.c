#include "run/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/resolve.h"
#include "run/supervisor.h"
#include "wireguard/report.h"

#define GRACE_MS 5000 /* for a supervisor, which has an engine to end */

void started_clear(struct started *started)
{
	registry_close(&started->registry);
	record_clear(&started->record);
	fd_close(&started->leash);
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
	return tunnel_check(tunnel, error);
}

static int resolve(struct tunnel *tunnel, struct error *error)
{
	for (size_t i = 0; i < tunnel->device.peer_count; i++) {
		struct wg_peer *peer = &tunnel->device.peers[i];

		if (!*peer->endpoint.host || endpoint_is_numeric(&peer->endpoint, &peer->address))
			continue;
		if (resolve_host(peer->endpoint.host, peer->endpoint.port, &peer->address, error) <
		    0)
			return error_wrap(error, "the endpoint of the tunnel");
	}
	return 0;
}

/* The folder and the one who looks after it, with the registry locked. */
static int begin(const struct start *start, struct tunnel *tunnel, struct started *started,
		 int leash, int *ret_report, struct error *error)
{
	CLEANUP(registry_close) struct registry registry = REGISTRY_NONE;
	struct supervisor supervisor = {
		.registry = &registry,
		.record = &started->record,
		.tunnel = tunnel,
		.alone = !start_has_rights(),
		.leash = leash,
	};
	int code = registry_open(&start->listener, &registry, error);

	strcpy(started->registry.folder, registry.folder);
	if (code == 0)
		code = registry_add(&registry, start->name, error);
	if (code < 0)
		return code;
	return supervisor_start(&supervisor, &started->supervisor, ret_report, error);
}

static int open_leash(int *ret_held, int *ret_end, struct error *error)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(error, "cannot make a pipe");
	*ret_end = ends[0];
	*ret_held = ends[1];
	return 0;
}

/* Who it is, is told by the record once the tunnel is up. */
static int await(struct started *started, int report, struct error *error)
{
	struct record record;
	int code = report_await(report, error);

	if (code < 0)
		return code;
	code = registry_find(&started->registry, started->record.name, &record, error);
	if (code < 0)
		return code;
	record_clear(&started->record);
	started->record = record;
	return 0;
}

int start_tunnel(const struct start *start, struct tunnel *tunnel, struct started *ret,
		 struct error *error)
{
	CLEANUP(started_clear) struct started started = STARTED_NONE;
	CLEANUP(fd_close) int leash = -1;
	CLEANUP(fd_close) int report = -1;
	int code = check(tunnel, error);

	if (code == 0)
		code = resolve(tunnel, error);
	if (code == 0)
		code = open_leash(&started.leash, &leash, error);
	started.record.backend = start_backend();
	started.record.since = time(NULL);
	started.record.addresses = cidr_list_format(&tunnel->addresses);
	strncpy(started.record.name, start->name, sizeof(started.record.name) - 1);
	strncpy(started.record.profile, start->profile, sizeof(started.record.profile) - 1);
	if (code == 0)
		code = begin(start, tunnel, &started, leash, &report, error);
	tunnel_clear(tunnel);
	fd_close(&leash);
	if (code == 0)
		code = await(&started, report, error);
	if (code < 0) {
		start_end(&started);
		return code;
	}
	*ret = started;
	started = STARTED_NONE;
	return 0;
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

void start_end(struct started *started)
{
	fd_close(&started->leash);
	if (started->supervisor > 0)
		waitpid(started->supervisor, NULL, 0);
	started->supervisor = 0;
}

int start_take_down(const struct registry *registry, const struct record *record,
		    struct error *error)
{
	CLEANUP(fd_close) int supervisor = -1;
	int code = process_open(&record->supervisor, &supervisor, error);

	if (code == 0)
		code = process_end_held(supervisor, GRACE_MS, error);
	if (code < 0 && code != -ESRCH)
		return error_wrap(error, "cannot end the tunnel %s", record->name);
	return registry_remove(registry, record->name, error);
}
