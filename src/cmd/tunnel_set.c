/* WG set, WG server_provided_public_key. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/cmd.h"

/* Longer than a key and its line's end: what is longer is none. */
#define KEY_FILE_MAX (KEY_BASE64_MAX + 8)

/* A pipe, such as <(wg genkey), may give it in pieces. */
static int read_text(const char *path, char text[static KEY_FILE_MAX], struct error *error)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t size = 0;
	ssize_t got;

	if (fd < 0)
		return error_errno(error, "cannot open it");
	do {
		got = read(fd, text + size, KEY_FILE_MAX - 1 - size);
		if (got < 0 && errno != EINTR)
			return error_errno(error, "cannot read it");
		size += got > 0 ? (size_t)got : 0;
	} while (got != 0 && size < KEY_FILE_MAX - 1);
	while (size && strchr(" \t\r\n", text[size - 1]) && text[size - 1])
		size--;
	text[size] = '\0';
	if (strlen(text) != size)
		return error_set(error, EINVAL, "it is not a text");
	return 0;
}

/* Reads a key from a file; one that is empty is a key of zeros, as with wg(8). */
static int read_key_file(const char *path, struct key *ret, struct error *error)
{
	char text[KEY_FILE_MAX];
	int code = read_text(path, text, error);

	if (code == 0 && *text)
		code = key_from_base64(text, ret, error);
	else if (code == 0)
		key_wipe(ret);
	explicit_bzero(text, sizeof(text));
	return code < 0 ? error_wrap(error, "the key file '%.200s'", path) : 0;
}

/* The one peer that a tunnel made by subu has, or NULL with a message. */
static struct wg_peer *only_peer(struct tunnel *tunnel, struct error *error)
{
	if (tunnel->device.peer_count == 1)
		return &tunnel->device.peers[0];
	error_set(error, ENOTUNIQ,
		  "WG_%u has %zu peers, and this word is about one: change its .conf "
		  "and import that",
		  tunnel->id, tunnel->device.peer_count);
	return NULL;
}

static int set_endpoint(struct tunnel *tunnel, const char *value, struct error *error)
{
	struct wg_peer *peer = only_peer(tunnel, error);

	return !peer ? -error->code : endpoint_parse(value, &peer->endpoint, error);
}

static int set_allowed_ips(struct tunnel *tunnel, const char *value, struct error *error)
{
	struct cidr_list list = {};
	struct wg_peer *peer = only_peer(tunnel, error);

	if (!peer || cidr_list_parse(value, &list, error) < 0)
		return -error->code;
	cidr_list_clear(&peer->allowed_ips);
	for (size_t i = 0; i < list.count; i++) {
		struct cidr network = cidr_network(&list.items[i]);

		if (!cidr_list_holds(&peer->allowed_ips, &network))
			cidr_list_append(&peer->allowed_ips, &network);
	}
	cidr_list_clear(&list);
	return 0;
}

static int set_keepalive(struct tunnel *tunnel, const char *value, struct error *error)
{
	struct wg_peer *peer = only_peer(tunnel, error);
	uint64_t seconds = 0;

	if (!peer)
		return -error->code;
	if (strcmp(value, "off") != 0 && text_to_number(value, 0, UINT16_MAX, &seconds) < 0)
		return error_set(error, EINVAL,
				 "'%.64s' is not a number of seconds from 0 to 65535, or off",
				 value);
	peer->keepalive = (uint16_t)seconds;
	return 0;
}

static int set_mtu(struct tunnel *tunnel, const char *value, struct error *error)
{
	uint64_t mtu;

	if (text_to_number(value, TUNNEL_MTU_LEAST, TUNNEL_MTU_MOST, &mtu) < 0)
		return error_set(error, EINVAL, "'%.64s' is not an MTU from %d to %d bytes", value,
				 TUNNEL_MTU_LEAST, TUNNEL_MTU_MOST);
	tunnel->mtu = (uint32_t)mtu;
	return 0;
}

static int set_dns(struct tunnel *tunnel, const char *value, struct error *error)
{
	struct dns dns = {};
	int code = dns_parse(value, &dns, error);

	if (code == 0 && dns.search_count && !dns.server_count)
		return error_set(error, EINVAL, "search domains are no use without a server");
	if (code == 0)
		tunnel->dns = dns;
	return code;
}

static int set_preshared_key(struct tunnel *tunnel, const char *value, struct error *error)
{
	struct wg_peer *peer = only_peer(tunnel, error);

	return !peer ? -error->code : read_key_file(value, &peer->preshared_key, error);
}

static int set_private_key(struct tunnel *tunnel, const char *value, struct error *error)
{
	CLEANUP(key_wipe) struct key key = {};
	int code = read_key_file(value, &key, error);

	if (code == 0 && key_is_zero(&key))
		return error_set(error, EINVAL, "the key file '%.200s' is empty", value);
	if (code == 0)
		tunnel->device.private_key = key;
	return code;
}

