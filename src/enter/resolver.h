/* Name resolution inside: the tunnel's servers and no service of the machine outside. */
#ifndef ENTER_RESOLVER_H
#define ENTER_RESOLVER_H

#include "base/error.h"
#include "model/dns.h"

/* For a process in a mount namespace of its own. Covers, each where the machine has it:
 *
 *	/etc/resolv.conf	the tunnel's servers; none: /etc/netns/NETNS/resolv.conf; neither: a
 *				comment, so that the machine's own servers are never asked by
 *				accident
 *	/etc/nsswitch.conf	the same with "hosts: files dns"
 *	/etc/X			/etc/netns/NETNS/X, for every other X there, as ip-netns(8) does
 *
 * and the sockets of nscd and systemd-resolved, by an empty folder.
 *
 * A namespace that has no name (NULL) has no files in /etc/netns.
 *
 * -ENOENT, with the remedy, for a file that the machine has not: there is nothing to cover, and the
 * machine's /etc is not changed. */
int resolver_install(const char *netns, const struct dns *dns, struct error *error);

#endif
