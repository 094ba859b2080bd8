/* egress/ on the running kernel, as root, in the place of place.h: what is attached and pinned, in
 * whatever state an older or newer subu, a killed one or somebody's hand left it, is seen as it is,
 * brought up to date without a gap, and removed without a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "age.h"
#include "base/memory.h"
#include "egress/egress.h"
#include "egress/maps.h"
#include "egress/pin.h"
#include "egress/programs.h"
#include "egress/status.h"
#include "kernel/bpffs.h"
#include "kernel/cgroup.h"
#include "place.h"

/* The numbers of what is pinned; 0 where nothing is. */
struct ids {
	uint32_t links[EGRESS_HOOK_COUNT], programs[EGRESS_HOOK_COUNT];
	uint64_t groups[EGRESS_HOOK_COUNT]; /* 0: the link is dead, or one to another hook */
	uint32_t maps[2];		    /* config, counters */
};

static const char *const map_names[] = {"config", "counters"};

static struct ids identify(void)
{
	struct ids ids = {};
	struct error error;

	for (size_t i = 0; i < EGRESS_HOOK_COUNT; i++) {
		CLEANUP(fd_close) int fd = -1;
		struct bpf_link_info info = {};
		__u32 size = sizeof(info);

		assert_int_equal(pin_open(PLACE_SUBU, egress_hooks[i].name, &fd, &error), 0);
		if (fd < 0)
			continue;
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
		ids.links[i] = info.id;
		ids.programs[i] = info.prog_id;
		if (info.cgroup.attach_type == egress_hooks[i].type)
			ids.groups[i] = info.cgroup.cgroup_id;
	}
	for (size_t i = 0; i < ARRAY_SIZE(map_names); i++) {
		CLEANUP(fd_close) int fd = -1;

		assert_int_equal(pin_open(PLACE_SUBU, map_names[i], &fd, &error), 0);
		if (fd >= 0)
			assert_int_equal(maps_id(fd, &ids.maps[i], &error), 0);
	}
	return ids;
}

static struct egress_status look(const struct place *place)
{
	struct egress_status status;
	struct error error;

	assert_int_equal(egress_observe(PLACE_SUBU, place->cgroup, &status, &error), 0);
	return status;
}

static void install(const struct place *place)
{
	struct error error;

	assert_int_equal(egress_install(PLACE_SUBU, place->cgroup, &place->config, &error), 0);
}

static void assert_current(const struct place *place)
{
	const struct egress_status status = look(place);

	assert_true(status.present);
	assert_true(status.enforced);
	assert_true(status.current);
	assert_memory_equal(&status.config, &place->config, sizeof(status.config));
}

static int send_elsewhere(const struct place *place)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, PLACE_FAR, &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &place->lan, sizeof(place->lan));
	place_drop();
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

/* What may have become of what was installed. */

static void stay(const struct place *place)
{
}

static void age(const struct place *place)
{
	struct error error;

	assert_int_equal(age_install(PLACE_SUBU, 0, &error), 0);
}

static void age_layout(const struct place *place)
{
	struct error error;

	assert_int_equal(age_install(PLACE_SUBU, EGRESS_LAYOUT + 1, &error), 0);
}

static void unpin(const char *name)
{
	struct error error;

	assert_int_equal(pin_delete(PLACE_SUBU, name, &error), 0);
}

static void lose_a_link(const struct place *place)
{
	unpin("connect6");
}

static void lose_the_config(const struct place *place)
{
	unpin("config");
}

static void lose_the_counters(const struct place *place)
{
	unpin("counters");
}

