/* The questions are put in the kernel's order, so that the reason given is the first that would have
 * to go. unshare(2) meets the seccomp filter, then the setting unprivileged_userns_clone, then in
 * create_user_ns() the depth and the limit (both ENOSPC; the depth was EUSERS before Linux 4.9), the
 * root folder and the caller's numbers (both EPERM), and the security modules (AppArmor and SELinux,
 * EPERM or EACCES; since Linux 6.1). The other namespaces have their limits only. The maps take
 * CAP_SYS_ADMIN in the new namespace (EACCES from opening setgroups, EPERM from writing a map), which
 * its maker has unless AppArmor has put it into a profile without capabilities. Who was user 0 outside
 * must have had CAP_SETFCAP there (EPERM from writing uid_map, since Linux 5.12). */
#include "kernel/userns_reason.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define AS_ROOT	 "run subu as root"
#define OUTSIDE	 "run subu outside of the container"
#define APPARMOR "kernel.apparmor_restrict_unprivileged_userns"

const struct userns_kind userns_kinds[] = {
	{CLONE_NEWUSER, "a user", "max_user_namespaces", "user", "CONFIG_USER_NS"},
	{CLONE_NEWNS, "a mount", "max_mnt_namespaces", "mnt", "CONFIG_NAMESPACES"},
	{CLONE_NEWUTS, "a UTS", "max_uts_namespaces", "uts", "CONFIG_UTS_NS"},
	{CLONE_NEWIPC, "an IPC", "max_ipc_namespaces", "ipc", "CONFIG_IPC_NS"},
	{CLONE_NEWPID, "a PID", "max_pid_namespaces", "pid", "CONFIG_PID_NS"},
	{CLONE_NEWCGROUP, "a cgroup", "max_cgroup_namespaces", "cgroup", "CONFIG_CGROUPS"},
	{CLONE_NEWNET, "a network", "max_net_namespaces", "net", "CONFIG_NET_NS"},
	{0},
};

const struct userns_kind *userns_kind_of(int flag)
{
	const struct userns_kind *kind = userns_kinds;

	while (kind->flag != flag)
		kind++;
	return kind;
}

/* "docker-default (enforce)" holds a process; "unconfined", which is no profile, and a profile in the
 * mode "(unconfined)" do not. */
static bool is_confined(const char *label)
{
	return *label && !strstr(label, "unconfined");
}

/* Ubuntu's restriction, before it shows in the label and after: AppArmor 4 puts the maker of a user
 * namespace into the profile unprivileged_userns. Programs with a profile are not under it. */
static bool is_restricted(const struct userns_facts *facts)
{
	return strstr(facts->label, "unprivileged_userns") ||
	       (facts->restricted && (!*facts->label || !strcmp(facts->label, "unconfined")));
}

bool userns_lost_rights(const struct userns_facts *facts, char text[static USERNS_REASON_MAX])
{
	if (is_restricted(facts))
		snprintf(text, USERNS_REASON_MAX,
			 "AppArmor gives no rights in user namespaces to programs that have no "
			 "profile (" APPARMOR
			 "): as root, install the profile that subu "
			 "ships, `apparmor_parser -r /etc/apparmor.d/subu`, or `sysctl " APPARMOR
			 "=0`, or " AS_ROOT);
	else if (is_confined(facts->label))
		snprintf(text, USERNS_REASON_MAX,
			 "AppArmor holds this process to the profile '%s': `docker run "
			 "--security-opt apparmor=unconfined` or the like, or " OUTSIDE,
			 facts->label);
	else if (facts->filtered)
		snprintf(text, USERNS_REASON_MAX,
			 "a seccomp filter is on this process and may forbid it: `docker run "
			 "--security-opt seccomp=unconfined` or the like, or " OUTSIDE);
	else
		return false;
	return true;
}

