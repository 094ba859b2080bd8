#include "random_state.h"

#include "base/memory.h"

#define TUNNELS	 3
#define KEYS	 4
#define MTU_IPV6 1280

static const char *const networks[] = {
	"0.0.0.0/0", "10.1.0.0/16",   "10.1.2.0/24",   "192.0.2.7/32",
	"::/0",	     "2001:db8::/32", "fd00:1::1/128",
};
static const char *const addresses[] = {
	"10.0.0.2/24", "10.0.0.3/24", "10.0.0.3/32", "10.0.0.4/24",
	"10.9.9.9/32", "fd00::2/64",  "fd00::2/128", "fd00::3/128",
};
static const char *const endpoints[] = {"192.0.2.1:1", "192.0.2.1:2", "[2001:db8::1]:1"};

/* splitmix64 (https://prng.di.unimi.it/splitmix64.c). */
uint32_t random_below(struct random *random, uint32_t count)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % count);
}

bool random_chance(struct random *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}

static struct cidr cidr_of(const char *text)
{
	struct error error;
	struct cidr cidr = {};

	cidr_parse(text, &cidr, &error);
	return cidr;
}

static struct key key_of(uint32_t number)
{
	struct key key = {{(uint8_t)number}};

	return key;
}

static union socket_address random_address(struct random *random)
{
	union socket_address address = {};
	uint32_t which = random_below(random, ARRAY_SIZE(endpoints) + 1);
	struct error error;

	if (which < ARRAY_SIZE(endpoints))
		socket_address_parse(endpoints[which], &address, &error);
	return address;
}

/* Each network goes to one of the peers or to none. */
static void random_networks(struct random *random, struct wg_device *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		uint32_t owner = random_below(random, KEYS);
		struct cidr network = cidr_of(networks[i]);

		if (owner < device->peer_count)
			cidr_list_append(&device->peers[owner].allowed_ips, &network);
	}
}

/* Peers numbered from first_key, some of those left out. */
static void random_device(struct random *random, uint32_t first_key, struct wg_device *ret)
{
	*ret = (struct wg_device){
		.private_key = key_of(1 + random_below(random, 2)),
		.listen_port = (uint16_t)(2000 * random_below(random, 3)),
		.fwmark = 5 * random_below(random, 2),
	};
	for (uint32_t i = first_key; i < KEYS; i++) {
		struct wg_peer *peer;

		if (random_chance(random, 50))
			continue;
		peer = wg_device_append_peer(ret);
		peer->public_key = key_of(i);
		peer->preshared_key = key_of(random_below(random, 2));
		peer->keepalive = (uint16_t)(25 * random_below(random, 2));
		peer->address = random_address(random);
	}
	random_networks(random, ret);
}

void random_desired_device(struct random *random, struct wg_device *ret)
{
	random_device(random, 0, ret);
}

void random_running_device(struct random *random, struct wg_device *ret)
{
	random_device(random, 1, ret);
	if (random_chance(random, 10))
		ret->private_key = key_of(0);
}

/* A device has an IPv6 address once, whatever its prefix length. */
static bool holds_address(const struct cidr_list *list, const struct cidr *cidr)
{
	for (size_t i = 0; i < list->count; i++)
		if (cidr->ip.family == AF_INET6 && ip_equal(&list->items[i].ip, &cidr->ip))
			return true;
	return cidr_list_holds(list, cidr);
}

/* Some of the texts, in any order. */
static void random_list(struct random *random, const char *const *texts, uint32_t count, bool ipv6,
			struct cidr_list *ret)
{
	for (uint32_t i = random_below(random, 4); i > 0; i--) {
		struct cidr cidr = cidr_of(texts[random_below(random, count)]);

		if (!holds_address(ret, &cidr) && (ipv6 || cidr.ip.family == AF_INET))
			cidr_list_append(ret, &cidr);
	}
}

static void copy_routes(const struct wg_device *device, bool ipv6, struct cidr_list *ret)
{
	for (size_t i = 0; i < device->peer_count; i++)
		for (size_t j = 0; j < device->peers[i].allowed_ips.count; j++)
			if (ipv6 || device->peers[i].allowed_ips.items[j].ip.family == AF_INET)
				cidr_list_append(ret, &device->peers[i].allowed_ips.items[j]);
}

static uint32_t random_mtu(struct random *random)
{
	static const uint32_t mtus[] = {1420, 1420, 1500, 1280, 1000};

	return mtus[random_below(random, ARRAY_SIZE(mtus))];
}

