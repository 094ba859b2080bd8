/* What becomes of one network interface: rtnetlink's news about it. */
#ifndef WIREGUARD_LINK_WATCH_H
#define WIREGUARD_LINK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* The interface as last told. */
struct link_news {
	bool here; /* in the namespace that is watched; false: deleted, or moved to another */
	bool up;
	uint32_t mtu; /* 0: not known */
};

/* Opens a socket in the caller's network namespace that tells of all its interfaces, those there
 * may be already included once link_watch_ask() has been called. */
int link_watch_open(int *ret_fd, struct error *error);

/* Asks for the interface's present state, which link_watch_read() then brings. Needs no
 * privileges. */
int link_watch_ask(int fd, unsigned int index, struct error *error);

/* Takes in what has come, without waiting, and updates *news with what is about the interface. */
void link_watch_read(int fd, unsigned int index, struct link_news *news);

#endif