static void lose_all_but_the_folder(const struct place *place)
{
	for (size_t i = 0; i < EGRESS_HOOK_COUNT; i++)
		unpin(egress_hooks[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(map_names); i++)
		unpin(map_names[i]);
}

/* As egress_remove(), killed on its way: two unpinned, one detached. */
static void remove_by_half(const struct place *place)
{
	CLEANUP(fd_close) int fd = -1;
	struct error error;

	unpin("sendmsg6");
	unpin("sendmsg4");
	assert_int_equal(pin_open(PLACE_SUBU, "connect6", &fd, &error), 0);
	assert_int_equal(bpf_link_detach(fd), 0);
}

/* The links are those of a group that is gone, of which the kernel hears some time later. */
static void lose_the_group(const struct place *place)
{
	CLEANUP(memory_free) char *name = memory_format("%s-other", place->group);
	CLEANUP(fd_close) int cgroup = -1;
	struct error error;

	assert_int_equal(egress_remove(PLACE_SUBU, &error), 0);
	assert_int_equal(cgroup_create(name, &error), 0);
	assert_int_equal(cgroup_open(name, &cgroup, &error), 0);
	assert_int_equal(egress_install(PLACE_SUBU, cgroup, &place->config, &error), 0);
	assert_int_equal(cgroup_delete(name, &error), 0);
}

static void lose_the_group_long_ago(const struct place *place)
{
	lose_the_group(place);
	for (int i = 0; i < 500 && identify().groups[0]; i++)
		usleep(10000);
}

/* A newer subu's, that this one knows nothing of; and what a change of the maps left half-way. */
static void gain_pins(const struct place *place)
{
	CLEANUP(fd_close) int fd = -1;
	struct error error;

	assert_int_equal(pin_open(PLACE_SUBU, "config", &fd, &error), 0);
	assert_int_equal(pin_add(fd, PLACE_SUBU, "policy", &error), 0);
	assert_int_equal(pin_add(fd, PLACE_SUBU, "config_new", &error), 0);
}

/* Somebody has put one thing in the place of another. */
static void mix_up_pins(const struct place *place)
{
	CLEANUP(fd_close) int fd = -1;
	struct error error;

	assert_int_equal(pin_open(PLACE_SUBU, "connect6", &fd, &error), 0);
	assert_int_equal(pin_replace(fd, PLACE_SUBU, "connect4", &error), 0);
}

static const struct wear {
	const char *name;
	void (*happen)(const struct place *place);
	bool enforced, current;
	bool counters; /* survive */
} wears[] = {
	{"as it was", stay, true, true, true},
	{"another version", age, true, false, true},
	{"another layout", age_layout, true, false, false},
	{"a link lost", lose_a_link, false, false, true},
	{"the configuration lost", lose_the_config, true, false, false},
	{"the counters lost", lose_the_counters, true, false, false},
	{"an empty folder", lose_all_but_the_folder, false, false, false},
	{"half removed", remove_by_half, false, false, true},
	{"the group gone", lose_the_group, false, false, false},
	{"the group long gone", lose_the_group_long_ago, false, false, false},
	{"pins of others", gain_pins, true, true, true},
	{"pins mixed up", mix_up_pins, false, false, true},
};

/* Every link that was alive on our group is still there, by its number. */
static void assert_same_links(const struct place *place, const struct ids *worn,
			      const struct ids *now)
{
	struct error error;
	uint64_t group;

	assert_int_equal(cgroup_id(place->cgroup, &group, &error), 0);
	for (size_t i = 0; i < EGRESS_HOOK_COUNT; i++) {
		assert_int_equal(now->groups[i], group);
		if (worn->groups[i] == group)
			assert_int_equal(now->links[i], worn->links[i]);
	}
}

static void test_seen_and_mended(void **state)
{
	const struct place *place = *state;
	struct error error;

	for (size_t i = 0; i < ARRAY_SIZE(wears); i++) {
		const struct wear *wear = &wears[i];
		struct egress_status status;
		struct ids worn, mended;

		print_message("# %s\n", wear->name);
		install(place);
		assert_int_equal(place_run(place, send_elsewhere), ENETUNREACH);
		wear->happen(place);
		status = look(place);
		assert_true(status.present);
		assert_int_equal(status.enforced, wear->enforced);
		assert_int_equal(status.current, wear->current);
		worn = identify();
		install(place);
		assert_current(place);
		mended = identify();
		assert_same_links(place, &worn, &mended);
		if (wear->counters)
			assert_true(look(place).counters[EGRESS_REFUSED_DEVICE]);
		else
			assert_false(look(place).counters[EGRESS_REFUSED_DEVICE]);
		assert_int_equal(egress_remove(PLACE_SUBU, &error), 0);
	}
}

/* Nothing that it named is in the kernel, which frees what was unpinned some time later. */
static void assert_freed(const struct ids *ids)
{
	for (size_t i = 0; i < EGRESS_HOOK_COUNT; i++)
		for (int j = 0; j < 500; j++) {
			CLEANUP(fd_close) int link = bpf_link_get_fd_by_id(ids->links[i]);
			CLEANUP(fd_close) int program = bpf_prog_get_fd_by_id(ids->programs[i]);

			if (link < 0 && program < 0)
				break;
			assert_true(j < 499);
			usleep(10000);
		}
	for (size_t i = 0; i < ARRAY_SIZE(map_names); i++)
		for (int j = 0; j < 500; j++) {
			CLEANUP(fd_close) int map = bpf_map_get_fd_by_id(ids->maps[i]);

			if (map < 0)
				break;
			assert_true(j < 499);
			usleep(10000);
		}
}

/* Asked at once: what was detached acts no more, though it be freed later. */
static void assert_unattached(const struct place *place)
{
	for (size_t i = 0; i < EGRESS_HOOK_COUNT; i++) {
		__u32 programs[8], count = ARRAY_SIZE(programs);

		assert_int_equal(bpf_prog_query(place->cgroup, egress_hooks[i].type, 0, NULL,
						programs, &count),
				 0);
		assert_int_equal(count, 0);
	}
}

static void test_removed_without_a_trace(void **state)
{
	const struct place *place = *state;
	struct error error;

	for (size_t i = 0; i < ARRAY_SIZE(wears); i++) {
		struct ids fresh, worn;

		print_message("# %s\n", wears[i].name);
		install(place);
		fresh = identify();
		wears[i].happen(place);
		worn = identify();
		assert_int_equal(egress_remove(PLACE_SUBU, &error), 0);
		assert_int_equal(access(BPFFS_FOLDER "/subu", F_OK), -1);
		assert_false(look(place).present);
		if (wears[i].enforced)
			assert_unattached(place);
		assert_freed(&fresh);
		assert_freed(&worn);
		assert_unattached(place);
	}
	assert_int_equal(egress_remove(PLACE_SUBU, &error), 0);
}

static void test_nothing_is_seen_where_nothing_is(void **state)
{
	const struct place *place = *state;
	struct egress_status status = look(place);
	struct error error;

	assert_false(status.present || status.enforced || status.current);
	install(place);
	assert_int_equal(egress_observe(PLACE_SUBU, -1, &status, &error), 0);
	assert_true(status.present);
	assert_false(status.enforced || status.current);
}

static void test_a_trial_leaves_nothing(void **state)
{
	const struct place *place = *state;
	struct error error;

	assert_int_equal(egress_check(&error), 0);
	assert_false(look(place).present);
	assert_unattached(place);
}

static void test_another_device_changes_the_map_alone(void **state)
{
	struct place *place = *state;
	struct ids before, after;

	install(place);
	before = identify();
	install(place);
	after = identify();
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(place_run(place, send_elsewhere), ENETUNREACH);
	place->config.tunnel = place->lan;
	install(place);
	after = identify();
	assert_memory_equal(&before, &after, sizeof(before));
	assert_current(place);
	assert_int_equal(place_run(place, send_elsewhere), 0);
	assert_int_equal(place_sent(place, "lan0"), 1);
}

/* Two sub-users: the pins' folder of one says nothing of the other. */
static void test_others_are_left_alone(void **state)
{
	const struct place *place = *state;
	struct error error;
	struct ids before, after;

	install(place);
	before = identify();
	assert_int_equal(egress_install("subu_1", place->cgroup, &place->config, &error), 0);
	assert_int_equal(egress_remove("subu_1", &error), 0);
	after = identify();
	assert_memory_equal(&before, &after, sizeof(before));
	assert_current(place);
}

/* Databases know nothing of each other, and the pins of all are in one folder. */
static void test_many_folders_at_once(void **state)
{
	const struct place *place = *state;
	pid_t children[4];

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			CLEANUP(memory_free) char *name = memory_format("subu_%zu", i);
			struct error error;

			for (int j = 0; j < 200; j++)
				if (pin_folder_create(name, &error) < 0 ||
				    pin_folder_delete(name, &error) < 0) {
					fprintf(stderr, "%s\n", error.text);
					_exit(1);
				}
			_exit(0);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		int status;

		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(access(BPFFS_FOLDER "/subu", F_OK), -1);
	assert_false(look(place).present);
}

/* Sends, as nobody, without end: by a socket that was connected before there were programs, which
 * only the packets' program can stop; and by fresh ones. */
static int send_on_and_on(const struct place *place)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int old = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, PLACE_FAR, &to.sin_addr);
	if (connect(old, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 253;
	place_drop();
	for (;;) {
		int fresh = socket(AF_INET, SOCK_DGRAM, 0);

		for (int i = 0; i < 50; i++)
			(void)!send(old, "x", 1, 0);
		sendto(fresh, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
		close(fresh);
	}
}

static void test_no_packet_in_between(void **state)
{
	const struct place *place = *state;
	pid_t child = place_start(place, send_on_and_on);
	uint64_t before, tunnel;

	for (int i = 0; i < 500 && place_sent(place, "lan0") < 100; i++)
		usleep(10000);
	assert_true(place_sent(place, "lan0") >= 100); /* while it is not steered */
	install(place);
	usleep(50000); /* for a packet that was on its way out on another processor */
	before = place_sent(place, "lan0");
	tunnel = place_sent(place, "tunnel0");
	for (int i = 0; i < 200; i++) {
		if (i % 3 == 0)
			age_layout(place);
		else
			age(place);
		install(place);
	}
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
	assert_int_equal(place_sent(place, "lan0"), before);
	assert_true(place_sent(place, "tunnel0") > tunnel);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

#define with_place(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_place(test_nothing_is_seen_where_nothing_is),
		with_place(test_a_trial_leaves_nothing),
		with_place(test_another_device_changes_the_map_alone),
		with_place(test_others_are_left_alone),
		with_place(test_seen_and_mended),
		with_place(test_removed_without_a_trace),
		with_place(test_many_folders_at_once),
		with_place(test_no_packet_in_between),
	};

	return place_unshare() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
