#include "reconcile/state.h"

#include <stdio.h>

#include "base/memory.h"

const struct fence fences[FENCE_COUNT] = {
	{AF_INET, IPPROTO_ICMP},
	{AF_INET, IPPROTO_TCP},
	{AF_INET6, IPPROTO_ICMPV6},
	{AF_INET6, IPPROTO_TCP},
};

const struct netns_setting netns_settings[NETNS_SETTING_COUNT] = {
	{"net/ipv4/conf/all/forwarding", "0"},	  {"net/ipv4/conf/all/rp_filter", "0"},
	{"net/ipv4/conf/default/rp_filter", "0"}, {"net/ipv4/ping_group_range", NULL},
	{"net/ipv6/ip_nonlocal_bind", "1"},
};

const char *netns_setting_value(const struct netns_setting *setting, gid_t last_group,
				char value[static NETNS_SETTING_MAX])
{
	if (setting->value)
		snprintf(value, NETNS_SETTING_MAX, "%s", setting->value);
	else
		snprintf(value, NETNS_SETTING_MAX, "0 %u", last_group);
	return value;
}

struct link_state *subu_state_append_link(struct subu_state *state, uint32_t tunnel)
{
	struct link_state *link;

	state->links = memory_grow_secret(state->links, state->link_count, sizeof(*link));
	link = &state->links[state->link_count++];
	*link = (struct link_state){.tunnel = tunnel};
	return link;
}

bool subu_state_is_steered(const struct subu_state *state)
{
	for (size_t i = 0; i < state->link_count; i++)
		if (state->links[i].steered)
			return true;
	return false;
}

bool subu_state_is_held(const struct subu_state *state)
{
	for (size_t i = 0; i < state->link_count; i++)
		if (state->links[i].held)
			return true;
	return false;
}

struct link_state *subu_state_find_link(const struct subu_state *state, uint32_t tunnel)
{
	for (size_t i = 0; i < state->link_count; i++)
		if (state->links[i].tunnel == tunnel)
			return &state->links[i];
	return NULL;
}

void link_state_clear(struct link_state *link)
{
	wg_device_clear(&link->wg);
	cidr_list_clear(&link->addresses);
	cidr_list_clear(&link->table_routes);
	cidr_list_clear(&link->main_routes);
}

void subu_state_clear(struct subu_state *state)
{
	for (size_t i = 0; i < state->link_count; i++)
		link_state_clear(&state->links[i]);
	memory_free(&state->links);
	*state = (struct subu_state){};
}
