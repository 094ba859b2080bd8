#include "wireguard/backend_kernel.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <net/if.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/netlink.h"
#include "wireguard/wgnetlink.h"

bool backend_kernel_present(void)
{
	CLEANUP(netlink_close) struct netlink netlink = {};
	struct error ignored;
	uint16_t family;

	return netlink_open(NETLINK_GENERIC, -1, &netlink, &ignored) == 0 &&
	       netlink_family(&netlink, WG_GENL_NAME, &family, &ignored) == 0;
}

/* A socket in the device's namespace, and the number of WireGuard's family. */
static int kernel_open(int netns_fd, const char *name, struct netlink *ret_netlink,
		       uint16_t *ret_family, struct error *error)
{
	CLEANUP(netlink_close) struct netlink netlink = {};
	int code;

	if (!*name || strlen(name) >= IFNAMSIZ)
		return error_set(error, EINVAL, "'%.100s' cannot be the name of an interface",
				 name);
	code = netlink_open(NETLINK_GENERIC, netns_fd, &netlink, error);
	if (code == 0)
		code = netlink_family(&netlink, WG_GENL_NAME, ret_family, error);
	if (code == -ENOENT)
		return error_set(error, EOPNOTSUPP, "the kernel has no WireGuard");
	if (code < 0)
		return code;
	*ret_netlink = netlink;
	netlink.socket = NULL;
	return 0;
}

static int wrap(int code, const char *name, const char *step, struct error *error)
{
	if (code == -ENODEV)
		return error_set(error, ENODEV, "cannot %s %s: there is no such interface", step,
				 name);
	if (code == -EOPNOTSUPP)
		return error_set(error, EOPNOTSUPP, "cannot %s %s: it is no WireGuard interface",
				 step, name);
	return error_wrap(error, "cannot %s the WireGuard interface %s", step, name);
}

static void device_restart(void *data)
{
	wg_device_clear(data);
}

int backend_kernel_read(int netns_fd, const char *name, struct wg_device *ret, struct error *error)
{
	_Alignas(struct nlmsghdr) char request[WGNETLINK_MESSAGE_LEAST];
	CLEANUP(netlink_close) struct netlink netlink = {};
	CLEANUP(wg_device_clear) struct wg_device device = {};
	uint16_t family;
	int code = kernel_open(netns_fd, name, &netlink, &family, error);

	if (code < 0)
		return error_wrap(error, "cannot read the WireGuard interface %s", name);
	wgnetlink_get(family, name, request);
	code = netlink_dump(&netlink, (struct nlmsghdr *)request, wgnetlink_take, device_restart,
			    &device, error);
	if (code < 0)
		return wrap(code, name, "read", error);
	*ret = device;
	device = (struct wg_device){};
	return 0;
}

int backend_kernel_write(int netns_fd, const char *name, const struct wg_change *change,
			 struct error *error)
{
	_Alignas(struct nlmsghdr) char message[WGNETLINK_MESSAGE_MOST];
	CLEANUP(netlink_close) struct netlink netlink = {};
	struct wgnetlink_cursor cursor = {};
	uint16_t family;
	int code = kernel_open(netns_fd, name, &netlink, &family, error);

	if (code < 0)
		return error_wrap(error, "cannot configure the WireGuard interface %s", name);
	while (code == 0 && wgnetlink_set(&cursor, change, family, name, message, sizeof(message)))
		code = netlink_request(&netlink, (struct nlmsghdr *)message, NULL, NULL, error);
	explicit_bzero(message, sizeof(message));
	return code < 0 ? wrap(code, name, "configure", error) : 0;
}
