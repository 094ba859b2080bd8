#include "reconcile/state.h"

#include <string.h>

#include "base/memory.h"

struct link_state *subu_state_append_link(struct subu_state *state, uint32_t tunnel)
{
	size_t size = state->link_count * sizeof(*state->links);
	struct link_state *grown = memory_resize(NULL, state->link_count + 1, sizeof(*grown));

	/* The private keys in the old block are wiped, which realloc() would not do. */
	if (size) {
		memcpy(grown, state->links, size);
		explicit_bzero(state->links, size);
	}
	memory_free(&state->links);
	state->links = grown;
	grown[state->link_count] = (struct link_state){.tunnel = tunnel};
	return &grown[state->link_count++];
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
