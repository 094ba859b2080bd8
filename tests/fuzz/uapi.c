/* wireguard/uapi: any text is either a request or refused; what is taken can be cleared, and what
 * is refused leaves nothing behind. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/uapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(wg_change_clear) struct wg_change change = {};
	CLEANUP(memory_free) char *text = memory_resize(NULL, size, 1);
	enum uapi_operation operation;
	struct error error = {};

	if (size)
		memcpy(text, data, size);
	if (uapi_parse(text, size, &operation, &change, &error) < 0) {
		if (change.peers || !error.code || !error.text[0])
			abort();
		return 0;
	}
	if (operation == UAPI_GET && change.peer_count)
		abort();
	for (size_t i = 0; i < change.peer_count; i++) {
		const struct cidr_list *list = &change.peers[i].allowed_ips;

		for (size_t j = 0; j < list->count; j++) {
			struct cidr network = cidr_network(&list->items[j]);

			if (!cidr_equal(&network, &list->items[j]))
				abort();
		}
	}
	return 0;
}
