/* Text of the cross-platform configuration protocol as it is written, KEY=VALUE line by line. */
#ifndef WIREGUARD_UAPI_TEXT_H
#define WIREGUARD_UAPI_TEXT_H

#include <stddef.h>

#include "base/ip.h"
#include "model/key.h"

struct uapi_text {
	char *bytes; /* owned; `length` of them hold keys and are to be wiped */
	size_t length, size;
};

/* Room for a device with so many peers and allowed IPs, all that a request or an answer can say of
 * each. It is taken at once: a text that grew would leave copies of the keys behind. */
void uapi_text_begin(struct uapi_text *text, size_t peer_count, size_t allowed_ip_count);

/* Ends the program rather than write beyond the room that there is. */
void uapi_text_add(struct uapi_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void uapi_text_add_key(struct uapi_text *text, const char *name, const struct key *key);
void uapi_text_add_allowed_ips(struct uapi_text *text, const struct cidr_list *list);

#endif
