#include "reconcile/reconcile.h"

#include <errno.h>
#include <time.h>

#include "base/memory.h"
#include "egress/egress.h"
#include "kernel/cgroup.h"
#include "model/subu.h"
#include "reconcile/apply.h"
#include "reconcile/desired.h"
#include "reconcile/observe.h"
#include "reconcile/plan.h"

int reconcile_look(const struct reconcile *reconcile, uint32_t subu, struct plan *ret,
		   struct error *error)
{
	CLEANUP(subu_state_clear) struct subu_state desired = {}, actual = {};
	CLEANUP(memory_free) uint32_t *tunnels = NULL;
	size_t tunnel_count;
	int code = desired_load(reconcile->store, subu, &desired, &tunnels, &tunnel_count, error);

	if (code == 0)
		code = observe(subu, tunnels, tunnel_count, &actual, error);
	if (code < 0)
		return code;
	if (desired.link_count)
		desired_choose_backends(&desired, &actual, backend_kernel_present());
	code = endpoints_resolve(&desired, &actual, time(NULL), reconcile->endpoints,
				 &reconcile->listener, error);
	if (code < 0)
		return code;
	plan_make(&desired, &actual, ret);
	return 0;
}

static int check_kernel_backend(struct error *error)
{
	if (backend_kernel_present())
		return 0;
	return error_set(error, EOPNOTSUPP,
			 "this kernel has no WireGuard: load its module, or set the option backend "
			 "to auto or engine");
}

/* Would forced egress be possible? The control group may be still to be made. */
static int check_steering(uint32_t subu, struct error *error)
{
	char name[SUBU_ID_TEXT_MAX];
	CLEANUP(fd_close) int cgroup = -1;
	int code = cgroup_open(subu_cgroup(subu, name), &cgroup, error);

	if (code == 0 || code == -ENOENT)
		code = egress_check(error);
	return code < 0 ? error_wrap(error, "cannot steer subu_%u", subu) : 0;
}

/* Refuses a plan before its first operation where one of the later ones cannot succeed. */
static int check_possible(const struct plan *plan, struct error *error)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < plan->count; i++) {
		if (plan->operations[i].kind == OPERATION_LINK_CREATE)
			code = check_kernel_backend(error);
		else if (plan->operations[i].kind == OPERATION_STEER_ON)
			code = check_steering(plan->subu, error);
	}
	return code;
}

static int make_plan(const struct reconcile *reconcile, uint32_t subu, struct plan *ret,
		     struct error *error)
{
	int code = reconcile_look(reconcile, subu, ret, error);

	return code < 0 ? code : check_possible(ret, error);
}

/* The rows of a sub-user: both may be missing. */
struct rows {
	bool has_subu, has_link;
	struct subu subu;
	struct subu_link link;
};

static int read_rows(struct store *store, uint32_t id, struct rows *ret, struct error *error)
{
	const struct name_reference reference = {.by_id = true, .id = id};
	struct rows rows = {};
	int code = store_find_subu(store, &reference, &rows.subu, error);

	rows.has_subu = code == 0;
	if (code == 0 || code == -ENOENT)
		code = store_find_link_of_subu(store, id, &rows.link, error);
	rows.has_link = code == 0;
	if (code < 0 && code != -ENOENT)
		return code;
	*ret = rows;
	return 0;
}

static bool is_unsettled(const struct rows *rows)
{
	return (rows->has_subu && rows->subu.phase != PHASE_PRESENT) ||
	       (rows->has_link && rows->link.phase != PHASE_PRESENT);
}

/* Commits what is being made and removed, so that it has rows whatever happens next. */
static int record(struct store *store, uint32_t id, struct error *error)
{
	struct rows rows;
	int code = read_rows(store, id, &rows, error);

	if (code < 0 || !is_unsettled(&rows))
		return code;
	code = store_commit(store, error);
	return code < 0 ? code : store_begin(store, error);
}

static int settle_link(struct store *store, struct subu_link *link, struct error *error)
{
	if (link->phase == PHASE_REMOVING)
		return store_delete_link(store, link, error);
	link->phase = PHASE_PRESENT;
	return store_update_link(store, link, error);
}

static int settle_subu(struct store *store, struct subu *subu, struct error *error)
{
	if (subu->phase == PHASE_REMOVING)
		return store_delete_subu(store, subu->id, error);
	subu->phase = PHASE_PRESENT;
	return store_update_subu(store, subu, error);
}

/* The kernel agrees: what was making is present, what was removing is gone. */
static int settle(struct store *store, uint32_t id, struct error *error)
{
	struct rows rows;
	int code = read_rows(store, id, &rows, error);

	if (code < 0 || !is_unsettled(&rows))
		return code;
	if (rows.has_link)
		code = settle_link(store, &rows.link, error);
	if (code == 0 && rows.has_subu)
		code = settle_subu(store, &rows.subu, error);
	return code;
}

/* Marks what could not be made to be removed. */
static int give_up_making(struct store *store, uint32_t id, struct error *error)
{
	struct rows rows;
	int code = read_rows(store, id, &rows, error);

	if (code < 0)
		return code;
	if (rows.has_subu && rows.subu.phase == PHASE_MAKING) {
		rows.subu.phase = PHASE_REMOVING;
		code = store_update_subu(store, &rows.subu, error);
	}
	if (code == 0 && rows.has_link && rows.link.phase == PHASE_MAKING) {
		rows.link.phase = PHASE_REMOVING;
		code = store_update_link(store, &rows.link, error);
	}
	return code;
}

static int run(const struct reconcile *reconcile, uint32_t subu, struct plan *plan,
	       struct error *error)
{
	int code = record(reconcile->store, subu, error);

	if (code == 0)
		code = make_plan(reconcile, subu, plan, error);
	if (code == 0)
		code = apply(plan, error);
	if (code == 0)
		code = settle(reconcile->store, subu, error);
	if (code == 0)
		code = store_commit(reconcile->store, error);
	if (code < 0)
		store_rollback(reconcile->store);
	return code;
}

static void ignore_unresolved(void *data, const char *sentence)
{
	(void)data;
	(void)sentence;
}

/* Goes back to what was desired before. What cannot be undone now is left for `subu reconcile`, and
 * the message says so. */
static void take_back(const struct reconcile *reconcile, uint32_t subu, struct error *error)
{
	CLEANUP(plan_clear) struct plan plan = {};
	const struct reconcile back = {.store = reconcile->store,
				       .listener = {.unresolved = ignore_unresolved}};
	const struct error first = *error;
	struct error second;
	int code = store_begin(reconcile->store, &second);

	if (code == 0)
		code = give_up_making(reconcile->store, subu, &second);
	if (code == 0)
		code = run(&back, subu, &plan, &second);
	if (code == 0)
		return;
	store_rollback(reconcile->store);
	error_set(error, first.code, "%.500s; and going back failed: %.400s", first.text,
		  second.text);
}

int reconcile_change(const struct reconcile *reconcile, uint32_t subu, struct plan *ret_plan,
		     struct error *error)
{
	CLEANUP(plan_clear) struct plan plan = {};
	int code;

	if (reconcile->dry_run) {
		code = make_plan(reconcile, subu, &plan, error);
		store_rollback(reconcile->store);
	} else {
		code = run(reconcile, subu, &plan, error);
		if (code < 0 && !reconcile->unchanged)
			take_back(reconcile, subu, error);
	}
	if (code < 0)
		return code;
	*ret_plan = plan;
	plan = (struct plan){};
	return 0;
}
