#include "wireguard/uapi.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "wireguard/device.h"
#include "wireguard/uapi_text.h"

/* A request while it is read. Lines before the first public_key are about the device, those after
 * it about the peer it names. */
struct reader {
	struct wg_change *change;
	struct wg_peer_change *peer; /* the last of the change; NULL: none yet */
};

struct key_reader {
	const char *key;
	/* 0, or negative when the value is wrong. */
	int (*read)(struct reader *reader, const char *value);
};

const char *uapi_path(const char *name, char path[static UAPI_PATH_MAX])
{
	snprintf(path, UAPI_PATH_MAX, UAPI_FOLDER "/%s.sock", name);
	return path;
}

int uapi_address(const char *path, struct sockaddr_un *ret, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(
			error, ENAMETOOLONG,
			"the path of the socket %s is too long: %zu characters are the most", path,
			sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	*ret = address;
	return 0;
}

static int read_true(const char *value, bool *ret)
{
	if (strcmp(value, "true") != 0)
		return -EINVAL;
	*ret = true;
	return 0;
}

static int read_private_key(struct reader *reader, const char *value)
{
	struct error ignored;

	reader->change->set_private_key = true;
	return key_from_hex(value, &reader->change->private_key, &ignored);
}

static int read_listen_port(struct reader *reader, const char *value)
{
	uint64_t port;

	if (text_to_number(value, 0, UINT16_MAX, &port) < 0)
		return -EINVAL;
	reader->change->set_listen_port = true;
	reader->change->listen_port = (uint16_t)port;
	return 0;
}

static int read_fwmark(struct reader *reader, const char *value)
{
	uint64_t fwmark;

	if (text_to_number(value, 0, UINT32_MAX, &fwmark) < 0)
		return -EINVAL;
	reader->change->set_fwmark = true;
	reader->change->fwmark = (uint32_t)fwmark;
	return 0;
}

static int read_replace_peers(struct reader *reader, const char *value)
{
	return read_true(value, &reader->change->replace_peers);
}

/* Grows by doubling: a full array is one whose count is a power of two. The old one is wiped, for
 * the preshared keys in it. */
static struct wg_peer_change *append_peer(struct wg_change *change)
{
	size_t count = change->peer_count, size = count * sizeof(*change->peers);
	struct wg_peer_change *grown;

	if ((count & (count - 1)) == 0) {
		grown = memory_resize(NULL, count ? count * 2 : 1, sizeof(*grown));
		if (count) {
			memcpy(grown, change->peers, size);
			explicit_bzero(change->peers, size);
		}
		memory_free(&change->peers);
		change->peers = grown;
	}
	change->peer_count++;
	change->peers[count] = (struct wg_peer_change){};
	return &change->peers[count];
}

static int read_public_key(struct reader *reader, const char *value)
{
	struct error ignored;

	if (reader->change->peer_count >= DEVICE_PEERS_MAX)
		return -ENOSPC;
	reader->peer = append_peer(reader->change);
	return key_from_hex(value, &reader->peer->public_key, &ignored);
}

static int read_remove(struct reader *reader, const char *value)
{
	return read_true(value, &reader->peer->remove);
}

static int read_update_only(struct reader *reader, const char *value)
{
	return read_true(value, &reader->peer->update_only);
}

static int read_preshared_key(struct reader *reader, const char *value)
{
	struct error ignored;

	reader->peer->set_preshared_key = true;
	return key_from_hex(value, &reader->peer->preshared_key, &ignored);
}

static int read_endpoint(struct reader *reader, const char *value)
{
	struct error ignored;

	reader->peer->set_address = true;
	return socket_address_parse(value, &reader->peer->address, &ignored);
}

static int read_keepalive(struct reader *reader, const char *value)
{
	uint64_t seconds;

	if (text_to_number(value, 0, UINT16_MAX, &seconds) < 0)
		return -EINVAL;
	reader->peer->set_keepalive = true;
	reader->peer->keepalive = (uint16_t)seconds;
	return 0;
}

static int read_replace_allowed_ips(struct reader *reader, const char *value)
{
	return read_true(value, &reader->peer->replace_allowed_ips);
}

static int read_allowed_ip(struct reader *reader, const char *value)
{
	struct error ignored;
	struct cidr cidr;

	if (!strchr(value, '/') || cidr_parse(value, &cidr, &ignored) < 0)
		return -EINVAL;
	cidr = cidr_network(&cidr);
	cidr_list_append(&reader->peer->allowed_ips, &cidr);
	return 0;
}

static int read_protocol_version(struct reader *reader, const char *value)
{
	(void)reader;
	return strcmp(value, "1") == 0 ? 0 : -EINVAL;
}

static const struct key_reader device_keys[] = {
	{"private_key", read_private_key}, {"listen_port", read_listen_port},
	{"fwmark", read_fwmark},	   {"replace_peers", read_replace_peers},
	{"public_key", read_public_key},
};

static const struct key_reader peer_keys[] = {
	{"allowed_ip", read_allowed_ip},
	{"public_key", read_public_key},
	{"endpoint", read_endpoint},
	{"persistent_keepalive_interval", read_keepalive},
	{"preshared_key", read_preshared_key},
	{"replace_allowed_ips", read_replace_allowed_ips},
	{"protocol_version", read_protocol_version},
	{"update_only", read_update_only},
	{"remove", read_remove},
};

static int read_line(struct reader *reader, char *line, struct error *error)
{
	const struct key_reader *keys = reader->peer ? peer_keys : device_keys;
	size_t count = reader->peer ? ARRAY_SIZE(peer_keys) : ARRAY_SIZE(device_keys);
	char *equals = strchr(line, '=');

	if (!equals)
		return error_set(error, EINVAL, "a line is not KEY=VALUE");
	*equals = '\0';
	for (size_t i = 0; i < count; i++) {
		if (strcmp(line, keys[i].key) != 0)
			continue;
		if (keys[i].read(reader, equals + 1) < 0)
			return error_set(error, EINVAL, "the value of %s is malformed", line);
		return 0;
	}
	return error_set(error, EINVAL, "there is no key %.40s for a %s", line,
			 reader->peer ? "peer" : "device");
}

int uapi_parse(char *text, size_t size, enum uapi_operation *ret_operation, struct wg_change *ret,
	       struct error *error)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};
	struct reader reader = {.change = &change};
	char *end = text + size, *line = text + UAPI_BEGINNING, *newline;
	bool get = size > UAPI_BEGINNING && memcmp(text, "get=1\n", UAPI_BEGINNING) == 0;
	bool set = size > UAPI_BEGINNING && memcmp(text, "set=1\n", UAPI_BEGINNING) == 0;

	if ((!get && !set) || end[-1] != '\n' || end[-2] != '\n')
		return error_set(error, EPROTO, "neither a get=1 nor a set=1 request");
	if (memchr(text, '\0', size))
		return error_set(error, EINVAL, "a request holds a NUL");
	for (; line < end - 1; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		*newline = '\0';
		if (get)
			return error_set(error, EINVAL, "get=1 takes no lines");
		if (read_line(&reader, line, error) < 0)
			return -error->code;
	}
	*ret_operation = get ? UAPI_GET : UAPI_SET;
	*ret = change;
	change = (struct wg_change){};
	return 0;
}