/* The filter, a root folder, the numbers and the modules: EPERM or EACCES. */
static void forbidden(const struct userns_facts *facts, char text[static USERNS_REASON_MAX])
{
	if (facts->unshare_filtered)
		snprintf(text, USERNS_REASON_MAX,
			 "a seccomp filter on this process forbids unshare(2): `docker run "
			 "--security-opt seccomp=unconfined` or the like, or " OUTSIDE);
	else if (facts->clone_forbidden)
		snprintf(text, USERNS_REASON_MAX,
			 "user namespaces are forbidden to ordinary users here "
			 "(kernel.unprivileged_userns_clone is 0): as root, `sysctl "
			 "kernel.unprivileged_userns_clone=1`, or " AS_ROOT);
	else if (facts->chrooted)
		snprintf(text, USERNS_REASON_MAX,
			 "the kernel makes none in a chroot: run subu outside of it");
	else if (facts->unmapped)
		snprintf(text, USERNS_REASON_MAX,
			 "the user or group of this process has no number in the user namespace "
			 "around it: map it there (uid_map, gid_map), or " OUTSIDE);
	else if (facts->selinux && facts->code == EACCES)
		snprintf(text, USERNS_REASON_MAX,
			 "SELinux forbids it: allow user_namespace { create } to this domain "
			 "(`ausearch -m avc` names it), or " AS_ROOT);
	else if (!userns_lost_rights(facts, text))
		snprintf(text, USERNS_REASON_MAX,
			 "%s; it may be a chroot, or a security module: run subu outside of "
			 "them, or as root",
			 strerror(facts->code));
}

static void exhausted(const struct userns_facts *facts, char text[static USERNS_REASON_MAX])
{
	const struct userns_kind *kind = userns_kind_of(facts->kind);
	bool nests = kind->flag == CLONE_NEWUSER || kind->flag == CLONE_NEWPID;

	if (facts->limit == 0)
		snprintf(text, USERNS_REASON_MAX,
			 "the limit user.%s is 0: as root, `sysctl user.%s=1024`", kind->limit,
			 kind->limit);
	else if (!facts->inside)
		snprintf(text, USERNS_REASON_MAX,
			 "this user has as many as the limit user.%s allows, %d: end programs "
			 "that hold some, or as root, `sysctl user.%s=%d`",
			 kind->limit, facts->limit, kind->limit,
			 facts->limit > INT_MAX / 2 ? INT_MAX : facts->limit * 2);
	else
		snprintf(text, USERNS_REASON_MAX,
			 "%sa limit user.%s is reached, here (%d) or in a user namespace around "
			 "this one: raise it there, or " OUTSIDE,
			 nests ? "they are nested more than 32 deep, or " : "", kind->limit,
			 facts->limit);
}

static int unshare_refuse(const struct userns_facts *facts, struct error *error)
{
	const struct userns_kind *kind = userns_kind_of(facts->kind);
	char reason[USERNS_REASON_MAX];

	if (facts->kind_missing)
		snprintf(reason, sizeof(reason),
			 "this kernel is built without them (%s): boot one that has them",
			 kind->config);
	else if (facts->code == ENOSPC || facts->code == EUSERS)
		exhausted(facts, reason);
	else if (facts->code == EPERM || facts->code == EACCES || facts->unshare_filtered)
		forbidden(facts, reason);
	else
		snprintf(reason, sizeof(reason), "%s", strerror(facts->code));
	return error_set(error, facts->code, "cannot make %s namespace: %s", kind->name, reason);
}

int userns_refuse(const struct userns_facts *facts, struct error *error)
{
	static const char *const files[] = {
		[USERNS_SETGROUPS] = "setgroups",
		[USERNS_UID_MAP] = "uid_map",
		[USERNS_GID_MAP] = "gid_map",
	};
	char reason[USERNS_REASON_MAX];

	if (facts->step == USERNS_UNSHARE)
		return unshare_refuse(facts, error);
	if (facts->undumpable)
		snprintf(reason, sizeof(reason),
			 "the files of this process in /proc are root's, since its user may not "
			 "read the program: `chmod a+r` for the program");
	else if (facts->step == USERNS_UID_MAP && facts->code == EPERM && facts->root &&
		 !is_restricted(facts))
		snprintf(
			reason, sizeof(reason),
			"root may map itself only with CAP_SETFCAP: give it that "
			"(`docker run --cap-add SETFCAP` or the like), or run subu as another user");
	else if ((facts->code != EPERM && facts->code != EACCES) ||
		 !userns_lost_rights(facts, reason))
		snprintf(reason, sizeof(reason), "%s", strerror(facts->code));
	return error_set(error, facts->code,
			 "cannot write /proc/self/%s of the new user namespace: %s",
			 files[facts->step], reason);
}
