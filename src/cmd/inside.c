#include "cmd/inside.h"

#include <errno.h>

#include "base/memory.h"
#include "kernel/cgroup.h"
#include "reconcile/observe.h"

static int find_link(struct store *store, struct inside *inside, struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	int code = store_find_link_of_subu(store, inside->subu.id, &inside->link, error);

	if (code == -ENOENT)
		return 0;
	if (code == 0)
		code = store_find_tunnel(store, inside->link.tunnel, &tunnel, error);
	if (code < 0)
		return code;
	inside->linked = true;
	inside->dns = tunnel.dns;
	return 0;
}

/* A process that starts outside the group is out of reach for good: its sockets stay what they are
 * when it is moved in. */
static int open_cgroup(struct inside *inside, struct error *error)
{
	char name[SUBU_ID_TEXT_MAX];
	int code = cgroup_open(subu_cgroup(inside->subu.id, name), &inside->cgroup, error);

	if (code == -EOPNOTSUPP && !(inside->linked && inside->link.steer))
		return 0;
	if (code == -ENOENT)
		return error_set(error, ENOENT,
				 "subu_%u has no control group: `subu reconcile subu_%u` makes it",
				 inside->subu.id, inside->subu.id);
	return code;
}

static int check_steered(const struct inside *inside, struct error *error)
{
	char id[SUBU_ID_TEXT_MAX];
	bool held;
	int code;

	if (!inside->linked || !inside->link.steer)
		return 0;
	subu_id_format(inside->subu.id, id);
	code = observe_held(inside->subu.id, inside->link.tunnel, inside->cgroup, &held, error);
	if (code < 0 || held)
		return code;
	return error_set(error, EPERM,
			 "%s is not steered as it should be, and nothing runs there until it is: "
			 "`subu reconcile %s`",
			 id, id);
}

int inside_find(struct store *store, const struct subu *subu, struct inside *ret,
		struct error *error)
{
	CLEANUP(inside_clear) struct inside inside = {.subu = *subu, .cgroup = -1};
	int code = find_link(store, &inside, error);

	if (code == 0)
		code = open_cgroup(&inside, error);
	if (code == 0)
		code = check_steered(&inside, error);
	if (code < 0)
		return code;
	subu_netns(subu->id, inside.netns);
	*ret = inside;
	inside.cgroup = -1;
	return 0;
}

struct enter inside_enter(const struct inside *inside, const char *account)
{
	const char *own = *inside->subu.account ? inside->subu.account : NULL;

	return (struct enter){
		.netns = inside->netns,
		.cgroup = inside->cgroup,
		.account = account ? account : own,
		.dns = &inside->dns,
	};
}

void inside_clear(struct inside *inside)
{
	fd_close(&inside->cgroup);
}
