#include "kernel/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/memory.h"
#include "kernel/link.h"

#define TUN_PATH "/dev/net/tun"

/* A user id that nobody has: the one below -1, which means none (credentials(7)). Root's would not do,
 * since root without capabilities is still its owner. */
#define OWNER_NOBODY 4294967294UL

/* In <linux/if_tun.h> since Linux 6.2. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int clone_device_open(int *ret_fd, struct error *error)
{
	int fd = open(TUN_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return error_set(error, errno,
				 "there is no " TUN_PATH
				 ": as root, load its module (modprobe tun), "
				 "or give the container the device (--device " TUN_PATH ")");
	/* Its mode, which distributions have 0666: the rights are asked for at TUNSETIFF. */
	if (fd < 0 && errno == EACCES)
		return error_set(error, EACCES,
				 "no right to open " TUN_PATH ": as root, `chmod 0666 " TUN_PATH
				 "`, for good by the udev rule KERNEL==\"tun\", MODE=\"0666\", or "
				 "run subu as root");
	/* The devices that a control group allows: root is held to them too. */
	if (fd < 0 && errno == EPERM)
		return error_set(error, EPERM,
				 "the container or service around does not allow " TUN_PATH
				 ": give it the device (--device " TUN_PATH
				 ", DeviceAllow=" TUN_PATH ")");
	if (fd < 0)
		return error_errno(error, "cannot open " TUN_PATH);
	*ret_fd = fd;
	return 0;
}

/* What TUNSETIFF's errno means. It answers EINVAL for a device of that name of another kind. */
static int attach_failed(const char *name, struct error *error)
{
	switch (errno) {
	case EBUSY:
		return error_set(error, EBUSY, "the device %s is in use by another process", name);
	case EPERM:
		return error_set(
			error, EPERM,
			"no right to make the device %s; it takes CAP_NET_ADMIN in its network "
			"namespace",
			name);
	case EINVAL:
		if (if_nametoindex(name))
			return error_set(
				error, EEXIST,
				"there is an interface %s, and it is no TUN device of this kind",
				name);
		errno = EINVAL;
	}
	return error_errno(error, "cannot make the device %s", name);
}

/* The kernel takes '%' as the place for a number, and refuses or mistakes the rest. */
static bool is_device_name(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && !strpbrk(name, "/:% \t\n\v\f\r") &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int tun_open(const char *name, bool persistent, int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
	const unsigned int index = link_choose_index();
	const int header = sizeof(struct virtio_net_hdr);
	int code;

	if (!is_device_name(name))
		return error_set(error, EINVAL, "'%.100s' cannot be the name of a device", name);
	strcpy(request.ifr_name, name);
	code = clone_device_open(&fd, error);
	if (code < 0)
		return code;
	/* Where the device is there already, its number stays. */
	if (persistent && ioctl(fd, TUNSETIFINDEX, &index) < 0)
		return error_errno(error, "cannot choose the number of the device %s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return attach_failed(name, error);
	/* Whoever had the device before may have left it another size. */
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return error_errno(error, "cannot choose the header of the device %s", name);
	if (ioctl(fd, TUNSETPERSIST, persistent ? 1 : 0) < 0)
		return error_errno(error, "cannot make the device %s %s", name,
				   persistent ? "persistent" : "go with its process");
	/* The kernel lets anybody attach to a device that is free and has no owner. */
	if (persistent && ioctl(fd, TUNSETOWNER, OWNER_NOBODY) < 0)
		return error_errno(error, "cannot keep others from the device %s", name);
	*ret_fd = fd_take(&fd);
	return 0;
}

int tun_set_offload(int fd, bool *ret_udp, struct error *error)
{
	const unsigned long tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	bool udp = ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0;

	if (!udp && ioctl(fd, TUNSETOFFLOAD, tcp) < 0)
		return error_errno(error, "cannot set the segmentation offload of a TUN device");
	*ret_udp = udp;
	return 0;
}
