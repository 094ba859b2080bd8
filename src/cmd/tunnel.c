/* WG global, create, import, remove. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "model/pool.h"
#include "wireguard/conf.h"

/* The addresses of all tunnels, or of those that the pool handed out. */
static int list_addresses(struct store *store, bool from_pool_only, struct cidr_list *ret,
			  struct error *error)
{
	CLEANUP(memory_free) uint32_t *ids = NULL;
	size_t count = 0;
	int code = store_list_tunnel_ids(store, &ids, &count, error);

	for (size_t i = 0; code == 0 && i < count; i++) {
		CLEANUP(tunnel_clear) struct tunnel tunnel = {};

		code = store_find_tunnel(store, ids[i], &tunnel, error);
		if (code < 0 || (from_pool_only && !tunnel.from_pool))
			continue;
		for (size_t j = 0; j < tunnel.addresses.count; j++)
			cidr_list_append(ret, &tunnel.addresses.items[j]);
	}
	return code;
}

int cmd_tunnel_global(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(cidr_list_clear) struct cidr_list handed_out = {}, taken = {};
	CLEANUP(store_close) struct store *store = NULL;
	char base[CIDR_TEXT_MAX], next[CIDR_TEXT_MAX] = "", line[160];
	struct cidr pool, free_address;
	int code;

	if (cidr_parse(argv[1], &pool, error) < 0)
		return error_as_usage(error);
	code = command_open(command, STORE_WRITE, &store, error);
	if (code == 0)
		code = store_begin(store, error);
	if (code == 0)
		code = list_addresses(store, true, &handed_out, error);
	if (code == 0)
		code = pool_check(&pool, &handed_out, error);
	if (code == -EINVAL)
		error_as_usage(error);
	if (code == 0)
		code = list_addresses(store, false, &taken, error);
	if (code == 0)
		code = store_set_pool(store, &pool, error);
	if (code < 0)
		return code;
	cidr_format(&pool, base);
	if (pool_next(&pool, &taken, &free_address, error) == 0)
		ip_format(&free_address.ip, next);
	snprintf(line, sizeof(line), "%s is the pool; next free: %s", base,
		 *next ? next : "none, it is used up");
	return command_commit(command, store,
			      json_pack("{ss ss?}", "pool", base, "next", *next ? next : NULL),
			      line, error);
}

/* Adds the tunnel, says its id, its addresses and its public key. */
static int add(const struct command *command, struct store *store, struct tunnel *tunnel,
	       struct error *error)
{
	CLEANUP(memory_free) char *addresses = cidr_list_format(&tunnel->addresses);
	char id[SUBU_ID_TEXT_MAX], key[KEY_BASE64_MAX];
	CLEANUP(memory_free) char *line = NULL;
	struct key public_key;
	int code = store_add_tunnel(store, tunnel, error);

	if (code == 0)
		code = key_derive_public(&tunnel->device.private_key, &public_key, error);
	if (code < 0)
		return code;
	key_to_base64(&public_key, key);
	tunnel_id_format(tunnel->id, id);
	line = memory_format("%s has address %s and public key %s", id, addresses, key);
	return command_commit(command, store,
			      json_pack("{ss so ss}", "tunnel", id, "addresses",
					command_cidrs_json(&tunnel->addresses), "public_key", key),
			      line, error);
}

/* A peer that all traffic of the pool's family goes to, and IPv4's where the pool is IPv6. */
static int fill_new(struct store *store, const char *endpoint, struct tunnel *tunnel,
		    struct error *error)
{
	const struct cidr everything_ipv4 = {.ip.family = AF_INET};
	const struct cidr everything_ipv6 = {.ip.family = AF_INET6};
	struct wg_peer *peer = wg_device_append_peer(&tunnel->device);
	CLEANUP(cidr_list_clear) struct cidr_list taken = {};
	struct cidr pool, address;
	int code = endpoint_parse(endpoint, &peer->endpoint, error);

	if (code < 0)
		return error_as_usage(error);
	code = store_get_pool(store, &pool, error);
	if (code == 0)
		code = list_addresses(store, false, &taken, error);
	if (code == 0)
		code = pool_next(&pool, &taken, &address, error);
	if (code == 0)
		code = key_generate_private(&tunnel->device.private_key, error);
	if (code < 0)
		return code;
	cidr_list_append(&tunnel->addresses, &address);
	cidr_list_append(&peer->allowed_ips, &everything_ipv4);
	if (pool.ip.family == AF_INET6)
		cidr_list_append(&peer->allowed_ips, &everything_ipv6);
	tunnel->routes = tunnel->from_pool = true;
	return 0;
}

int cmd_tunnel_create(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	int code = command_open(command, STORE_WRITE, &store, error);

	if (code == 0)
		code = store_begin(store, error);
	if (code == 0)
		code = fill_new(store, argv[1], &tunnel, error);
	return code < 0 ? code : add(command, store, &tunnel, error);
}

int cmd_tunnel_import(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	unsigned int ignored = 0;
	struct key public_key;
	int code = conf_read(argv[1], &tunnel, &ignored, error);

	if (code == 0)
		code = conf_check(argv[1], &tunnel, error);
	if (code == 0 && tunnel_check_peers(&tunnel, &public_key, error) < 0)
		code = error_wrap(error, "%.200s", argv[1]);
	if (code == 0)
		code = command_open(command, STORE_WRITE, &store, error);
	if (code == 0)
		code = store_begin(store, error);
	if (code == 0)
		code = add(command, store, &tunnel, error);
	if (code == 0)
		command_warn_ignored(command, argv[1], ignored);
	return code;
}

int cmd_tunnel_remove(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(store_close) struct store *store = NULL;
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	char line[96], id[SUBU_ID_TEXT_MAX];
	struct subu_link link;
	int code = command_open(command, STORE_WRITE, &store, error);

	if (code == 0)
		code = store_begin(store, error);
	if (code == 0)
		code = command_find_tunnel(store, argv[1], &tunnel, error);
	if (code < 0)
		return code;
	code = store_find_link_of_tunnel(store, tunnel.id, &link, error);
	if (code == 0)
		return error_set(error, EBUSY,
				 "WG_%u is attached to subu_%u: `subu detach WG subu_%u` first",
				 tunnel.id, link.subu, link.subu);
	if (code == -ENOENT)
		code = store_delete_tunnel(store, tunnel.id, error);
	if (code < 0)
		return code;
	snprintf(line, sizeof(line), "%s is gone", tunnel_id_format(tunnel.id, id));
	return command_commit(command, store, json_pack("{ss}", "removed", id), line, error);
}
