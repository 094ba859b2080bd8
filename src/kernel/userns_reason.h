/* Why the kernel refuses a user namespace, and what helps, in words. Pure. */
#ifndef KERNEL_USERNS_REASON_H
#define KERNEL_USERNS_REASON_H

#include <stdbool.h>

#include "base/error.h"

#define USERNS_LABEL_MAX  128
#define USERNS_REASON_MAX 640

enum userns_step {
	USERNS_UNSHARE,	  /* unshare(2) */
	USERNS_SETGROUPS, /* "deny" to /proc/self/setgroups */
	USERNS_UID_MAP,	  /* /proc/self/uid_map */
	USERNS_GID_MAP,	  /* /proc/self/gid_map */
};

/* What is seen when a step has failed. What is zero is not in the way. */
struct userns_facts {
	enum userns_step step;
	int code;	       /* its errno, positive */
	int kind;	       /* the CLONE_NEW… flag that unshare(2) refused */
	bool kind_missing;     /* the kernel has no namespaces of that kind */
	int limit;	       /* user.max_…_namespaces of that kind */
	bool clone_forbidden;  /* kernel.unprivileged_userns_clone is 0 (Debian's patch) */
	bool restricted;       /* kernel.apparmor_restrict_unprivileged_userns is 1 (Ubuntu's) */
	bool selinux;	       /* is there and enforces */
	bool filtered;	       /* a seccomp filter is on the process */
	bool unshare_filtered; /* and it refuses even unshare(0), which does nothing */
	bool inside;	       /* in another user namespace than the machine's first */
	bool chrooted;	       /* the root folder is not the root of a mount */
	bool unmapped;	       /* the user or group has no number in its user namespace */
	bool root;	       /* the user was 0 outside of the new user namespace */
	bool undumpable;       /* PR_GET_DUMPABLE is not 1: /proc/self belongs to root */
	char label[USERNS_LABEL_MAX]; /* AppArmor's for the process, with its mode; "": none */
};

/* Kinds of namespaces: the flag, the name with its article, and the names of the limit in
 * /proc/sys/user, of the file in /proc/self/ns, and of what the kernel is built with. */
struct userns_kind {
	int flag;
	const char *name;
	const char *limit;
	const char *file;
	const char *config;
};

/* All kinds; the user namespace is the first, and the last has the flag 0. */
extern const struct userns_kind userns_kinds[];

/* The kind of one flag, which must be among them. */
const struct userns_kind *userns_kind_of(int flag);

/* Sets the error to what failed, why, and what helps; returns -code. */
int userns_refuse(const struct userns_facts *facts, struct error *error);

/* What takes the rights away in a user namespace that could be made, and what helps. False, and the
 * text untouched, when nothing is known to. */
bool userns_lost_rights(const struct userns_facts *facts, char text[static USERNS_REASON_MAX]);

#endif
