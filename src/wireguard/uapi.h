/* The cross-platform configuration protocol (https://www.wireguard.com/xplatform/) as text:
 * requests read, answers written, and where its socket is. */
#ifndef WIREGUARD_UAPI_H
#define WIREGUARD_UAPI_H

#include <net/if.h>
#include <stddef.h>
#include <sys/un.h>

#include "base/error.h"
#include "model/tunnel.h"
#include "wireguard/backend.h"

#define UAPI_FOLDER   "/var/run/wireguard"
#define UAPI_PATH_MAX (sizeof(UAPI_FOLDER) + IFNAMSIZ + sizeof("/.sock"))

#define UAPI_BEGINNING	6  /* bytes of "get=1\n" and "set=1\n" */
#define UAPI_STATUS_MAX 32 /* "errno=-N\n\n" and the NUL */

enum uapi_operation {
	UAPI_GET,
	UAPI_SET,
};

/* Writes where the device of this name is answered for, as every tool for WireGuard expects it, and
 * returns the buffer. */
const char *uapi_path(const char *name, char path[static UAPI_PATH_MAX]);

/* The path as the address of a socket; -ENAMETOOLONG when the kernel takes none that long (unix(7)).
 */
int uapi_address(const char *path, struct sockaddr_un *ret, struct error *error);

/* Reads a whole request, its empty line at the end included, and spoils the text. A request is a
 * transaction: everything in it is right, or it is -EINVAL (-EPROTO when it is no request at all)
 * and *ret is untouched. The caller clears *ret with wg_change_clear(); it is empty for
 * UAPI_GET. Messages quote no values, which may be keys. */
int uapi_parse(char *text, size_t size, enum uapi_operation *ret_operation, struct wg_change *ret,
	       struct error *error);

/* The answer to UAPI_GET, its status included: the caller wipes and frees it, *ret_size bytes. */
char *uapi_print_device(const struct wg_device *device, size_t *ret_size);

/* The status that ends every answer: 0 or a negative errno. Returns its length. */
size_t uapi_print_status(int code, char text[static UAPI_STATUS_MAX]);

#endif
