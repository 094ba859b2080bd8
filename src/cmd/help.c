/* usage, help, example, version. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/cmd.h"

#define WORDS_WIDTH 28 /* the left column of a table of verbs */

static const char synopsis[] = "subu [--db FILE] [--json] [--quiet] [--dry-run] VERB ...";

static const char options_text[] =
	"Options, before or after the verb (exec, run and engine: before it only):\n"
	"  --db FILE      another database than " STORE_DEFAULT_PATH
	"; so does the variable\n"
	"                 SUBU_DB\n"
	"  --json         answer with one JSON document on stdout\n"
	"  -q, --quiet    of what was changed only the id; no notes\n"
	"  -n, --dry-run  say what would be done to the kernel, and change nothing\n";

static const char files_text[] =
	"Files:\n"
	"  " STORE_DEFAULT_PATH
	"             the database: 0600, it holds private keys\n"
	"  " STORE_DEFAULT_PATH
	".lock        held while a subu works on the database\n"
	"  /run/netns/ns-subu_N              the namespaces, as `ip netns` knows them\n"
	"  /run/wireguard/subu_M.sock        where the engine of WG_M listens, so that\n"
	"                                    `wg show subu_M` works\n"
	"  /run/subu/subu_M.log              what that engine has to say\n"
	"  /run/subu/subu_M.pid              the lock by which it is known\n"
	"  /sys/fs/cgroup/subu/subu_N        the control group of its commands (or below\n"
	"                                    /sys/fs/cgroup/unified)\n"
	"  /sys/fs/bpf/subu/subu_N           what holds the programs that steer it\n"
	"  /etc/netns/ns-subu_N/resolv.conf  name servers inside when the tunnel has none\n"
	"  ~/.config/subu/profiles           your profiles; XDG_CONFIG_HOME moves them\n"
	"  /run/user/UID/subu                your tunnels, of run and up, with their logs;\n"
	"                                    XDG_RUNTIME_DIR moves them. /tmp/subu-UID where\n"
	"                                    there is no such folder\n"
	"  /run/subu/tunnels                 those of root\n";

static const char status_text[] =
	"Exit status: 0 done; 1 could not; 2 the words were wrong. Of `subu exec` and\n"
	"`subu run`: the command's own; 128+N when signal N ended it; 125 when subu failed,\n"
	"126 when the command cannot be run, 127 when it is not found.\n";

static const char example_text[] =
	"# One command behind a tunnel. It needs no root, but a WireGuard .conf that somebody\n"
	"# gave you, here vpn.conf.\n"
	"\n"
	"subu run --config vpn.conf -- curl https://example.org/\n"
	"\n"
	"# The same with a tunnel that stays, until it is taken down.\n"
	"\n"
	"subu profile import vpn.conf\n"
	"subu up vpn\n"
	"subu run --profile vpn -- curl https://example.org/\n"
	"subu status\n"
	"subu down vpn\n"
	"\n"
	"# A sub-user whose traffic leaves by a WireGuard tunnel, from nothing to nothing.\n"
	"# You need a WireGuard server: its address (here 192.0.2.1:51820) and its public\n"
	"# key (put it in SERVER_KEY). Type the lines as root, one by one; ids count from 0\n"
	"# in a new database.\n"
	"\n"
	"subu init k3x9qa\n"
	"subu WG global 10.77.0.0/24\n"
	"subu WG create 192.0.2.1:51820\n"
	"subu WG server_provided_public_key WG_0 $SERVER_KEY\n"
	"\n"
	"# Tell the server the public key that `WG create` printed, and that 10.77.0.2/32 is\n"
	"# where it belongs.\n"
	"\n"
	"subu create alice work --user nobody\n"
	"subu attach WG subu_0 WG_0\n"
	"subu network up subu_0\n"
	"subu exec subu_0 -- curl http://10.77.0.1/\n"
	"subu WG info WG_0\n"
	"subu list\n"
	"subu doctor subu_0\n"
	"\n"
	"# And back to nothing.\n"
	"\n"
	"subu detach WG subu_0\n"
	"subu remove subu_0\n"
	"subu WG remove WG_0\n"
	"subu doctor\n";

