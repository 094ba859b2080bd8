/* How long it takes to get to a command, and back, in nanoseconds:
 *
 *	bench-start COMMAND...	starts it, and prints how long it was until the moment that the
 *				command printed, and until it had ended
 *	bench-start		prints this moment: the command to start. It is linked statically, so
 *				that nothing of its own comes before its first instructions
 *
 * No shell is in between, and starting this program does not count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(int result, const char *call)
{
	if (result >= 0)
		return;
	perror(call);
	exit(1);
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void read_all(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
}

int main(int argc, char **argv)
{
	long long moment = now(), start;
	char text[64], *end;
	int ends[2], status;
	pid_t child;

	if (argc == 1)
		return printf("%lld\n", moment) < 0;
	must(pipe(ends), "pipe");
	start = now();
	child = fork();
	must(child, "fork");
	if (child == 0) {
		must(dup2(ends[1], STDOUT_FILENO), "dup2");
		close(ends[0]);
		close(ends[1]);
		execvp(argv[1], argv + 1);
		must(-1, argv[1]);
	}
	close(ends[1]);
	must(waitpid(child, &status, 0), "waitpid");
	moment = now();
	read_all(ends[0], text, sizeof(text));
	if (status != 0 || strtoll(text, &end, 10) < start || strcmp(end, "\n") != 0) {
		fprintf(stderr, "%s: status %d, said: %s\n", argv[1], status, text);
		return 1;
	}
	printf("%lld %lld\n", strtoll(text, NULL, 10) - start, moment - start);
	return 0;
}
