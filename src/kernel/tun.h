/* TUN devices (Documentation/networking/tuntap.rst): IP packets through a file descriptor. */
#ifndef KERNEL_TUN_H
#define KERNEL_TUN_H

#include <stdbool.h>

#include "base/error.h"

/* Opens /dev/net/tun in the calling thread's namespace and makes the device, or attaches to the one
 * that is there and free: layer 3, no packet information, a struct virtio_net_hdr before each packet.
 * Persistent: it stays when the descriptor is closed, and then only who has CAP_NET_ADMIN there can
 * attach to it. Each failure says what is missing: no /dev/net/tun, no right to open it, a device of
 * that name that is something else (-EEXIST) or in use (-EBUSY). The descriptor blocks. */
int tun_open(const char *name, bool persistent, int *ret_fd, struct error *error);

/* From now on packets of TCP, and of UDP where the kernel can (Linux 6.2), come unsegmented and without
 * their checksum. Large packets of TCP may be written from tun_open() on, those of UDP when *ret_udp is
 * true. Takes no right but the descriptor. */
int tun_set_offload(int fd, bool *ret_udp, struct error *error);

#endif
