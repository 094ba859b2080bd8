/* Speaking to the engine that runs a device, ours or another's, over its UAPI socket. An engine that
 * does not answer within some seconds is given up with -ETIMEDOUT; where none listens it is
 * -ENODEV. */
#ifndef WIREGUARD_UAPI_CLIENT_H
#define WIREGUARD_UAPI_CLIENT_H

#include "wireguard/backend.h"

int uapi_client_read(const char *path, struct wg_device *ret, struct error *error);
int uapi_client_write(const char *path, const struct wg_change *change, struct error *error);

#endif
