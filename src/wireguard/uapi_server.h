/* The socket at which the stock wg(8) and subu itself configure a device that the engine runs. */
#ifndef WIREGUARD_UAPI_SERVER_H
#define WIREGUARD_UAPI_SERVER_H

#include <stdbool.h>

#include "base/error.h"
#include "wireguard/uapi.h"

/* Makes the folder of sockets that all may see, if need be, for those of uapi_path(). */
int uapi_make_folder(struct error *error);

/* Listens at the path, for the caller's own user alone. A socket that nobody answers at is replaced.
 * -EBUSY when somebody does. */
int uapi_listen(const char *path, int *ret_fd, struct error *error);

/* Opens a descriptor that is readable when somebody has removed a socket in the folder of the path,
 * which is how a user may end a device; uapi_removed() then says whether it was this one. */
int uapi_watch_removal(const char *path, int *ret_fd, struct error *error);
bool uapi_removed(int fd, const char *path);

/* What requests lead to. */
struct uapi_handler {
	/* Fills *ret, which the server clears. */
	void (*get)(void *context, struct wg_device *ret);
	int (*set)(void *context, const struct wg_change *change, struct error *error);
	/* A request that came to nothing, in one sentence. */
	void (*refused)(void *context, const struct error *error);
	void *context;
};

struct uapi_server;

/* Takes the listener over. The handler must outlive the server. */
struct uapi_server *uapi_server_create(int listener, const struct uapi_handler *handler,
				       struct error *error);

/* Wipes and drops what clients have said. Usable with CLEANUP(). */
void uapi_server_free(struct uapi_server **server);

/* A descriptor that is readable when there is something to do. */
int uapi_server_fd(const struct uapi_server *server);

/* Does a bounded piece of it, without waiting. */
void uapi_server_run(struct uapi_server *server);

#endif
