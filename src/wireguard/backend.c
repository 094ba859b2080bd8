#include "wireguard/backend.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/memory.h"
#include "wireguard/backend_kernel.h"
#include "wireguard/uapi.h"
#include "wireguard/uapi_client.h"

const char *backend_name(enum backend backend)
{
	return backend == BACKEND_KERNEL ? "kernel" : "engine";
}

void wg_change_clear(struct wg_change *change)
{
	for (size_t i = 0; i < change->peer_count; i++) {
		cidr_list_clear(&change->peers[i].allowed_ips);
		key_wipe(&change->peers[i].preshared_key);
	}
	memory_free(&change->peers);
	key_wipe(&change->private_key);
	*change = (struct wg_change){};
}

static int engine_path(const char *name, char path[static UAPI_PATH_MAX], struct error *error)
{
	if (!*name || strlen(name) >= IFNAMSIZ || strchr(name, '/'))
		return error_set(error, EINVAL, "'%.100s' cannot be the name of an interface",
				 name);
	uapi_path(name, path);
	return 0;
}

int backend_read(enum backend backend, int netns_fd, const char *name, struct wg_device *ret,
		 struct error *error)
{
	char path[UAPI_PATH_MAX];
	int code;

	if (backend == BACKEND_KERNEL)
		return backend_kernel_read(netns_fd, name, ret, error);
	code = engine_path(name, path, error);
	if (code == 0)
		code = uapi_client_read(path, ret, error);
	return code < 0 ? error_wrap(error, "cannot read the WireGuard interface %s", name) : 0;
}

int backend_write(enum backend backend, int netns_fd, const char *name,
		  const struct wg_change *change, struct error *error)
{
	char path[UAPI_PATH_MAX];
	int code;

	if (backend == BACKEND_KERNEL)
		return backend_kernel_write(netns_fd, name, change, error);
	code = engine_path(name, path, error);
	if (code == 0)
		code = uapi_client_write(path, change, error);
	return code < 0 ? error_wrap(error, "cannot configure the WireGuard interface %s", name)
			: 0;
}
