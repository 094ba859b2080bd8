/* Open files on their way from one process to another (unix(7), SCM_RIGHTS). */
#ifndef KERNEL_FDS_H
#define KERNEL_FDS_H

#include <stddef.h>

#include "base/error.h"

#define FDS_MAX 8

/* A pair of connected sockets for fds_send() and fds_receive(), closed on exec. */
int fds_pair(int *ret_one, int *ret_other, struct error *error);

/* Sends count descriptors, FDS_MAX at the most, and a number along with them; the caller's stay open.
 */
int fds_send(int socket, const int *fds, size_t count, unsigned int number, struct error *error);

/* Waits for exactly count descriptors, closed on exec and the caller's to close, and the number
 * (NULL: it is not wanted). -EPIPE when the other end has been closed instead. */
int fds_receive(int socket, int *ret_fds, size_t count, unsigned int *ret_number,
		struct error *error);

/* Closes all descriptors but the standard three and these, each in a variable: one that is not -1
 * becomes 3, the next 4 and so on, closed on exec. FDS_MAX at the most. */
int fds_keep(int *const *fds, size_t count, struct error *error);

#endif
