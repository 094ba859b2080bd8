#include "wireguard/uapi_request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* Room for the longest text of each, every key and value in it. It is taken at once: a text that
 * grew would leave copies of the keys behind. */
#define DEVICE_TEXT_MAX	    256
#define PEER_TEXT_MAX	    512
#define ALLOWED_IP_TEXT_MAX (sizeof("allowed_ip=\n") + CIDR_TEXT_MAX)

struct request {
	char *text; /* owned */
	size_t length, size;
};

__attribute__((format(printf, 2, 3))) static void put(struct request *request, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	request->length += (size_t)vsnprintf(request->text + request->length,
					     request->size - request->length, format, args);
	va_end(args);
}

static void put_key(struct request *request, const char *name, const struct key *key)
{
	char hex[KEY_HEX_MAX];

	key_to_hex(key, hex);
	put(request, "%s=%s\n", name, hex);
	explicit_bzero(hex, sizeof(hex));
}

static void put_device(struct request *request, const struct wg_change *change)
{
	if (change->set_private_key)
		put_key(request, "private_key", &change->private_key);
	if (change->set_listen_port)
		put(request, "listen_port=%u\n", change->listen_port);
	if (change->set_fwmark)
		put(request, "fwmark=%u\n", change->fwmark);
	if (change->replace_peers)
		put(request, "replace_peers=true\n");
}

/* An endpoint cannot be taken away: one without an address is left as it is. */
static void put_peer(struct request *request, const struct wg_peer_change *peer)
{
	char text[SOCKET_TEXT_MAX];

	put_key(request, "public_key", &peer->public_key);
	if (peer->update_only)
		put(request, "update_only=true\n");
	if (peer->remove) {
		put(request, "remove=true\n");
		return;
	}
	if (peer->set_preshared_key)
		put_key(request, "preshared_key", &peer->preshared_key);
	if (peer->set_address && socket_address_size(&peer->address))
		put(request, "endpoint=%s\n", socket_address_format(&peer->address, text));
	if (peer->set_keepalive)
		put(request, "persistent_keepalive_interval=%u\n", peer->keepalive);
	if (peer->replace_allowed_ips)
		put(request, "replace_allowed_ips=true\n");
	for (size_t i = 0; i < peer->allowed_ips.count; i++)
		put(request, "allowed_ip=%s\n", cidr_format(&peer->allowed_ips.items[i], text));
}

char *uapi_request_set(const struct wg_change *change, size_t *ret_size)
{
	struct request request = {.size = DEVICE_TEXT_MAX};

	for (size_t i = 0; i < change->peer_count; i++)
		request.size +=
			PEER_TEXT_MAX + change->peers[i].allowed_ips.count * ALLOWED_IP_TEXT_MAX;
	request.text = memory_zalloc(request.size);
	put(&request, "set=1\n");
	put_device(&request, change);
	for (size_t i = 0; i < change->peer_count; i++)
		put_peer(&request, &change->peers[i]);
	put(&request, "\n");
	*ret_size = request.length;
	return request.text;
}
