#include "enter/account.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

/* The largest number is not an id: it says "none" to setresuid(2). */
static int id_parse(const char *variable, const char *text, uint32_t *ret, struct error *error)
{
	uint64_t number;

	if (text_to_number(text, 0, UINT32_MAX - 1, &number) < 0)
		return error_set(error, EINVAL,
				 "%s in the environment is '%.100s', which is no id: name the user "
				 "with -u",
				 variable, text);
	*ret = (uint32_t)number;
	return 0;
}

int account_choose(const struct account_facts *facts, struct account_choice *ret,
		   struct error *error)
{
	struct account_choice choice = {.uid = facts->real_uid, .gid = ACCOUNT_GID_OWN};
	int code = 0;

	if (facts->real_uid != facts->effective_uid || facts->real_gid != facts->effective_gid)
		return error_set(error, EPERM,
				 "subu does not run with the set-user-ID or set-group-ID bit");
	if (facts->wanted) {
		choice.name = facts->wanted;
	} else if (facts->real_uid == 0 && facts->sudo_uid) {
		code = id_parse("SUDO_UID", facts->sudo_uid, &choice.uid, error);
		if (code == 0 && facts->sudo_gid)
			code = id_parse("SUDO_GID", facts->sudo_gid, &choice.gid, error);
	}
	if (code == 0)
		*ret = choice;
	return code;
}

/* getpwnam(3) and its like leave errno alone, or set one of several, when there is no such entry.
 */
static bool errno_says_absent(void)
{
	return errno == 0 || errno == ENOENT || errno == ESRCH || errno == EBADF || errno == EPERM;
}

static int look_up(const struct account_choice *choice, const struct passwd **ret,
		   struct error *error)
{
	const struct passwd *entry;

	errno = 0;
	entry = choice->name ? getpwnam(choice->name) : getpwuid(choice->uid);
	if (entry) {
		*ret = entry;
		return 0;
	}
	if (!errno_says_absent())
		return error_errno(error, "cannot read the user database");
	if (choice->name)
		return error_set(error, ENOENT, "there is no account '%.100s' on this machine",
				 choice->name);
	return error_set(error, ENOENT, "user id %u has no account on this machine", choice->uid);
}

int account_exists(const char *name, struct error *error)
{
	const struct account_choice choice = {.name = name};
	const struct passwd *ignored;

	return look_up(&choice, &ignored, error);
}

static int look_up_gid(gid_t gid, struct error *error)
{
	errno = 0;
	if (getgrgid(gid))
		return 0;
	if (!errno_says_absent())
		return error_errno(error, "cannot read the group database");
	return error_set(error, ENOENT, "there is no group with id %u on this machine", gid);
}

static void look_up_groups(const char *name, struct account *account)
{
	int count = 32, room;

	do {
		room = count;
		account->groups =
			memory_resize(account->groups, (size_t)room, sizeof(*account->groups));
	} while (getgrouplist(name, account->gid, account->groups, &count) < 0 && count > room);
	account->group_count = (size_t)(count < room ? count : room);
}

int account_find(const char *wanted, struct account *ret, struct error *error)
{
	const struct account_facts facts = {
		.wanted = wanted,
		.real_uid = getuid(),
		.effective_uid = geteuid(),
		.real_gid = getgid(),
		.effective_gid = getegid(),
		.sudo_uid = getenv("SUDO_UID"),
		.sudo_gid = getenv("SUDO_GID"),
	};
	CLEANUP(account_clear) struct account account = {};
	struct account_choice choice;
	const struct passwd *entry = NULL;
	int code;

	code = account_choose(&facts, &choice, error);
	if (code == 0)
		code = look_up(&choice, &entry, error);
	if (code == 0 && choice.gid != ACCOUNT_GID_OWN)
		code = look_up_gid(choice.gid, error);
	if (code < 0)
		return code;
	if (facts.real_uid != 0 && entry->pw_uid != facts.real_uid)
		return error_set(error, EPERM, "only root can run a command as '%.100s'",
				 entry->pw_name);
	account.uid = entry->pw_uid;
	account.gid = choice.gid != ACCOUNT_GID_OWN ? choice.gid : entry->pw_gid;
	look_up_groups(entry->pw_name, &account);
	*ret = account;
	account = (struct account){};
	return 0;
}

int account_become(const struct account *account, struct error *error)
{
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	/* Leaving uid 0 would take CAP_SETPCAP away, without which the bounding set stays. */
	if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		return error_errno(error, "cannot keep the capabilities while changing user");
	if (setgroups(account->group_count, account->groups) < 0)
		return error_errno(error, "cannot take the groups of user id %u", account->uid);
	if (setresgid(account->gid, account->gid, account->gid) < 0)
		return error_errno(error, "cannot become group id %u", account->gid);
	if (setresuid(account->uid, account->uid, account->uid) < 0)
		return error_errno(error, "cannot become user id %u", account->uid);
	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0)
		return error_errno(error, "cannot set the secure bits back");
	return 0;
}

void account_clear(struct account *account)
{
	memory_free(&account->groups);
	account->group_count = 0;
}
