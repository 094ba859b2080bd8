/* One word from a process to the one that waits for it: it is ready, or why it is not. */
#ifndef WIREGUARD_REPORT_H
#define WIREGUARD_REPORT_H

#include "base/error.h"

/* A pipe for one report; both ends are closed on exec. */
int report_open(int *ret_read, int *ret_write, struct error *error);

/* Reports code 0, or a negative one with its error, and closes *fd. Nobody waiting (-1, or gone) is
 * no error. */
void report_send(int *fd, int code, const struct error *error);

/* Waits for the report; whoever holds the other end must not be the caller. Silence until all who
 * could have reported are dead is an error. */
int report_await(int fd, struct error *error);

#endif
