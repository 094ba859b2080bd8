/* reconcile/plan: thousands of random pairs of what is desired and what is there, on a naive model
 * of the kernel (kernel_model.h). A plan does what it is for; none of its operations is refused or
 * useless; nothing is left to plan after it; and wherever it is cut off, the next plan still gets
 * there, or anywhere else. What security needs is looked at after every single operation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel_model.h"
#include "random_state.h"
#include "reconcile/plan.h"

#define PAIRS 3000

static void kernel_clear(struct kernel_model *kernel)
{
	subu_state_clear(&kernel->state);
}

/* One random case: from here to there, and to somewhere else when interrupted. */
struct journey {
	uint32_t seed;
	struct kernel_model start;
	struct subu_state desired, elsewhere;
};

/* Where there are no control groups, a plan with forced egress is refused before it is carried out.
 */
static void forget_steering(struct subu_state *desired)
{
	for (size_t i = 0; i < desired->link_count; i++)
		desired->links[i].steered = false;
}

static void journey_begin(struct journey *journey, uint32_t seed)
{
	struct random random = {seed};

	journey->seed = seed;
	random_actual(&random, &journey->start.state);
	journey->start.promotes = random_chance(&random, 50);
	random_desired(&random, &journey->desired);
	random_desired(&random, &journey->elsewhere);
	if (!journey->start.state.cgroups) {
		forget_steering(&journey->desired);
		forget_steering(&journey->elsewhere);
	}
}

static void journey_end(struct journey *journey)
{
	kernel_clear(&journey->start);
	subu_state_clear(&journey->desired);
	subu_state_clear(&journey->elsewhere);
}

/* Fails, with all that is needed to see it again. */
static void complain(const struct journey *journey, const struct plan *plan, size_t place,
		     const char *complaint)
{
	char words[OPERATION_TEXT_MAX];

	for (size_t i = 0; i < plan->count; i++)
		print_error("%s %s\n", i == place ? "->" : "  ",
			    operation_format(plan, &plan->operations[i], words));
	fail_msg("seed %u: %s", journey->seed, complaint);
}

/* What a deleted IPv4 address may take with it, it may also leave. And setting the MTU that a
 * device happens to begin with is no waste. */
static bool may_be_useless(const struct plan *plan, const struct operation *operation)
{
	if (operation->kind == OPERATION_LINK_MTU)
		return true;
	if (operation->kind != OPERATION_ADDRESS_ADD &&
	    operation->kind != OPERATION_ADDRESS_DELETE && operation->kind != OPERATION_ROUTE_ADD)
		return false;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->operations[i].kind == OPERATION_ADDRESS_DELETE &&
		    plan->operations[i].tunnel == operation->tunnel &&
		    plan->operations[i].cidr.ip.family == AF_INET)
			return operation->cidr.ip.family == AF_INET;
	return false;
}

static bool is_within(const struct cidr_list *list, const struct cidr_list *allowed)
{
	for (size_t i = 0; i < list->count; i++)
		if (!cidr_list_holds(allowed, &list->items[i]))
			return false;
	return true;
}

/* Nothing that nobody wants is there any more: whatever comes now comes into a clean place. */
static const char *check_clean(const struct subu_state *desired, const struct subu_state *state)
{
	for (size_t i = 0; i < state->link_count; i++) {
		const struct link_state *link = &state->links[i];
		const struct link_state *wanted = subu_state_find_link(desired, link->tunnel);

		if (!wanted && (link->device || link->files || link->rule_ipv4 || link->rule_ipv6))
			return "something is made while an unwanted link is there";
		if (wanted && (!is_within(&link->main_routes, &wanted->main_routes) ||
			       !is_within(&link->table_routes, &wanted->table_routes)))
			return "something is made while an unwanted route is there";
	}
	return NULL;
}

/* A device that comes into use is all that it should be, but for its routes. */
static const char *check_ready(const struct subu_state *desired, const struct subu_state *state,
			       uint32_t tunnel)
{
	struct link_state link = *subu_state_find_link(state, tunnel);
	struct link_state wanted = *subu_state_find_link(desired, tunnel);
	struct subu_state here = *state, there = *desired;

	link.table_routes = link.main_routes = (struct cidr_list){};
	wanted.table_routes = wanted.main_routes = (struct cidr_list){};
	link.steered &= wanted.steered; /* or another link's turn is yet to come */
	here.egress.present = link.steered;
	here.links = &link;
	there.links = &wanted;
	here.link_count = there.link_count = 1;
	return kernel_model_reached(&there, &here);
}

