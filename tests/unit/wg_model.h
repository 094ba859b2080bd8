/* A naive WireGuard device for tests: what a change does to it, said as plainly as can be. */
#ifndef TESTS_WG_MODEL_H
#define TESTS_WG_MODEL_H

#include <stdbool.h>

#include "model/tunnel.h"
#include "wireguard/backend.h"

/* A network belongs to one peer: who is given it takes it from the one that had it. */
void wg_model_apply(struct wg_device *device, const struct wg_change *change);

/* The caller clears *to. */
void wg_model_copy(struct wg_device *to, const struct wg_device *from);

/* The same configuration, whatever the order of peers and allowed IPs. */
bool wg_model_equal(const struct wg_device *a, const struct wg_device *b);

/* Is the device all that is desired of it, and nothing else? */
bool wg_model_reached(const struct wg_device *desired, const struct wg_device *device);

#endif
