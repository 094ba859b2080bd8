#include "kernel/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"

#define MOUNTINFO "/proc/self/mountinfo"

int mount_unshare(struct error *error)
{
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(error, "cannot make a mount namespace");
	return mount_keep_from_outside(error);
}

int mount_keep_from_outside(struct error *error)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_errno(error, "cannot keep mounts from the machine's own");
	return 0;
}

int mount_create(const char *type, const char *const *options, uint64_t attributes, int *ret_fd,
		 struct error *error)
{
	CLEANUP(fd_close) int context = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (context < 0)
		return error_errno(error, "cannot make a %s", type);
	for (; *options; options += 2)
		if (fsconfig(context, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0)
			return error_errno(error, "cannot make a %s with %s=%s", type, options[0],
					   options[1]);
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_errno(error, "cannot make a %s", type);
	fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned int)attributes);
	if (fd < 0)
		return error_errno(error, "cannot mount a %s", type);
	*ret_fd = fd;
	return 0;
}

int mount_copy(const char *path, int *ret_fd, struct error *error)
{
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		return error_errno(error, "cannot copy the mount of %s", path);
	*ret_fd = fd;
	return 0;
}

int mount_attach(int fd, const char *path, struct error *error)
{
	if (move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_errno(error, "cannot mount over %s", path);
	return 0;
}

int mount_add_attributes(const char *path, uint64_t attributes, bool recursive, struct error *error)
{
	struct mount_attr change = {.attr_set = attributes};

	if (mount_setattr(AT_FDCWD, path, recursive ? AT_RECURSIVE : 0, &change, sizeof(change)) <
	    0)
		return error_errno(error, "cannot restrict the mount at %s", path);
	return 0;
}

int mount_detach(const char *path, struct error *error)
{
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return error_errno(error, "cannot unmount %s", path);
	return 0;
}

/* Undoes the kernel's escapes: white space and backslashes stand as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

int mount_info_parse(char *line, struct mount_info *ret)
{
	/* id, parent, major:minor, root, mount point … - type, source, options */
	enum { PARENT = 1, PATH = 4, FIELDS };
	char *rest = line, *fields[FIELDS], *type = strstr(line, " - ");
	uint64_t parent;

	for (size_t i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return -EINVAL;
	}
	if (!type || type < rest || text_to_number(fields[PARENT], 0, UINT_MAX, &parent) < 0)
		return -EINVAL;
	type += strlen(" - ");
	type[strcspn(type, " \n")] = '\0';
	if (!*type)
		return -EINVAL;
	unescape(fields[PATH]);
	*ret = (struct mount_info){
		.parent = (unsigned int)parent, .path = fields[PATH], .type = type};
	return 0;
}

static void append(struct mount_table *table, const struct mount_info *info)
{
	table->items = memory_resize(table->items, table->count + 1, sizeof(*table->items));
	table->items[table->count++] = (struct mount_info){
		.parent = info->parent,
		.path = memory_strdup(info->path),
		.type = memory_strdup(info->type),
	};
}

int mount_table_read(struct mount_table *ret, struct error *error)
{
	CLEANUP(mount_table_clear) struct mount_table table = {};
	CLEANUP(file_close) FILE *file = fopen(MOUNTINFO, "re");
	CLEANUP(memory_free) char *line = NULL;
	struct mount_info info;
	size_t size = 0;

	if (!file)
		return error_errno(error, "cannot open " MOUNTINFO);
	while (getline(&line, &size, file) >= 0) {
		if (mount_info_parse(line, &info) < 0)
			return error_set(error, EPROTO, "cannot read " MOUNTINFO);
		append(&table, &info);
	}
	if (ferror(file))
		return error_errno(error, "cannot read " MOUNTINFO);
	*ret = table;
	table = (struct mount_table){};
	return 0;
}

void mount_table_clear(struct mount_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		memory_free(&table->items[i].path);
		memory_free(&table->items[i].type);
	}
	memory_free(&table->items);
	table->count = 0;
}

int mount_number(const char *path, unsigned int *ret, struct error *error)
{
	struct statx status;

	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &status) < 0)
		return error_errno(error, "cannot examine %s", path);
	*ret = (unsigned int)status.stx_mnt_id;
	return 0;
}
