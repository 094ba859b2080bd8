/* The process inside tells its results through a pipe that is its standard output, the only
 * descriptor that goes in with it.
 *
 * Commands of the same account are inside already and may stop it or end it. So it has a deadline,
 * and how it ended is a result like the others; and it ends with who waits for it. */
#include "cmd/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/output.h"
#include "egress/probe.h"

#define DEADLINE_MS 30000 /* ten times what it takes when resolvers are silent */
#define PATIENCE_MS 1000  /* after which people are told what they wait for */

/* How it goes with the process inside. */
struct watch {
	pid_t child;
	int pipe;	 /* not owned */
	int64_t started; /* in milliseconds */
	bool progress, shown;
	json_t *ways;
};

static const char *const outcomes[] = {
	[PROBE_STOPPED] = "stopped",  [PROBE_TUNNEL] = "by the tunnel",
	[PROBE_OPEN] = "open",	      [PROBE_NOTE] = "note",
	[PROBE_ABSENT] = "not there", [PROBE_UNKNOWN] = "not tried",
};

/* What matters most is shown first. */
static const enum probe_outcome order[][2] = {
	{PROBE_OPEN, PROBE_UNKNOWN},
	{PROBE_NOTE, PROBE_NOTE},
	{PROBE_STOPPED, PROBE_TUNNEL},
	{PROBE_ABSENT, PROBE_ABSENT},
};

static const struct {
	enum probe_barrier barrier;
	const char *word;
} barriers[] = {
	{PROBE_BY_NAMESPACE, "namespace"},
	{PROBE_BY_STEERING, "steering"},
	{PROBE_BY_RIGHTS, "rights"},
};

static const struct output_column columns[] = {
	{"Way out", "way"},
	{"Result", "result"},
	{"By", "by"},
	{"What was seen", "detail"},
};

static void tell(void *data, const struct probe_result *result)
{
	(void)data;
	if (write(STDOUT_FILENO, result, sizeof(*result)) != (ssize_t)sizeof(*result))
		_exit(1);
}

/* To become the account takes back who is told of the parent's end, so it is said again. In a group of
 * its own it can be ended with all that it has started. */
static void end_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/* Never returns. What stops it from going in is its first and last result. */
static void be_inside(const struct enter *enter, const char *device, int pipe_fd, pid_t parent)
{
	struct probe_result failed = {.outcome = PROBE_UNKNOWN, .way = "going inside"};
	struct error error;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	end_with_parent(parent);
	setpgid(0, 0);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	    dup2(pipe_fd, STDOUT_FILENO) < 0)
		_exit(1);
	if (enter_inside(enter, &error) < 0) {
		snprintf(failed.detail, sizeof(failed.detail), "%.127s", error.text);
		tell(NULL, &failed);
		_exit(0);
	}
	end_with_parent(parent);
	probe_run(device, tell, NULL);
	_exit(0);
}

static json_t *describe(const struct probe_result *result)
{
	json_t *by = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(barriers); i++)
		if (result->barriers & barriers[i].barrier)
			json_array_append_new(by, json_string(barriers[i].word));
	return json_pack("{so ss so so}", "way", output_text(result->way), "result",
			 outcomes[result->outcome], "by", by, "detail",
			 output_text(result->detail));
}

static void show_progress(struct watch *watch)
{
	watch->shown = true;
	fprintf(stderr, "\rsubu: trying the ways out, %zu so far", json_array_size(watch->ways));
}

static void erase_progress(const struct watch *watch)
{
	if (watch->shown)
		fputs("\r\033[K", stderr);
}

/* Waits until there is something to read: 1; 0 when it has been too long. */
static int wait_for_result(struct watch *watch, struct error *error)
{
	struct pollfd waiting = {.fd = watch->pipe, .events = POLLIN};
	int64_t passed = clock_ms() - watch->started;
	int code = 0;

	while (code == 0 && passed < DEADLINE_MS) {
		int64_t left = DEADLINE_MS - passed;

		if (watch->progress && passed >= PATIENCE_MS)
			show_progress(watch);
		code = poll(&waiting, 1, (int)(left < PATIENCE_MS ? left : PATIENCE_MS));
		if (code < 0 && errno == EINTR)
			code = 0;
		passed = clock_ms() - watch->started;
	}
	return code < 0 ? error_errno(error, "cannot wait for the probe inside") : code;
}

