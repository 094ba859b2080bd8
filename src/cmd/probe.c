/* The process inside tells its results through a pipe that is its standard output, the only
 * descriptor that goes in with it. */
#include "cmd/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/output.h"
#include "egress/probe.h"

static const char open_word[] = "open";

static const char *const outcomes[] = {
	[PROBE_STOPPED] = "stopped",
	[PROBE_TUNNEL] = "by the tunnel",
	[PROBE_OPEN] = open_word,
	[PROBE_NOTE] = "note",
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

/* Never returns. What stops it from going in is its first and last result. */
static void be_inside(const struct enter *enter, const char *device, int pipe_fd)
{
	struct probe_result failed = {.outcome = PROBE_OPEN, .way = "going inside"};
	struct error error;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	    dup2(pipe_fd, STDOUT_FILENO) < 0)
		_exit(1);
	if (enter_inside(enter, &error) < 0) {
		snprintf(failed.detail, sizeof(failed.detail), "%.127s", error.text);
		tell(NULL, &failed);
		_exit(0);
	}
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

/* Reads until the process inside has no more to say. */
static int read_results(int fd, json_t *ways, struct error *error)
{
	struct probe_result result;
	ssize_t length;

	while ((length = read(fd, &result, sizeof(result))) == (ssize_t)sizeof(result)) {
		result.way[sizeof(result.way) - 1] = '\0';
		result.detail[sizeof(result.detail) - 1] = '\0';
		if (result.outcome > PROBE_NOTE)
			return error_set(error, EPROTO, "the probe inside told what it cannot");
		json_array_append_new(ways, describe(&result));
	}
	return length < 0 ? error_errno(error, "cannot read from the probe inside") : 0;
}

static int wait_for(pid_t child, struct error *error)
{
	int status;

	if (waitpid(child, &status, 0) < 0)
		return error_errno(error, "cannot wait for the probe inside");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(error, ECHILD, "the probe did not get to its end");
	return 0;
}

int probe_inside(const struct enter *enter, const char *device, json_t *ways, struct error *error)
{
	CLEANUP(fd_close) int from = -1;
	CLEANUP(fd_close) int to = -1;
	int ends[2], code;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(error, "cannot make a pipe");
	from = ends[0];
	to = ends[1];
	child = fork();
	if (child < 0)
		return error_errno(error, "cannot start the probe");
	if (child == 0)
		be_inside(enter, device, to);
	fd_close(&to);
	to = -1;
	code = read_results(from, ways, error);
	if (code == 0)
		return wait_for(child, error);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return code;
}

bool probe_is_open(const json_t *way)
{
	return strcmp(json_string_value(json_object_get(way, "result")), open_word) == 0;
}

void probe_print(const json_t *ways)
{
	output_table(ways, columns, ARRAY_SIZE(columns));
}
