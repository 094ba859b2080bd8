/* WG info, WG list. */
#include <errno.h>
#include <stdio.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/tunnel.h"
#include "reconcile/observe.h"

static const struct output_column tunnel_columns[] = {
	{"WG_ID", "tunnel"},
	{"Public key", "public_key"},
	{"Addresses", "addresses"},
	{"MTU", "mtu"},
	{"DNS", "dns"},
	{"Attached to", "subu"},
	{"State", "state"},
	{"Backend", "backend"},
	{"Listen port", "listen_port"},
};

static const struct output_column peer_columns[] = {
	{"Server public key", "public_key"},   {"Server key set?", "key_set"},
	{"Preshared key?", "preshared_key"},   {"Endpoint", "endpoint"},
	{"Address in use", "address"},	       {"Allowed IPs", "allowed_ips"},
	{"Persistent keepalive", "keepalive"}, {"Last handshake", "handshake"},
	{"Received bytes", "received_bytes"},  {"Sent bytes", "sent_bytes"},
};

static const struct output_column list_columns[] = {
	{"WG_ID", "tunnel"},
	{"Endpoint", "endpoint"},
	{"Addresses", "addresses"},
	{"Server key?", "key_set"},
	{"Attached to", "subu"},
	{"State", "state"},
	{"Last handshake", "handshake"},
};

static void add_statistics(json_t *value, const struct wg_peer *running)
{
	char address[SOCKET_TEXT_MAX];

	if (running->address.any.sa_family != AF_UNSPEC)
		json_object_set_new(value, "address",
				    json_string(socket_address_format(&running->address, address)));
	if (running->last_handshake)
		json_object_set_new(value, "last_handshake", json_integer(running->last_handshake));
	json_object_set_new(value, "handshake", command_age(running->last_handshake));
	json_object_set_new(value, "received_bytes",
			    json_integer((json_int_t)running->received_bytes));
	json_object_set_new(value, "sent_bytes", json_integer((json_int_t)running->sent_bytes));
}

static json_t *peer_json(const struct wg_peer *peer, const struct wg_device *device)
{
	bool key_set = !key_is_zero(&peer->public_key);
	const struct wg_peer *running =
		key_set && device ? wg_device_find_peer(device, &peer->public_key) : NULL;
	char key[KEY_BASE64_MAX], endpoint[ENDPOINT_TEXT_MAX];
	json_t *value;

	key_to_base64(&peer->public_key, key);
	value = json_pack("{ss? sb sb ss? so si sn}", "public_key", key_set ? key : NULL, "key_set",
			  key_set, "preshared_key", !key_is_zero(&peer->preshared_key), "endpoint",
			  *peer->endpoint.host ? endpoint_format(&peer->endpoint, endpoint) : NULL,
			  "allowed_ips", command_cidrs_json(&peer->allowed_ips), "keepalive",
			  peer->keepalive, "last_handshake");
	if (running)
		add_statistics(value, running);
	return value;
}

/* The link's state as the kernel has it, into *actual; found stays NULL for one not attached. */
static int find_running(struct store *store, uint32_t id, struct subu_link *ret_link,
			struct subu_state *actual, struct link_state **ret_found,
			struct error *error)
{
	int code = store_find_link_of_tunnel(store, id, ret_link, error);

	if (code == -ENOENT)
		return 0;
	if (code == 0)
		code = observe(ret_link->subu, &id, 1, actual, error);
	if (code == 0)
		*ret_found = subu_state_find_link(actual, id);
	return code;
}

static const char *link_word(const struct link_state *link)
{
	if (!link)
		return "detached";
	if (!link->device || !link->running)
		return "missing";
	return link->up ? "up" : "down";
}

