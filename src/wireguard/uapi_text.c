#include "wireguard/uapi_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The most that is ever said, every key and the longest value of each in it: the lines of a device
 * with the first or last of its text, those of a peer, and one allowed IP. */
#define DEVICE_TEXT_MAX	    256
#define PEER_TEXT_MAX	    640
#define ALLOWED_IP_TEXT_MAX (sizeof("allowed_ip=\n") + CIDR_TEXT_MAX)

void uapi_text_begin(struct uapi_text *text, size_t peer_count, size_t allowed_ip_count)
{
	text->length = 0;
	text->size = DEVICE_TEXT_MAX + peer_count * PEER_TEXT_MAX +
		     allowed_ip_count * ALLOWED_IP_TEXT_MAX;
	text->bytes = memory_zalloc(text->size);
}

void uapi_text_add(struct uapi_text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->bytes + text->length, room, format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= room)
		abort();
	text->length += (size_t)length;
}

void uapi_text_add_key(struct uapi_text *text, const char *name, const struct key *key)
{
	char hex[KEY_HEX_MAX];

	key_to_hex(key, hex);
	uapi_text_add(text, "%s=%s\n", name, hex);
	explicit_bzero(hex, sizeof(hex));
}

void uapi_text_add_allowed_ips(struct uapi_text *text, const struct cidr_list *list)
{
	char cidr[CIDR_TEXT_MAX];

	for (size_t i = 0; i < list->count; i++)
		uapi_text_add(text, "allowed_ip=%s\n", cidr_format(&list->items[i], cidr));
}