/* Two columns within 80; words that are too long for theirs have a line to themselves. */
static void print_table(const struct verb *table, const char *prefix)
{
	char words[128];

	for (; table->name; table++) {
		snprintf(words, sizeof(words), "%s%s %s", prefix, table->name, table->words);
		if (strlen(words) > WORDS_WIDTH)
			printf("  %s\n  %-*s  %s\n", words, WORDS_WIDTH, "", table->purpose);
		else
			printf("  %-*s  %s\n", WORDS_WIDTH, words, table->purpose);
	}
}

static void print_other_words(const struct verb *verb)
{
	if (!verb->aliases[0])
		return;
	printf("       or %s", verb->aliases[0]);
	if (verb->aliases[1])
		printf(", or %s", verb->aliases[1]);
	puts(" for the verb");
}

static void help_table(const struct verb *verb)
{
	printf("usage: subu %s VERB ...", verb->name);
	if (verb->aliases[0])
		printf(", or subu %s VERB ...", verb->aliases[0]);
	puts("\n");
	print_table(verb->table, verb->prefix);
	printf("\n`subu %s VERB --help` says more.\n", verb->name);
}

void help_verb(const struct verb *verb)
{
	if (verb->table) {
		help_table(verb);
		return;
	}
	printf("usage: subu %s%s%s%s\n", verb_prefix(verb), verb->name, *verb->words ? " " : "",
	       verb->words);
	print_other_words(verb);
	printf("\n%s\n", verb->purpose);
	if (verb->details)
		printf("\n%s\n", verb->details);
}

int cmd_usage(struct command *command, int argc, char **argv, struct error *error)
{
	printf("usage: %s\n\n", synopsis);
	print_table(verb_table, "");
	puts("\n`subu example` prints a whole session; `subu help` and `subu VERB --help` say more.");
	return 0;
}

static void print_options(void)
{
	puts("Options of a sub-user (`subu option set SUBU NAME VALUE`); the first value holds\n"
	     "when none is set:\n");
	for (size_t i = 0; i < option_count; i++)
		printf("  %s %s\n      %s\n", option_table[i].name, option_table[i].values,
		       option_table[i].purpose);
}

static void print_all(void)
{
	printf("subu gives each sub-user of this machine a network identity of its own: a\n"
	       "network namespace, one WireGuard tunnel in it, and commands that run inside and\n"
	       "reach a network only through that tunnel. `subu run` does it for one command,\n"
	       "without root.\n\n"
	       "usage: %s\n\n"
	       "SUBU is an id, subu_N, or OWNER:NAME; WG_M is a tunnel's id. The word WG may be\n"
	       "written wg.\n\n",
	       synopsis);
	print_table(verb_table, "");
	for (const struct verb *verb = verb_table; verb->name; verb++)
		if (verb->table) {
			printf("\nsubu %s ...:\n", verb->name);
			print_table(verb->table, verb->prefix);
		}
	printf("\n%s\n%s\n%s\nTopics: a verb, WG, profile, options, files, exit.\n", options_text,
	       files_text, status_text);
}

static int print_topic(const char *topic, struct error *error)
{
	const struct verb *verb = verb_find(verb_table, topic);

	if (strcmp(topic, "options") == 0)
		print_options();
	else if (strcmp(topic, "files") == 0)
		fputs(files_text, stdout);
	else if (strcmp(topic, "exit") == 0)
		fputs(status_text, stdout);
	else if (verb)
		help_verb(verb);
	else
		return error_usage(error,
				   "there is no help on '%.64s': a verb, WG, profile, options, "
				   "files or exit",
				   topic);
	return 0;
}

int cmd_help(struct command *command, int argc, char **argv, struct error *error)
{
	const struct verb *owner = argc == 3 ? verb_find(verb_table, argv[1]) : NULL, *verb;

	if (owner && owner->table) {
		verb = verb_find(owner->table, argv[2]);
		if (!verb)
			return verb_unknown(owner, argv[2], error);
		help_verb(verb);
		return 0;
	}
	if (argc == 2)
		return print_topic(argv[1], error);
	print_all();
	return 0;
}

int cmd_example(struct command *command, int argc, char **argv, struct error *error)
{
	fputs(example_text, stdout);
	return 0;
}

int cmd_version(struct command *command, int argc, char **argv, struct error *error)
{
	CLEANUP(output_release) json_t *value = NULL;

	value = json_pack("{ss}", "version", SUBU_VERSION);
	if (command->json)
		output_json(value);
	else
		puts(SUBU_VERSION);
	return 0;
}
