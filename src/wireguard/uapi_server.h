/* The socket at which the stock wg(8) and subu itself configure a device that the engine runs. */
#ifndef WIREGUARD_UAPI_SERVER_H
#define WIREGUARD_UAPI_SERVER_H

#include <stdbool.h>

#include "base/error.h"
#include "wireguard/uapi.h"

/* Listens at uapi_path(), for root alone. A socket that nobody answers at is replaced. -EBUSY when somebody
 * does. */
int uapi_listen(const char *name, int *ret_fd, struct error *error);

/* Opens a descriptor that is readable when somebody has removed a socket there, which is how a user
 * may end a device; uapi_removed() then says whether it was the one of this name. */
int uapi_watch_removal(int *ret_fd, struct error *error);
bool uapi_removed(int fd, const char *name);

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