size_t uapi_print_status(int code, char text[static UAPI_STATUS_MAX])
{
	return (size_t)snprintf(text, UAPI_STATUS_MAX, "errno=%d\n\n", code);
}

static void print_peer(struct uapi_text *text, const struct wg_peer *peer)
{
	char address[SOCKET_TEXT_MAX];

	uapi_text_add_key(text, "public_key", &peer->public_key);
	uapi_text_add_key(text, "preshared_key", &peer->preshared_key);
	uapi_text_add(text, "protocol_version=1\n");
	if (peer->address.any.sa_family != AF_UNSPEC)
		uapi_text_add(text, "endpoint=%s\n",
			      socket_address_format(&peer->address, address));
	uapi_text_add(text, "last_handshake_time_sec=%" PRId64 "\n", peer->last_handshake);
	uapi_text_add(text, "last_handshake_time_nsec=0\n");
	uapi_text_add(text, "tx_bytes=%" PRIu64 "\n", peer->sent_bytes);
	uapi_text_add(text, "rx_bytes=%" PRIu64 "\n", peer->received_bytes);
	uapi_text_add(text, "persistent_keepalive_interval=%u\n", peer->keepalive);
	uapi_text_add_allowed_ips(text, &peer->allowed_ips);
}

char *uapi_print_device(const struct wg_device *device, size_t *ret_size)
{
	char status[UAPI_STATUS_MAX];
	struct uapi_text text;
	size_t allowed_ips = 0;

	for (size_t i = 0; i < device->peer_count; i++)
		allowed_ips += device->peers[i].allowed_ips.count;
	uapi_text_begin(&text, device->peer_count, allowed_ips);
	if (!key_is_zero(&device->private_key))
		uapi_text_add_key(&text, "private_key", &device->private_key);
	if (device->listen_port)
		uapi_text_add(&text, "listen_port=%u\n", device->listen_port);
	if (device->fwmark)
		uapi_text_add(&text, "fwmark=%u\n", device->fwmark);
	for (size_t i = 0; i < device->peer_count; i++)
		print_peer(&text, &device->peers[i]);
	uapi_print_status(0, status);
	uapi_text_add(&text, "%s", status);
	*ret_size = text.length;
	return text.bytes;
}
