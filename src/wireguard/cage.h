/* Giving everything away: what the engine does once, after its set-up and before its first packet.
 */
#ifndef WIREGUARD_CAGE_H
#define WIREGUARD_CAGE_H

#include <stdbool.h>

#include "base/error.h"

/* Takes away the file system, and bounds the files it may write. Descriptors that are open stay open.
 */
int cage_leave_files(struct error *error);

/* Then forbids core dumps and being traced, locks memory where allowed, and takes away the
 * capabilities.
 *
 * keep_network_rights: CAP_NET_RAW and CAP_NET_BIND_SERVICE stay, for a device that somebody
 * configures by hand: `wg set DEVICE fwmark N listen-port N`. */
int cage_give_up_rights(bool keep_network_rights, struct error *error);

/* And, for good, all system calls but those of engine_filter.c: any other ends the process with
 * SIGSYS. */
int cage_close(struct error *error);

#endif