static const struct setting {
	const char *name;
	int (*set)(struct tunnel *tunnel, const char *value, struct error *error);
	bool in_file; /* the value is the name of a file: what is wrong in it is not in the words */
} settings[] = {
	{"endpoint", set_endpoint, false},
	{"allowed-ips", set_allowed_ips, false},
	{"persistent-keepalive", set_keepalive, false},
	{"mtu", set_mtu, false},
	{"dns", set_dns, false},
	{"preshared-key", set_preshared_key, true},
	{"private-key", set_private_key, true},
};

static const struct setting *find_setting(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

/* All pairs of words, or none: they change a copy that only then goes to the database. */
static int set_all(struct tunnel *tunnel, int argc, char **argv, enum endpoint_policy *ret_policy,
		   struct error *error)
{
	for (int i = 0; i < argc; i += 2) {
		const struct setting *setting = find_setting(argv[i]);

		if (!setting)
			return error_usage(
				error,
				"WG set has no '%.64s': there are endpoint, allowed-ips, "
				"persistent-keepalive, mtu, dns, preshared-key and "
				"private-key",
				argv[i]);
		if (i + 1 == argc)
			return error_usage(error, "WG set %s wants a value after it", argv[i]);
		if (setting->set(tunnel, argv[i + 1], error) < 0) {
			error_wrap(error, "WG set %s", argv[i]);
			return setting->in_file || error->code != EINVAL ? -error->code
									 : error_as_usage(error);
		}
		if (setting->set == set_endpoint)
			*ret_policy = ENDPOINT_SET;
	}
	return 0;
}

/* Writes the changed tunnel, and makes its device follow when it has one. */
static int change(const struct command *command, struct store *store, const struct tunnel *tunnel,
		  enum endpoint_policy policy, struct error *error)
{
	const struct reconcile reconcile = {
		.store = store, .dry_run = command->dry_run, .endpoints = policy};
	char id[SUBU_ID_TEXT_MAX], key[KEY_BASE64_MAX], line[128];
	struct subu_link link;
	struct key public_key;
	json_t *value;
	int linked, code = tunnel_check(tunnel, error);

	if (code == 0)
		code = tunnel_check_peers(tunnel, &public_key, error);
	if (code < 0)
		return error_wrap(error, "WG_%u", tunnel->id);
	code = store_update_tunnel(store, tunnel, error);
	if (code < 0)
		return code;
	linked = store_find_link_of_tunnel(store, tunnel->id, &link, error);
	if (linked < 0 && linked != -ENOENT)
		return linked;
	key_to_base64(&public_key, key);
	tunnel_id_format(tunnel->id, id);
	snprintf(line, sizeof(line), "%s is set; its public key is %s", id, key);
	value = json_pack("{ss ss}", "tunnel", id, "public_key", key);
	return linked == 0 ? command_change(command, &reconcile, link.subu, value, line, error)
			   : command_commit(command, store, value, line, error);
}

/* Opens the database, begins, and reads the tunnel that argv[1] means. */
static int open_tunnel(const struct command *command, char **argv, struct store **store,
		       struct tunnel *tunnel, struct error *error)
{
	int code = command_open(command, STORE_WRITE, store, error);

	if (code == 0)
		code = store_begin(*store, error);
	if (code == 0)
		code = command_find_tunnel(*store, argv[1], tunnel, error);
	return code;
}

int cmd_tunnel_set(struct command *command, int argc, char **argv, struct error *error)
{
	enum endpoint_policy policy = ENDPOINT_KEEP;
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	CLEANUP(store_close) struct store *store = NULL;
	int code = open_tunnel(command, argv, &store, &tunnel, error);

	if (code == 0)
		code = set_all(&tunnel, argc - 2, argv + 2, &policy, error);
	return code < 0 ? code : change(command, store, &tunnel, policy, error);
}

int cmd_tunnel_server_key(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	CLEANUP(store_close) struct store *store = NULL;
	struct wg_peer *peer;
	struct key key;
	int code;

	if (key_from_base64(argv[2], &key, error) < 0) {
		error_wrap(error, "the server's public key");
		return error_as_usage(error);
	}
	code = open_tunnel(command, argv, &store, &tunnel, error);
	if (code < 0)
		return code;
	peer = only_peer(&tunnel, error);
	if (!peer)
		return -error->code;
	/* In the database it says that there is no key yet. */
	if (key_is_zero(&key))
		return error_set(error, EINVAL,
				 "a key of zeros is none: give the server's public key");
	peer->public_key = key;
	return change(command, store, &tunnel, ENDPOINT_KEEP, error);
}
