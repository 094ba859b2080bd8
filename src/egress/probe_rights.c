/* Ways out that take a right, or something of the machine's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "egress/pin.h"
#include "egress/probe_ways.h"
#include "kernel/cgroup.h"

static const struct {
	const char *way;
	int family, type, protocol;
	bool filtered; /* by exec: if the kernel has it or not, the answer is the same */
} forbidden[] = {
	{"a raw socket", AF_INET, SOCK_RAW, IPPROTO_RAW, false},
	{"a packet socket", AF_PACKET, SOCK_RAW, ETH_P_IP, false},
	{"vsock, to the hypervisor", AF_VSOCK, SOCK_STREAM, 0, true},
	{"Bluetooth", AF_BLUETOOTH, SOCK_RAW, 0, true},
};

/* Is it what exec's taking away looks like? What is tried for certain is there outside, so that
 * -ENOENT says that it is hidden. */
static bool is_refusal(int code)
{
	static const int refusals[] = {EPERM, EACCES, EROFS, ENOENT, ENOSYS, EAFNOSUPPORT};

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (code == -refusals[i])
			return true;
	return false;
}

static void tell_code(const struct probe *probe, const char *way, int code)
{
	probe_tell_code(probe, way, code, is_refusal(code) ? PROBE_BY_RIGHTS : 0);
}

static int make_socket(int family, int type, int protocol)
{
	CLEANUP(fd_close) int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : 0;
}

static void try_forbidden(const struct probe *probe)
{
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++) {
		int code =
			make_socket(forbidden[i].family, forbidden[i].type, forbidden[i].protocol);

		if (code == -EAFNOSUPPORT && !forbidden[i].filtered)
			probe_tell(probe, forbidden[i].way, PROBE_ABSENT, 0, "%s", strerror(-code));
		else
			tell_code(probe, forbidden[i].way, code);
	}
}

static int make_uring(void)
{
	struct io_uring_params parameters = {};
	CLEANUP(fd_close) int fd = (int)syscall(SYS_io_uring_setup, 1, &parameters);

	return fd < 0 ? -errno : 0;
}

/* The root of the hierarchy is what everybody would have to pass through. */
static int leave_group(void)
{
	CLEANUP(memory_free) char *path = NULL;
	CLEANUP(fd_close) int fd = -1;
	struct error error;
	int code = cgroup_path("cgroup.procs", &path, &error);

	if (code < 0)
		return code;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "0", 1) < 0 ? -errno : 0;
}

static int see_pins(void)
{
	return access(PIN_FOLDER "/.", R_OK) < 0 ? -errno : 0;
}

static int open_namespace(void)
{
	CLEANUP(fd_close) int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* Without a text for the helper outside, the kernel only looks for a key that nobody has. */
static int ask_for_key(void)
{
	if (syscall(SYS_request_key, "user", "subu probe", NULL, 0) < 0 && errno != ENOKEY)
		return -errno;
	return 0;
}

/* In the child, which goes when the probe does (to get capabilities takes that back): a socket in a namespace of its own making, which has nothing but lo. */
static int connect_from_new_namespace(void)
{
	const struct sockaddr_in nobody = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xc0000201)};
	CLEANUP(fd_close) int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return errno;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || connect(fd, (const struct sockaddr *)&nobody, sizeof(nobody)) < 0 ? errno
											   : 0;
}

static void tell_new_namespace(const struct probe *probe, const char *way, int code)
{
	switch (-code) {
	case EPERM: /* by the machine's own settings, such as user.max_user_namespaces */
	case EACCES:
	case ENOSPC:
		probe_tell_code(probe, way, code, PROBE_BY_RIGHTS);
		break;
	case ENETUNREACH:
		probe_tell_code(probe, way, code, PROBE_BY_NAMESPACE);
		break;
	case EINVAL: /* a kernel without one of them */
		probe_tell(probe, way, PROBE_ABSENT, 0, "%s", strerror(-code));
		break;
	default:
		probe_tell_code(probe, way, code, 0);
	}
}

static void try_new_namespace(const struct probe *probe)
{
	static const char way[] = "a new user and network namespace";
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(connect_from_new_namespace());
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		probe_tell(probe, way, PROBE_UNKNOWN, 0, "its process did not get to its end");
	else
		tell_new_namespace(probe, way, -WEXITSTATUS(status));
}

/* `exec` puts each command into a Landlock domain where the kernel has Landlock, or fails. */
static void tell_other_processes(const struct probe *probe)
{
	static const char way[] = "a socket of another process outside";

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 0)
		probe_tell(probe, way, PROBE_NOTE, 0,
			   "Landlock is off: those of its account are within reach");
	else
		probe_tell(probe, way, PROBE_STOPPED, PROBE_BY_RIGHTS, "Landlock");
}

void probe_rights(const struct probe *probe)
{
	try_forbidden(probe);
	tell_code(probe, "io_uring", make_uring());
	tell_code(probe, "names by the kernel's request-key", ask_for_key());
	tell_code(probe, "leaving the control group", leave_group());
	tell_code(probe, "removing the programs' pins", see_pins());
	tell_code(probe, "entering the machine's namespace", open_namespace());
	try_new_namespace(probe);
	tell_other_processes(probe);
}
