/* A change as the text of a UAPI "set" (https://www.wireguard.com/xplatform/). No system call. */
#ifndef WIREGUARD_UAPI_REQUEST_H
#define WIREGUARD_UAPI_REQUEST_H

#include <stddef.h>

#include "wireguard/backend.h"

/* The whole request, with the empty line at its end. The caller wipes *ret_size bytes and frees. */
char *uapi_request_set(const struct wg_change *change, size_t *ret_size);

#endif