/* Reads until the process inside has no more to say: 1; 0 when it has not come to that in time. */
static int read_results(struct watch *watch, struct error *error)
{
	struct probe_result result;
	ssize_t length;
	int code;

	while ((code = wait_for_result(watch, error)) > 0) {
		length = read(watch->pipe, &result, sizeof(result));
		if (length < 0)
			return error_errno(error, "cannot read from the probe inside");
		if (length == 0)
			return 1;
		if (length != (ssize_t)sizeof(result) || result.outcome >= ARRAY_SIZE(outcomes))
			return error_set(error, EPROTO, "the probe inside told what it cannot");
		result.way[sizeof(result.way) - 1] = '\0';
		result.detail[sizeof(result.detail) - 1] = '\0';
		json_array_append_new(watch->ways, describe(&result));
	}
	return code;
}

/* How it ended when it should not have: what it did not come to is not known. */
__attribute__((format(printf, 2, 3))) static void tell_end(const struct watch *watch,
							   const char *detail, ...)
{
	struct probe_result result = {.outcome = PROBE_UNKNOWN, .way = "what is not listed here"};
	va_list arguments;

	va_start(arguments, detail);
	vsnprintf(result.detail, sizeof(result.detail), detail, arguments);
	va_end(arguments);
	json_array_append_new(watch->ways, describe(&result));
}

static int watch_child(struct watch *watch, struct error *error)
{
	int code = read_results(watch, error), status = 0;

	erase_progress(watch);
	if (code <= 0)
		kill(-watch->child, SIGKILL);
	if (waitpid(watch->child, &status, 0) < 0 && code >= 0)
		return error_errno(error, "cannot wait for the probe inside");
	if (code == 0)
		tell_end(watch, "the probe did not answer within %d seconds", DEADLINE_MS / 1000);
	else if (code > 0 && WIFSIGNALED(status))
		tell_end(watch, "the probe was ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (code > 0 && WEXITSTATUS(status))
		tell_end(watch, "the probe did not get to its end");
	return code < 0 ? code : 0;
}

static bool is_one_of(const json_t *way, const enum probe_outcome *pair)
{
	const char *result = json_string_value(json_object_get(way, "result"));

	return strcmp(result, outcomes[pair[0]]) == 0 || strcmp(result, outcomes[pair[1]]) == 0;
}

static void append_in_order(json_t *ways, json_t *found)
{
	json_t *way;
	size_t i;

	for (size_t rank = 0; rank < ARRAY_SIZE(order); rank++)
		json_array_foreach(found, i, way)
		{
			if (is_one_of(way, order[rank]))
				json_array_append(ways, way);
		}
}

int probe_inside(const struct enter *enter, const char *device, bool progress, json_t *ways,
		 struct error *error)
{
	CLEANUP(output_release) json_t *found = json_array();
	CLEANUP(fd_close) int from = -1;
	CLEANUP(fd_close) int to = -1;
	struct watch watch = {.started = clock_ms(), .progress = progress, .ways = found};
	pid_t parent = getpid();
	int ends[2], code;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(error, "cannot make a pipe");
	watch.pipe = from = ends[0];
	to = ends[1];
	watch.child = fork();
	if (watch.child < 0)
		return error_errno(error, "cannot start the probe");
	if (watch.child == 0)
		be_inside(enter, device, to, parent);
	setpgid(watch.child, watch.child);
	fd_close(&to);
	code = watch_child(&watch, error);
	append_in_order(ways, found);
	return code;
}

const char *probe_complaint(const json_t *way)
{
	const char *result = json_string_value(json_object_get(way, "result"));

	if (strcmp(result, outcomes[PROBE_OPEN]) == 0)
		return "could leak";
	return strcmp(result, outcomes[PROBE_UNKNOWN]) == 0 ? "could not try" : NULL;
}

void probe_print(const json_t *ways)
{
	output_table(ways, columns, ARRAY_SIZE(columns));
}
