#include "wireguard/uapi_request.h"

#include "wireguard/uapi_text.h"

static void put_device(struct uapi_text *text, const struct wg_change *change)
{
	if (change->set_private_key)
		uapi_text_add_key(text, "private_key", &change->private_key);
	if (change->set_listen_port)
		uapi_text_add(text, "listen_port=%u\n", change->listen_port);
	if (change->set_fwmark)
		uapi_text_add(text, "fwmark=%u\n", change->fwmark);
	if (change->replace_peers)
		uapi_text_add(text, "replace_peers=true\n");
}

/* An endpoint cannot be taken away: one without an address is left as it is. */
static void put_peer(struct uapi_text *text, const struct wg_peer_change *peer)
{
	char address[SOCKET_TEXT_MAX];

	uapi_text_add_key(text, "public_key", &peer->public_key);
	if (peer->update_only)
		uapi_text_add(text, "update_only=true\n");
	if (peer->remove) {
		uapi_text_add(text, "remove=true\n");
		return;
	}
	if (peer->set_preshared_key)
		uapi_text_add_key(text, "preshared_key", &peer->preshared_key);
	if (peer->set_address && socket_address_size(&peer->address))
		uapi_text_add(text, "endpoint=%s\n",
			      socket_address_format(&peer->address, address));
	if (peer->set_keepalive)
		uapi_text_add(text, "persistent_keepalive_interval=%u\n", peer->keepalive);
	if (peer->replace_allowed_ips)
		uapi_text_add(text, "replace_allowed_ips=true\n");
	uapi_text_add_allowed_ips(text, &peer->allowed_ips);
}

char *uapi_request_set(const struct wg_change *change, size_t *ret_size)
{
	struct uapi_text text;
	size_t allowed_ips = 0;

	for (size_t i = 0; i < change->peer_count; i++)
		allowed_ips += change->peers[i].allowed_ips.count;
	uapi_text_begin(&text, change->peer_count, allowed_ips);
	uapi_text_add(&text, "set=1\n");
	put_device(&text, change);
	for (size_t i = 0; i < change->peer_count; i++)
		put_peer(&text, &change->peers[i]);
	uapi_text_add(&text, "\n");
	*ret_size = text.length;
	return text.bytes;
}
