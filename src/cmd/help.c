/* usage, help, example, version. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/cmd.h"

static const char synopsis[] = "subu [--db FILE] [--json] [--quiet] [--dry-run] VERB ...";

static const char options_text[] =
	"Options before or after the verb:\n"
	"  --db FILE      another database than " STORE_DEFAULT_PATH
	" (or SUBU_DB)\n"
	"  --json         one JSON document on stdout\n"
	"  -q, --quiet    ids and errors only\n"
	"  -n, --dry-run  say what would be done in the kernel, and change nothing\n";

static const char files_text[] =
	"Files:\n"
	"  " STORE_DEFAULT_PATH
	"          the database: 0600, it holds private keys\n"
	"  /run/netns/ns-subu_N             the namespaces, as `ip netns` knows them\n"
	"  /run/subu/subu_M.log             what the engine of WG_M has to say\n"
	"  /run/wireguard/subu_M.sock       the engine's socket: `wg show subu_M` works\n"
	"  /etc/netns/ns-subu_N/resolv.conf the resolver inside when the tunnel has no DNS\n";

static const char status_text[] =
	"Exit status: 0 done; 1 could not; 2 the words were wrong; `subu exec`: the command's own,\n"
	"128+N when signal N ended it, 125 subu failed, 126 cannot be run, 127 not found.\n";

static const char example_text[] =
	"# A sub-user whose traffic leaves by a WireGuard tunnel, from nothing to nothing. You need a\n"
	"# WireGuard server: its address (here 192.0.2.1:51820) and its public key ($SERVER_KEY). Type\n"
	"# the lines as root, one by one; ids count from 0 in a new database.\n"
	"\n"
	"subu init k3x9qa\n"
	"subu WG global 10.77.0.0/24\n"
	"subu WG create 192.0.2.1:51820\n"
	"subu WG server_provided_public_key WG_0 $SERVER_KEY\n"
	"\n"
	"# Tell the server the public key that `WG create` printed, with the address 10.77.0.2/32.\n"
	"\n"
	"subu create alice work\n"
	"subu attach WG subu_0 WG_0\n"
	"subu option set subu_0 default-route on\n"
	"subu network up subu_0\n"
	"subu exec subu_0 -- curl http://10.77.0.1/\n"
	"subu WG info WG_0\n"
	"subu list\n"
	"\n"
	"# And back to nothing.\n"
	"\n"
	"subu detach WG subu_0\n"
	"subu remove subu_0\n"
	"subu WG remove WG_0\n"
	"subu doctor\n";

static void print_table(const struct verb *table, const char *prefix)
{
	char words[128];

	for (; table->name; table++) {
		if (!table->purpose)
			continue;
		snprintf(words, sizeof(words), "%s%s %s", prefix, table->name, table->words);
		printf("  %-46s %s\n", words, table->purpose);
	}
}

void help_verb(const struct verb *verb)
{
	const char *place = verb_find(tunnel_verb_table, verb->name) == verb ? "WG " : "";

	if (verb->run == cmd_tunnel) {
		puts("usage: subu WG ...   (or wg)\n");
		print_table(tunnel_verb_table, "WG ");
		return;
	}
	printf("usage: subu %s%s %s\n", place, verb->name, verb->words);
	if (verb->alias)
		printf("       or: subu %s%s\n", place, verb->alias);
	if (verb->purpose)
		printf("\n%s\n", verb->purpose);
	if (verb->details)
		printf("\n%s\n", verb->details);
}

int cmd_usage(struct command *command, int argc, char **argv, struct error *error)
{
	(void)command;
	(void)argv;
	if (command_count(verb_find(verb_table, "usage"), argc, 0, 0, error) < 0)
		return -error->code;
	printf("usage: %s\n\n", synopsis);
	print_table(verb_table, "");
	puts("\n`subu example` prints a whole session; `subu help` and `subu VERB --help` say more.");
	return 0;
}

static void print_options(void)
{
	puts("Options of a sub-user (`subu option set SUBU NAME VALUE`); the first value holds when\n"
	     "none is set:\n");
	for (size_t i = 0; i < option_count; i++)
		printf("  %s %s\n      %s\n", option_table[i].name, option_table[i].values,
		       option_table[i].purpose);
}

static void print_all(void)
{
	printf("subu gives each sub-user of this machine a network identity of its own: a network\n"
	       "namespace, a WireGuard tunnel in it, and commands that run inside and reach a network\n"
	       "only through that tunnel.\n\nusage: %s\n\nSUBU is an id, subu_N, or OWNER:NAME; WG_M is a "
	       "tunnel's id.\n\n",
	       synopsis);
	print_table(verb_table, "");
	printf("\nTunnels:\n");
	print_table(tunnel_verb_table, "WG ");
	printf("\n%s\n%s\n%s\nTopics: a verb, WG, options, files, status.\n", options_text,
	       files_text, status_text);
}

static int print_topic(const char *topic, struct error *error)
{
	const struct verb *verb = verb_find(verb_table, topic);

	if (strcmp(topic, "options") == 0)
		print_options();
	else if (strcmp(topic, "files") == 0)
		fputs(files_text, stdout);
	else if (strcmp(topic, "status") == 0)
		fputs(status_text, stdout);
	else if (verb)
		help_verb(verb);
	else
		return error_usage(error,
				   "there is no help on '%.64s': a verb, WG, options, files or "
				   "status",
				   topic);
	return 0;
}

int cmd_help(struct command *command, int argc, char **argv, struct error *error)
{
	const struct verb *verb;

	(void)command;
	if (argc == 3 && verb_find(verb_table, argv[1]) == verb_find(verb_table, "WG")) {
		verb = verb_find(tunnel_verb_table, argv[2]);
		if (!verb)
			return error_usage(error, "WG has no '%.64s': see `subu help WG`", argv[2]);
		help_verb(verb);
		return 0;
	}
	if (command_count(verb_find(verb_table, "help"), argc, 0, 1, error) < 0)
		return -error->code;
	if (argc == 2)
		return print_topic(argv[1], error);
	print_all();
	return 0;
}

int cmd_example(struct command *command, int argc, char **argv, struct error *error)
{
	(void)command;
	(void)argv;
	if (command_count(verb_find(verb_table, "example"), argc, 0, 0, error) < 0)
		return -error->code;
	fputs(example_text, stdout);
	return 0;
}

int cmd_version(struct command *command, int argc, char **argv, struct error *error)
{
	(void)command;
	(void)argv;
	if (command_count(verb_find(verb_table, "version"), argc, 0, 0, error) < 0)
		return -error->code;
	puts(SUBU_VERSION);
	return 0;
}
