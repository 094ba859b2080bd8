/* The kernel's own WireGuard, by generic netlink. The functions are those of backend.h. */
#ifndef WIREGUARD_BACKEND_KERNEL_H
#define WIREGUARD_BACKEND_KERNEL_H

#include "wireguard/backend.h"

int backend_kernel_read(int netns_fd, const char *name, struct wg_device *ret, struct error *error);
int backend_kernel_write(int netns_fd, const char *name, const struct wg_change *change,
			 struct error *error);

#endif
