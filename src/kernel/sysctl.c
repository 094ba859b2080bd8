#include "kernel/sysctl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define SYSCTL_ROOT	 "/proc/sys/"
#define SYSCTL_PATH_MAX	 256
#define SYSCTL_VALUE_MAX 4096 /* the kernel's own limit is a page */

static int setting_open(const char *path, int flags, int *ret_fd, struct error *error)
{
	char full[SYSCTL_PATH_MAX];
	int length = snprintf(full, sizeof(full), SYSCTL_ROOT "%s", path), fd;

	if (*path == '/' || strstr(path, "..") || length >= (int)sizeof(full))
		return error_set(error, EINVAL, "'%.100s' cannot be a kernel setting", path);
	fd = open(full, flags | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return error_set(error, ENOENT, "the kernel has no setting %s", full);
	if (fd < 0)
		return error_errno(error, "cannot open the kernel setting %s", full);
	*ret_fd = fd;
	return 0;
}

/* Makes all white space single spaces, and none at the ends. */
static void squeeze(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (!isspace((unsigned char)*from))
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

int sysctl_read(const char *path, char *value, size_t size, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	char text[SYSCTL_VALUE_MAX];
	ssize_t length;
	int code = setting_open(path, O_RDONLY, &fd, error);

	if (code < 0)
		return code;
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return error_errno(error, "cannot read the kernel setting %s", path);
	text[length] = '\0';
	squeeze(text);
	if (strlen(text) >= size)
		return error_set(error, ERANGE, "the kernel setting %s is too long", path);
	strcpy(value, text);
	return 0;
}

int sysctl_write(const char *path, const char *value, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	ssize_t length;
	int code = setting_open(path, O_WRONLY | O_TRUNC, &fd, error);

	if (code < 0)
		return code;
	/* One write: the kernel takes each for a whole value. */
	length = write(fd, value, strlen(value));
	if (length < 0)
		return error_errno(error, "cannot set the kernel setting %s to '%.100s'", path,
				   value);
	if ((size_t)length != strlen(value))
		return error_set(error, EIO, "the kernel took only a part of '%.100s' for %s",
				 value, path);
	return 0;
}
