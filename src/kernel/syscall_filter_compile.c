/* A program of the build: compiles the rules that it is linked with, and writes them as a header.
 *
 *	NAME OUTPUT	OUTPUT defines NAME, an array of struct sock_filter
 *
 * Compiled at run time they would be the same each time, and somebody waits for a command. */
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/syscall_filter_rules.h"

static void filter_release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

/* Another ABI's calls have other numbers: they end the process. */
static int compile(FILE *program)
{
	const struct syscall_filter_rules *rules = &syscall_filter_rules;
	CLEANUP(filter_release) scmp_filter_ctx filter = seccomp_init(rules->otherwise);
	int code = filter ? 0 : -ENOMEM;

	if (code == 0)
		code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (code == 0 && rules->tree)
		code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (code == 0)
		code = rules->add(filter);
	return code < 0 ? code : seccomp_export_bpf(filter, fileno(program));
}

static int write_header(FILE *program, const char *name, FILE *header)
{
	struct sock_filter step;

	rewind(program);
	fprintf(header, "#include <linux/filter.h>\n\n");
	fprintf(header, "static const struct sock_filter %s[] = {\n", name);
	while (fread(&step, sizeof(step), 1, program) == 1)
		fprintf(header, "\t{0x%x, %u, %u, 0x%x},\n", step.code, step.jt, step.jf, step.k);
	fprintf(header, "};\n");
	return ferror(program) || ferror(header) || fflush(header) ? -EIO : 0;
}

int main(int argc, char **argv)
{
	CLEANUP(file_close) FILE *program = tmpfile();
	CLEANUP(file_close) FILE *header = argc == 3 ? fopen(argv[2], "w") : NULL;
	int code = program && header ? compile(program) : -EIO;

	if (code == 0)
		code = write_header(program, argv[1], header);
	if (code < 0)
		fprintf(stderr, "cannot compile a filter of system calls: %s\n", strerror(-code));
	return code < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