static void random_desired_link(struct random *random, struct link_state *link, bool may_have_main)
{
	bool ipv6;

	link->device = link->running = link->prepared = link->rule_ipv4 = link->rule_ipv6 = true;
	link->backend = random_chance(random, 50) ? BACKEND_ENGINE : BACKEND_KERNEL;
	link->up = random_chance(random, 70);
	link->mtu = random_mtu(random);
	ipv6 = link->mtu >= MTU_IPV6;
	random_desired_device(random, &link->wg);
	random_list(random, addresses, ARRAY_SIZE(addresses), ipv6, &link->addresses);
	if (!link->up || random_chance(random, 20))
		return;
	copy_routes(&link->wg, ipv6, &link->table_routes);
	if (may_have_main && random_chance(random, 50))
		copy_routes(&link->wg, ipv6, &link->main_routes);
}

void random_desired(struct random *random, struct subu_state *ret)
{
	uint32_t with_main = random_below(random, TUNNELS);
	uint32_t steered = random_below(random, TUNNELS);

	*ret = (struct subu_state){.present = random_chance(random, 90)};
	if (!ret->present)
		return;
	ret->prepared = ret->cgroup = true;
	for (size_t i = 0; i < FENCE_COUNT; i++)
		ret->fences[i] = random_chance(random, 70);
	ret->lo_up = random_chance(random, 50);
	for (uint32_t i = 0; i < TUNNELS; i++) {
		struct link_state *link;

		if (random_chance(random, 50))
			continue;
		link = subu_state_append_link(ret, i);
		random_desired_link(random, link, i == with_main);
		link->steered = i == steered && random_chance(random, 80);
	}
}

/* The main table has one route to a network. */
static void random_main_routes(struct random *random, const struct subu_state *state, bool ipv6,
			       struct link_state *link)
{
	CLEANUP(cidr_list_clear) struct cidr_list list = {};

	random_list(random, networks, ARRAY_SIZE(networks), ipv6, &list);
	for (size_t i = 0; i < list.count; i++) {
		bool taken = false;

		for (size_t j = 0; j < state->link_count; j++)
			taken |= cidr_list_holds(&state->links[j].main_routes, &list.items[i]);
		if (!taken)
			cidr_list_append(&link->main_routes, &list.items[i]);
	}
}

static void random_actual_device(struct random *random, const struct subu_state *state,
				 struct link_state *link)
{
	bool ipv6;

	link->device = true;
	link->backend = random_chance(random, 50) ? BACKEND_ENGINE : BACKEND_KERNEL;
	link->running = link->backend == BACKEND_KERNEL || random_chance(random, 70);
	link->foreign = !link->running && random_chance(random, 20);
	link->files |= link->backend == BACKEND_ENGINE && link->running;
	link->up = random_chance(random, 60);
	link->prepared = random_chance(random, 70);
	link->mtu = random_mtu(random);
	ipv6 = state->ipv6 && link->mtu >= MTU_IPV6;
	if (link->running)
		random_running_device(random, &link->wg);
	if (link->running && link->up && !link->wg.listen_port)
		link->wg.listen_port = 40000;
	random_list(random, addresses, ARRAY_SIZE(addresses), ipv6, &link->addresses);
	if (!link->up)
		return;
	random_list(random, networks, ARRAY_SIZE(networks), ipv6, &link->table_routes);
	if (random_chance(random, 50))
		random_main_routes(random, state, ipv6, link);
}

void random_actual(struct random *random, struct subu_state *ret)
{
	uint32_t steered = random_below(random, TUNNELS + 1);

	*ret = (struct subu_state){
		.present = random_chance(random, 80),
		.ipv6 = random_chance(random, 70),
		.cgroups = random_chance(random, 80),
	};
	if (ret->present) {
		ret->prepared = random_chance(random, 70);
		for (size_t i = 0; i < FENCE_COUNT; i++)
			ret->fences[i] = (ret->ipv6 || fences[i].family == AF_INET) &&
					 random_chance(random, 50);
		ret->lo_up = random_chance(random, 50);
	}
	ret->cgroup = ret->cgroups && random_chance(random, 70);
	ret->cgroup_left = ret->cgroups && !ret->cgroup && random_chance(random, 10);
	ret->egress.present = random_chance(random, 60);
	if (ret->present || ret->cgroup)
		ret->process_count = random_below(random, 3);
	for (uint32_t i = 0; i < TUNNELS; i++) {
		struct link_state *link;

		if (random_chance(random, 40))
			continue;
		link = subu_state_append_link(ret, i);
		link->files = random_chance(random, 20);
		if (!ret->present)
			continue;
		link->rule_ipv4 = random_chance(random, 50);
		link->rule_ipv6 = ret->ipv6 && random_chance(random, 50);
		if (random_chance(random, 75))
			random_actual_device(random, ret, link);
		link->steered = i == steered && link->device && ret->cgroup && ret->egress.present;
	}
}