/* What must hold after the operation, besides that the kernel took it. */
static const char *check_state(const struct subu_state *desired, const struct subu_state *state,
			       const struct operation *operation)
{
	const char *complaint;

	switch (operation->kind) {
	case OPERATION_LINK_CREATE:
	case OPERATION_ENGINE_START:
	case OPERATION_WG_CONFIGURE:
	case OPERATION_ADDRESS_ADD:
	case OPERATION_RULE_ADD:
		return check_clean(desired, state);
	case OPERATION_LINK_UP:
	case OPERATION_ROUTE_ADD:
		complaint = check_clean(desired, state);
		return complaint ? complaint : check_ready(desired, state, operation->tunnel);
	default:
		return NULL;
	}
}

/* Carries out the plan up to an operation. */
static void carry_out(const struct journey *journey, const struct subu_state *desired,
		      const struct plan *plan, size_t end, struct kernel_model *kernel)
{
	for (size_t i = 0; i < end; i++) {
		const struct operation *operation = &plan->operations[i];
		struct kernel_model before;
		const char *complaint;

		kernel_model_copy(&before, kernel);
		complaint = kernel_model_apply(kernel, operation);
		if (!complaint)
			complaint = check_state(desired, &kernel->state, operation);
		if (!complaint && !may_be_useless(plan, operation) &&
		    kernel_model_equal(&before.state, &kernel->state))
			complaint = "this changes nothing";
		kernel_clear(&before);
		if (complaint)
			complain(journey, plan, i, complaint);
	}
}

/* A new plan from here to there, all of it, and no more to plan then. */
static void travel(const struct journey *journey, const struct subu_state *desired,
		   const struct kernel_model *from)
{
	CLEANUP(kernel_clear) struct kernel_model kernel;
	CLEANUP(plan_clear) struct plan plan = {}, rest = {};
	const char *complaint;

	kernel_model_copy(&kernel, from);
	plan_make(desired, &kernel.state, &plan);
	carry_out(journey, desired, &plan, plan.count, &kernel);
	complaint = kernel_model_reached(desired, &kernel.state);
	if (complaint)
		complain(journey, &plan, plan.count, complaint);
	plan_make(desired, &kernel.state, &rest);
	if (rest.count)
		complain(journey, &rest, 0, "a plan is left after the plan");
}

/* From wherever a kill leaves the kernel: on, or elsewhere. */
static void travel_on(const struct journey *journey, const struct kernel_model *kernel)
{
	travel(journey, &journey->desired, kernel);
	travel(journey, &journey->elsewhere, kernel);
}

static void test_plans(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < PAIRS; seed++) {
		CLEANUP(journey_end) struct journey journey;

		journey_begin(&journey, seed);
		travel_on(&journey, &journey.start);
	}
}

/* The plan cut off before and in the middle of its operation number `end`. */
static void cut(const struct journey *journey, const struct plan *plan, size_t end)
{
	CLEANUP(kernel_clear) struct kernel_model kernel;

	kernel_model_copy(&kernel, &journey->start);
	carry_out(journey, &journey->desired, plan, end, &kernel);
	travel_on(journey, &kernel);
	if (end < plan->count && kernel_model_apply_half(&kernel, &plan->operations[end]))
		travel_on(journey, &kernel);
}

static void test_cut_plans(void **state)
{
	(void)state;
	for (uint32_t seed = PAIRS; seed < PAIRS + PAIRS / 4; seed++) {
		CLEANUP(journey_end) struct journey journey;
		CLEANUP(plan_clear) struct plan plan = {};

		journey_begin(&journey, seed);
		plan_make(&journey.desired, &journey.start.state, &plan);
		for (size_t end = 1; end <= plan.count; end++)
			cut(&journey, &plan, end);
	}
}

/* The words of each operation name what it is done to, and fit. */
static void test_words(void **state)
{
	char words[OPERATION_TEXT_MAX];

	(void)state;
	for (uint32_t seed = 0; seed < PAIRS; seed++) {
		CLEANUP(journey_end) struct journey journey;
		CLEANUP(plan_clear) struct plan plan = {};

		journey_begin(&journey, seed);
		plan_make(&journey.desired, &journey.start.state, &plan);
		for (size_t i = 0; i < plan.count; i++) {
			operation_format(&plan, &plan.operations[i], words);
			assert_non_null(strstr(words, "subu_"));
			assert_true(strlen(words) < OPERATION_TEXT_MAX - 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_cut_plans),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
