#include "reconcile/inmates.h"

#include <errno.h>

#include "base/memory.h"
#include "kernel/cgroup.h"
#include "kernel/netns.h"
#include "model/subu.h"

struct pids {
	pid_t *items; /* owned */
	size_t count;
};

static void pids_free(struct pids *pids)
{
	memory_free(&pids->items);
}

static int list_netns(uint32_t subu, struct pids *ret, struct error *error)
{
	char name[SUBU_ID_TEXT_MAX];
	CLEANUP(fd_close) int fd = -1;
	int code = netns_open(subu_netns(subu, name), &fd, error);

	if (code < 0)
		return code == -ENOENT ? 0 : code;
	return netns_processes(fd, &ret->items, &ret->count, error);
}

static int list_cgroup(uint32_t subu, struct pids *ret, struct error *error)
{
	char name[SUBU_ID_TEXT_MAX];
	CLEANUP(fd_close) int fd = -1;
	int code = cgroup_open(subu_cgroup(subu, name), &fd, error);

	if (code < 0)
		return code == -ENOENT || code == -EOPNOTSUPP ? 0 : code;
	return cgroup_processes(fd, &ret->items, &ret->count, error);
}

static int compare(const void *a, const void *b)
{
	const struct inmate *left = a, *right = b;

	return (left->pid > right->pid) - (left->pid < right->pid);
}

/* One row for each process, of two that follow each other. Returns how many are left. */
static size_t merge(struct inmate *inmates, size_t count)
{
	size_t kept = 0;

	qsort(inmates, count, sizeof(*inmates), compare);
	for (size_t i = 0; i < count; i++) {
		if (kept && inmates[kept - 1].pid == inmates[i].pid) {
			inmates[kept - 1].in_netns |= inmates[i].in_netns;
			inmates[kept - 1].in_cgroup |= inmates[i].in_cgroup;
		} else {
			inmates[kept++] = inmates[i];
		}
	}
	return kept;
}

int inmates_list(uint32_t subu, struct inmate **ret, size_t *ret_count, struct error *error)
{
	CLEANUP(pids_free) struct pids netns = {};
	CLEANUP(pids_free) struct pids cgroup = {};
	struct inmate *inmates;
	size_t count = 0;
	int code = list_netns(subu, &netns, error);

	if (code == 0)
		code = list_cgroup(subu, &cgroup, error);
	if (code < 0)
		return code;
	inmates = memory_resize(NULL, netns.count + cgroup.count + 1, sizeof(*inmates));
	for (size_t i = 0; i < netns.count; i++)
		inmates[count++] = (struct inmate){.pid = netns.items[i], .in_netns = true};
	for (size_t i = 0; i < cgroup.count; i++)
		if (cgroup.items[i] != getpid())
			inmates[count++] =
				(struct inmate){.pid = cgroup.items[i], .in_cgroup = true};
	*ret = inmates;
	*ret_count = merge(inmates, count);
	return 0;
}
