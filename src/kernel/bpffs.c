#include "kernel/bpffs.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/memory.h"
#include "kernel/mount.h"

int bpffs_mount(struct error *error)
{
	static const char *const options[] = {"mode", "0700", NULL};
	CLEANUP(fd_close) int fd = -1;
	struct statfs status;
	int code;

	if (statfs(BPFFS_FOLDER, &status) == 0 && status.f_type == BPF_FS_MAGIC)
		return 0;
	code = mount_create(BPFFS_TYPE, options, 0, &fd, error);
	if (code == 0)
		code = mount_attach(fd, BPFFS_FOLDER, error);
	return code < 0 ? error_wrap(error, "no BPF file system at " BPFFS_FOLDER
					    " (`mount -t bpf bpf " BPFFS_FOLDER "` mounts one)")
			: 0;
}
