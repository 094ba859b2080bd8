/* What has to change on a WireGuard device. Pure. */
#ifndef RECONCILE_WGDIFF_H
#define RECONCILE_WGDIFF_H

#include <stdbool.h>

#include "model/tunnel.h"
#include "wireguard/backend.h"

/* Fills *ret (the caller clears it with wg_change_clear()) and returns true when anything has to
 * change. Peers without a public key are not configured; a desired listen port of 0 is content with
 * any; a desired address of AF_UNSPEC with any or none. Peers that stay keep their session. */
bool wgdiff(const struct wg_device *desired, const struct wg_device *actual, struct wg_change *ret);

#endif
