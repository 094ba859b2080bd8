/* Giving everything away: what the engine does once, after its set-up and before its first packet.
 */
#ifndef WIREGUARD_CAGE_H
#define WIREGUARD_CAGE_H

#include <stdbool.h>

#include "base/error.h"

/* Forbids core dumps and being traced, locks memory where allowed, bounds the files it may write,
 * and takes away the file system, the capabilities and, for good, all system calls but those of
 * cage.c's list: any other ends the process with SIGSYS. Descriptors that are open stay open.
 *
 * keep_network_rights: CAP_NET_RAW and CAP_NET_BIND_SERVICE stay, for a device that somebody
 * configures by hand: `wg set DEVICE fwmark N listen-port N`. */
int cage_enter(bool keep_network_rights, struct error *error);

#endif
