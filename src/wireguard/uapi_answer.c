#include "wireguard/uapi_answer.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define ERRNO_MAX 4095 /* include/linux/err.h of the kernel */

void uapi_answer_clear(struct uapi_answer *answer)
{
	wg_device_clear(&answer->device);
	*answer = (struct uapi_answer){};
}

/* The peer whose lines these are: the last one, once there is one. */
static struct wg_peer *current(struct uapi_answer *answer)
{
	return &answer->device.peers[answer->device.peer_count - 1];
}

static int take_private_key(struct uapi_answer *answer, const char *value)
{
	struct error ignored;

	return key_from_hex(value, &answer->device.private_key, &ignored);
}

static int take_listen_port(struct uapi_answer *answer, const char *value)
{
	uint64_t port;
	int code = text_to_number(value, 0, UINT16_MAX, &port);

	if (code == 0)
		answer->device.listen_port = (uint16_t)port;
	return code;
}

static int take_fwmark(struct uapi_answer *answer, const char *value)
{
	uint64_t mark;
	int code = text_to_number(value, 0, UINT32_MAX, &mark);

	if (code == 0)
		answer->device.fwmark = (uint32_t)mark;
	return code;
}

static int take_public_key(struct uapi_answer *answer, const char *value)
{
	struct error ignored;
	struct key key;
	int code = key_from_hex(value, &key, &ignored);

	if (code == 0)
		wg_device_append_peer(&answer->device)->public_key = key;
	return code;
}

static int take_preshared_key(struct uapi_answer *answer, const char *value)
{
	struct error ignored;

	return key_from_hex(value, &current(answer)->preshared_key, &ignored);
}

static int take_endpoint(struct uapi_answer *answer, const char *value)
{
	struct error ignored;

	return socket_address_parse(value, &current(answer)->address, &ignored);
}

static int take_keepalive(struct uapi_answer *answer, const char *value)
{
	uint64_t seconds;
	int code = text_to_number(value, 0, UINT16_MAX, &seconds);

	if (code == 0)
		current(answer)->keepalive = (uint16_t)seconds;
	return code;
}

static int take_handshake(struct uapi_answer *answer, const char *value)
{
	uint64_t seconds;
	int code = text_to_number(value, 0, INT64_MAX, &seconds);

	if (code == 0)
		current(answer)->last_handshake = (int64_t)seconds;
	return code;
}

static int take_received_bytes(struct uapi_answer *answer, const char *value)
{
	return text_to_number(value, 0, UINT64_MAX, &current(answer)->received_bytes);
}

static int take_sent_bytes(struct uapi_answer *answer, const char *value)
{
	return text_to_number(value, 0, UINT64_MAX, &current(answer)->sent_bytes);
}

static int take_allowed_ip(struct uapi_answer *answer, const char *value)
{
	struct error ignored;
	struct cidr cidr;
	int code = cidr_parse(value, &cidr, &ignored);

	if (code == 0)
		cidr_list_append(&current(answer)->allowed_ips, &cidr);
	return code;
}

/* Some engines give it negative. */
static int take_verdict(struct uapi_answer *answer, const char *value)
{
	uint64_t number;
	int code = text_to_number(*value == '-' ? value + 1 : value, 0, ERRNO_MAX, &number);

	if (code == 0) {
		answer->code = (int)number;
		answer->judged = true;
	}
	return code;
}

static const struct {
	const char *key;
	bool of_peer;
	int (*take)(struct uapi_answer *answer, const char *value);
} lines[] = {
	{"private_key", false, take_private_key},
	{"listen_port", false, take_listen_port},
	{"fwmark", false, take_fwmark},
	{"public_key", false, take_public_key},
	{"preshared_key", true, take_preshared_key},
	{"endpoint", true, take_endpoint},
	{"persistent_keepalive_interval", true, take_keepalive},
	{"last_handshake_time_sec", true, take_handshake},
	{"rx_bytes", true, take_received_bytes},
	{"tx_bytes", true, take_sent_bytes},
	{"allowed_ip", true, take_allowed_ip},
	{"errno", false, take_verdict},
};

static int take_pair(struct uapi_answer *answer, const char *line, size_t key_length,
		     struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (strlen(lines[i].key) != key_length ||
		    strncmp(line, lines[i].key, key_length) != 0)
			continue;
		if (lines[i].of_peer && answer->device.peer_count == 0)
			return error_set(error, EPROTO, "the engine's answer has %s before a peer",
					 lines[i].key);
		if (lines[i].take(answer, line + key_length + 1) < 0)
			return error_set(error, EPROTO, "the engine's answer has a bad %s",
					 lines[i].key);
	}
	return 0;
}

int uapi_answer_take(struct uapi_answer *answer, const char *line, struct error *error)
{
	size_t key_length = strspn(line, "abcdefghijklmnopqrstuvwxyz_");

	if (answer->judged != !*line || answer->ended)
		return error_set(error, EPROTO, "the engine's answer does not end as it should");
	if (!*line) {
		answer->ended = true;
		return 0;
	}
	if (key_length == 0 || line[key_length] != '=')
		return error_set(error, EPROTO,
				 "the engine's answer has a line that is no KEY=VALUE");
	return take_pair(answer, line, key_length, error);
}
