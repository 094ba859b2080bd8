/* Any text as a .conf: it becomes a tunnel without a bad value in it, or one printable sentence and
 * nothing else. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/conf.h"

#define NAME "fuzz.conf"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
	if (!truth)
		abort();
}

static void check_error(const struct error *error)
{
	must(error->code > 0);
	must(strncmp(error->text, NAME, strlen(NAME)) == 0);
	for (const char *c = error->text; *c; c++)
		must(!iscntrl((unsigned char)*c));
}

/* What was read reads the same once more. */
static void check_endpoint(const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_MAX];
	struct endpoint again;
	struct error error;

	if (!*endpoint->host)
		return;
	must(endpoint_parse(endpoint_format(endpoint, text), &again, &error) == 0);
	must(endpoint_equal(endpoint, &again));
}

static void check_dns(const struct dns *dns)
{
	CLEANUP(memory_free) char *text = dns_format(dns);
	CLEANUP(memory_free) char *again_text = NULL;
	struct dns again = {};
	struct error error;

	must(dns_parse(text, &again, &error) == 0);
	again_text = dns_format(&again);
	must(strcmp(text, again_text) == 0);
}

static void check_tunnel(const struct tunnel *tunnel)
{
	must(!key_is_zero(&tunnel->device.private_key));
	must(!tunnel->mtu || (tunnel->mtu >= TUNNEL_MTU_LEAST && tunnel->mtu <= TUNNEL_MTU_MOST));
	for (size_t i = 0; i < tunnel->device.peer_count; i++) {
		const struct wg_peer *peer = &tunnel->device.peers[i];

		must(wg_device_find_peer(&tunnel->device, &peer->public_key) == peer);
		must(!key_is_zero(&peer->public_key));
		check_endpoint(&peer->endpoint);
		for (size_t j = 0; j < peer->allowed_ips.count; j++) {
			struct cidr network = cidr_network(&peer->allowed_ips.items[j]);

			must(cidr_equal(&network, &peer->allowed_ips.items[j]));
		}
	}
	check_dns(&tunnel->dns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	unsigned int ignored;
	struct error error;

	if (conf_parse(NAME, (const char *)data, size, &tunnel, &ignored, &error) < 0)
		check_error(&error);
	else
		check_tunnel(&tunnel);
	return 0;
}
