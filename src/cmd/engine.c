#include "cmd/cmd.h"

#include <getopt.h>
#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "wireguard/engine.h"

#define USAGE "usage: subu engine [-f|--foreground] IFNAME"

/* What engine_start() passes on is not for users, and has no short form. */
enum {
	OPTION_FOREGROUND = 'f',
	OPTION_MANAGED = UCHAR_MAX + 1,
	OPTION_INDEX,
	OPTION_FWMARK,
};

static const struct option long_options[] = {
	{"foreground", no_argument, NULL, OPTION_FOREGROUND},
	{"managed", no_argument, NULL, OPTION_MANAGED},
	{"index", required_argument, NULL, OPTION_INDEX},
	{"fwmark", required_argument, NULL, OPTION_FWMARK},
	{},
};

static int read_number(const char *text, uint64_t least, uint32_t *ret)
{
	uint64_t number;

	if (text_to_number(text, least, UINT32_MAX, &number) < 0)
		return -1;
	*ret = (uint32_t)number;
	return 0;
}

static int read_options(int argc, char **argv, struct engine_options *options)
{
	int option, code = 0;

	opterr = 0;
	optind = 0; /* the verb's own words, whatever getopt() has seen before */
	while (code == 0 && (option = getopt_long(argc, argv, "+f", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_FOREGROUND:
			options->foreground = true;
			break;
		case OPTION_MANAGED:
			options->managed = true;
			break;
		case OPTION_INDEX:
			code = read_number(optarg, 1, &options->index);
			break;
		case OPTION_FWMARK:
			code = read_number(optarg, 0, &options->fwmark);
			break;
		default:
			code = -1;
		}
	}
	/* By hand, the mark is set by wg(8), and the index is that of the device it makes. */
	if (options->managed != (options->index != 0) || (!options->managed && options->fwmark))
		code = -1;
	return code;
}

int cmd_engine(struct command *command, int argc, char **argv, struct error *error)
{
	struct engine_options options = {};

	if (command->dry_run)
		return error_usage(error, "engine has no --dry-run: it makes one interface");
	if (read_options(argc, argv, &options) < 0 || argc - optind != 1)
		return error_usage(error, USAGE);
	options.name = argv[optind];
	if (!*options.name || strlen(options.name) >= IFNAMSIZ)
		return error_usage(error, "'%.100s' cannot be the name of a device", options.name);
	return engine_main(&options, error);
}
