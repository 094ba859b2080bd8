/* The entry: global options, the table of verbs, the one place that prints an error. */
#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/cmd.h"
#include "kernel/process.h"

/* The oldest kernel that the tests run on. */
#define KERNEL_MAJOR 6
#define KERNEL_MINOR 1

#define LARGE_BLOCK (64 << 10) /* bytes */

enum {
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

/* Takes a global option at argv[*at] and moves on; 1: it was one, 0: it is something else. */
static int take_global(struct command *command, int argc, char **argv, int *at, struct error *error)
{
	const char *word = argv[*at];

	if (strcmp(word, "--json") == 0) {
		command->json = true;
	} else if (strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0) {
		command->quiet = true;
	} else if (strcmp(word, "--dry-run") == 0 || strcmp(word, "-n") == 0) {
		command->dry_run = true;
	} else if (strncmp(word, "--db=", 5) == 0) {
		command->db = word + 5;
	} else if (strcmp(word, "--db") == 0) {
		if (*at + 1 >= argc)
			return error_usage(error, "--db wants the path of a database after it");
		command->db = argv[++*at];
	} else {
		return 0;
	}
	(*at)++;
	return 1;
}

/* Takes the global options from among a verb's words, up to "--". */
static int sift_globals(struct command *command, int *argc, char **argv, struct error *error)
{
	int kept = 1, at = 1;

	while (at < *argc && strcmp(argv[at], "--") != 0) {
		int code = take_global(command, *argc, argv, &at, error);

		if (code < 0)
			return code;
		if (code == 0)
			argv[kept++] = argv[at++];
	}
	while (at < *argc)
		argv[kept++] = argv[at++];
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

static int check_database(const char *path, struct error *error)
{
	if (!*path)
		return error_usage(error, "the path of the database is empty: --db FILE");
	return 0;
}

static int check_kernel(struct error *error)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) < 0)
		return error_errno(error, "cannot tell the kernel's version");
	sscanf(name.release, "%u.%u", &major, &minor);
	if (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR))
		return 0;
	return error_set(error, ENOSYS, "this kernel is Linux %s: subu needs %d.%d or newer",
			 name.release, KERNEL_MAJOR, KERNEL_MINOR);
}

static int check_machine(const struct verb *verb, struct error *error)
{
	if (!verb->root && !verb->kernel)
		return 0;
	if (verb->root && geteuid() != 0)
		return error_set(error, EPERM, "`subu %s%s` needs root: try it with sudo",
				 verb_prefix(verb), verb->name);
	return check_kernel(error);
}

static int check_count(const struct verb *verb, int argc, struct error *error)
{
	if (argc - 1 >= verb->least && argc - 1 <= verb->most)
		return 0;
	return error_usage(error, "%s: usage: subu %s%s%s%s",
			   argc - 1 < verb->least ? "a word is missing"
						  : "there are too many words",
			   verb_prefix(verb), verb->name, *verb->words ? " " : "", verb->words);
}

static bool wants_help(int argc, char **argv)
{
	return argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int say_unknown(const struct verb *owner, const char *word, struct error *error)
{
	if (owner)
		return verb_unknown(owner, word, error);
	return error_usage(error, "there is no %s '%.64s': see `subu help`",
			   *word == '-' ? "option" : "verb", word);
}

/* Finds the verb in its owner's table, or in that of all verbs; one with a table of its own leaves
 * the choice to the next word. */
static int run_verb(struct command *command, const struct verb *owner, int argc, char **argv,
		    struct error *error)
{
	const struct verb *verb = verb_find(owner ? owner->table : verb_table, argv[0]);
	int code = 0;

	if (!verb)
		return say_unknown(owner, argv[0], error);
	command->status = verb->failed;
	if (!verb->raw)
		code = sift_globals(command, &argc, argv, error);
	if (code < 0)
		return code;
	if (wants_help(argc, argv)) {
		help_verb(verb);
		return 0;
	}
	if (verb->table && argc > 1)
		return run_verb(command, verb, argc - 1, argv + 1, error);
	code = check_machine(verb, error);
	if (code == 0)
		code = check_count(verb, argc, error);
	if (code == 0)
		code = check_database(command->db, error);
	return code < 0 ? code : verb->run(command, argc, argv, error);
}

static int run(struct command *command, int argc, char **argv, struct error *error)
{
	static char usage[] = "usage";
	char *no_words[] = {usage, NULL};
	int at = 1, code;

	do {
		code = at < argc ? take_global(command, argc, argv, &at, error) : 0;
	} while (code > 0);
	if (code < 0)
		return code;
	if (at == argc)
		return run_verb(command, NULL, 1, no_words, error);
	return run_verb(command, NULL, argc - at, argv + at, error);
}

/* No file named by the environment has a say in where the keys go, and nothing reads libcrypto's own
 * words for its errors, nor asks for an algorithm by a name of OpenSSL 1's. All that would be loaded
 * at the first use, which someone waits for: the names alone take as long as a whole process. */
static void set_up_libcrypto(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
				    OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
				    OPENSSL_INIT_NO_ADD_ALL_DIGESTS | OPENSSL_INIT_NO_ATEXIT,
			    NULL);
}

/* A large block is mapped, and so zeroed by the kernel when it is touched. glibc would give up on that
 * after the first that is freed, and clear each by hand (mallopt(3)). */
static void set_up_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
}

int main(int argc, char **argv)
{
	const char *db = getenv("SUBU_DB");
	struct command command = {.db = db && *db ? db : STORE_DEFAULT_PATH};
	struct error error = {};
	int code = process_fix_standard_fds(&error);

	set_up_memory();
	set_up_libcrypto();
	if (code == 0)
		code = run(&command, argc, argv, &error);
	if (code == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		code = error_errno(&error, "cannot write the answer");
	if (code == 0)
		return command.done;
	fprintf(stderr, "subu: %s\n", error.text);
	if (command.status)
		return command.status;
	return error.usage ? STATUS_USAGE : STATUS_FAILED;
}
