#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/bpffs.h"
#include "kernel/cgroup.h"
#include "kernel/link.h"
#include "kernel/mount.h"
#include "kernel/netns.h"

static const char network[] =
	"sh -c '"
	"ip link set lo up;"
	"for name in tunnel lan; do"
	"	ip link add $name\"0\" type veth peer name $name\"1\";"
	"	ip link set $name\"0\" addrgenmode none arp off up;"
	"	ip link set $name\"1\" addrgenmode none arp off up;"
	"done;"
	"ip address add 10.99.0.1/24 dev tunnel0;"
	"ip address add fd99::1/64 dev tunnel0 nodad;"
	"ip address add 10.98.0.1/24 dev lan0;"
	"ip address add fd98::1/64 dev lan0 nodad;"
	"ip route add default dev tunnel0 metric 2000;"
	"ip route add ::/0 dev tunnel0 metric 2000'";

int place_unshare(void)
{
	struct error error;

	if (mount_unshare(&error) == 0)
		return 0;
	fprintf(stderr, "%s\n", error.text);
	return -1;
}

static int mount_pins(struct error *error)
{
	static const char *const options[] = {"mode", "0700", NULL};
	CLEANUP(fd_close) int fd = -1;
	int code = mount_create(BPFFS_TYPE, options, 0, &fd, error);

	return code < 0 ? code : mount_attach(fd, BPFFS_FOLDER, error);
}

static int find_devices(struct place *place, struct error *error)
{
	struct link_info tunnel, lan;
	uint64_t cookie;
	int code = link_find(&place->scratch.netlink, "tunnel0", &tunnel, error);

	if (code == 0)
		code = link_find(&place->scratch.netlink, "lan0", &lan, error);
	if (code == 0)
		code = netns_cookie(place->scratch.netns, &cookie, error);
	if (code < 0)
		return code;
	place->lan = lan.index;
	place->config = (struct egress_config){
		.layout = EGRESS_LAYOUT, .tunnel = tunnel.index, .netns_cookie = cookie};
	return 0;
}

static int make(struct place *place, struct error *error)
{
	int code = scratch_make(&place->scratch, error);

	snprintf(place->group, sizeof(place->group), "%s", place->scratch.name);
	if (code == 0)
		code = cgroup_create(place->group, error);
	if (code == 0)
		code = cgroup_open(place->group, &place->cgroup, error);
	if (code == 0)
		code = mount_pins(error);
	if (code == 0 && !scratch_run(&place->scratch, network))
		code = error_set(error, EIO, "cannot make the devices");
	return code < 0 ? code : find_devices(place, error);
}

int place_setup(void **state)
{
	struct place *place = memory_zalloc(sizeof(*place));
	struct error error;

	place->cgroup = -1;
	*state = place;
	if (make(place, &error) == 0)
		return 0;
	fprintf(stderr, "%s\n", error.text);
	place_teardown(state);
	return -1;
}

int place_teardown(void **state)
{
	struct place *place = *state;
	struct error error;
	int code;

	umount2(BPFFS_FOLDER, MNT_DETACH);
	scratch_remove(&place->scratch);
	fd_close(&place->cgroup);
	code = cgroup_delete(place->group, &error);
	if (code < 0)
		fprintf(stderr, "%s\n", error.text);
	free(place);
	return code;
}

pid_t place_start(const struct place *place, int (*work)(const struct place *place))
{
	struct error error;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
				      cgroup_join(place->cgroup, &error) == 0 &&
				      netns_enter(place->scratch.netns, &error) == 0
			      ? work(place)
			      : 255);
	return child;
}

int place_run(const struct place *place, int (*work)(const struct place *place))
{
	pid_t child = place_start(place, work);
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void place_drop(void)
{
	if (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
	    setresuid(65534, 65534, 65534) < 0)
		_exit(254);
}

uint64_t place_sent(const struct place *place, const char *device)
{
	CLEANUP(netns_visit_end) struct netns_visit visit = NETNS_VISIT_NONE;
	CLEANUP(file_close) FILE *file = NULL;
	char line[512], name[32];
	struct error error;
	uint64_t sent;

	assert_int_equal(netns_visit_begin(&visit, place->scratch.netns, &error), 0);
	file = fopen("/proc/thread-self/net/dev", "re");
	assert_non_null(file);
	/* "name:", then eight numbers of what came in, the packets being second, and eight of what
	 * went out. */
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " %31[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %lu", name,
			   &sent) == 2 &&
		    strcmp(name, device) == 0)
			return sent;
	fail_msg("no device %s", device);
	return 0;
}