static json_t *tunnel_json(const struct tunnel *tunnel, const struct subu_link *row,
			   const struct link_state *link, struct error *error)
{
	const struct wg_device *device = link && link->running ? &link->wg : NULL;
	CLEANUP(memory_free) char *dns = dns_format(&tunnel->dns);
	char id[SUBU_ID_TEXT_MAX], subu[SUBU_ID_TEXT_MAX], key[KEY_BASE64_MAX];
	struct key public_key;
	json_t *peers = json_array();

	if (key_derive_public(&tunnel->device.private_key, &public_key, error) < 0) {
		json_decref(peers);
		return NULL;
	}
	key_to_base64(&public_key, key);
	for (size_t i = 0; i < tunnel->device.peer_count; i++)
		json_array_append_new(peers, peer_json(&tunnel->device.peers[i], device));
	return json_pack(
		"{ss ss so si ss? ss? ss ss? sI so}", "tunnel", tunnel_id_format(tunnel->id, id),
		"public_key", key, "addresses", command_cidrs_json(&tunnel->addresses), "mtu",
		(int)(tunnel->mtu ? tunnel->mtu : TUNNEL_MTU_DEFAULT), "dns", *dns ? dns : NULL,
		"subu", link ? subu_id_format(row->subu, subu) : NULL, "state", link_word(link),
		"backend", device ? backend_name(link->backend) : NULL, "listen_port",
		(json_int_t)(device ? device->listen_port : tunnel->device.listen_port), "peers",
		peers);
}

int tunnel_describe(struct store *store, uint32_t id, json_t **ret, struct error *error)
{
	CLEANUP(subu_state_clear) struct subu_state actual = {};
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	struct link_state *link = NULL;
	struct subu_link row;
	json_t *value;
	int code = store_find_tunnel(store, id, &tunnel, error);

	if (code == 0)
		code = find_running(store, id, &row, &actual, &link, error);
	if (code < 0)
		return code;
	value = tunnel_json(&tunnel, &row, link, error);
	if (!value)
		return -error->code;
	*ret = value;
	return 0;
}

void tunnel_print(const json_t *tunnel)
{
	json_t *peer;
	size_t i;

	output_record(tunnel, tunnel_columns, ARRAY_SIZE(tunnel_columns));
	json_array_foreach(json_object_get(tunnel, "peers"), i, peer)
	{
		putchar('\n');
		output_record(peer, peer_columns, ARRAY_SIZE(peer_columns));
	}
}

int cmd_tunnel_info(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(output_release) json_t *value = NULL;
	CLEANUP(store_close) struct store *store = NULL;
	uint32_t id;
	int code = name_parse_tunnel(argv[1], &id, error);

	if (code == 0)
		code = command_open(command, STORE_READ, &store, error);
	if (code == 0)
		code = tunnel_describe(store, id, &value, error);
	if (code < 0)
		return code;
	if (command->json)
		output_json(value);
	else
		tunnel_print(value);
	return 0;
}

/* A list's row shows the first peer, which for most tunnels is the only one. */
static void lift_first_peer(json_t *tunnel)
{
	static const char *const keys[] = {"endpoint", "key_set", "handshake"};
	const json_t *peer = json_array_get(json_object_get(tunnel, "peers"), 0);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set(tunnel, keys[i], json_object_get(peer, keys[i]));
}

int cmd_tunnel_list(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(output_release) json_t *rows = json_array();
	CLEANUP(store_close) struct store *store = NULL;
	CLEANUP(memory_free) uint32_t *ids = NULL;
	size_t count = 0;
	int code = command_open(command, STORE_READ, &store, error);

	if (code == 0)
		code = store_list_tunnel_ids(store, &ids, &count, error);
	for (size_t i = 0; code == 0 && i < count; i++) {
		json_t *row = NULL;

		code = tunnel_describe(store, ids[i], &row, error);
		if (code == 0 && !command->json)
			lift_first_peer(row);
		if (code == 0)
			json_array_append_new(rows, row);
	}
	if (code < 0)
		return code;
	if (command->json)
		output_json(rows);
	else
		output_table(rows, list_columns, ARRAY_SIZE(list_columns));
	return 0;
}
