#include "wireguard/schedule.h"

#include "base/memory.h"

static void put(struct schedule *schedule, size_t place, struct schedule_item *item)
{
	schedule->items[place] = item;
	item->place = place;
}

/* An item is never later than its two children, at 2n + 1 and 2n + 2. */
static void move_up(struct schedule *schedule, struct schedule_item *item)
{
	size_t place = item->place, parent;

	for (; place > 0; place = parent) {
		parent = (place - 1) / 2;
		if (schedule->items[parent]->at <= item->at)
			break;
		put(schedule, place, schedule->items[parent]);
	}
	put(schedule, place, item);
}

static void move_down(struct schedule *schedule, struct schedule_item *item)
{
	size_t place = item->place, child;

	while ((child = 2 * place + 1) < schedule->count) {
		if (child + 1 < schedule->count &&
		    schedule->items[child + 1]->at < schedule->items[child]->at)
			child++;
		if (item->at <= schedule->items[child]->at)
			break;
		put(schedule, place, schedule->items[child]);
		place = child;
	}
	put(schedule, place, item);
}

void schedule_add(struct schedule *schedule, struct schedule_item *item)
{
	if (schedule->count == schedule->capacity) {
		schedule->capacity = schedule->capacity ? schedule->capacity * 2 : 16;
		schedule->items = memory_resize(schedule->items, schedule->capacity,
						sizeof(*schedule->items));
	}
	item->at = MOMENT_NEVER;
	put(schedule, schedule->count++, item);
}

void schedule_remove(struct schedule *schedule, struct schedule_item *item)
{
	struct schedule_item *last = schedule->items[--schedule->count];

	if (last == item)
		return;
	put(schedule, item->place, last);
	move_up(schedule, last);
	move_down(schedule, last);
}

void schedule_set(struct schedule *schedule, struct schedule_item *item, uint64_t at)
{
	item->at = at;
	move_up(schedule, item);
	move_down(schedule, item);
}

struct schedule_item *schedule_first(const struct schedule *schedule)
{
	return schedule->count ? schedule->items[0] : NULL;
}

void schedule_clear(struct schedule *schedule)
{
	free(schedule->items);
	*schedule = (struct schedule){};
}
