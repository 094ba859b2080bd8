#include "enter/nsswitch.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

static const char hosts_line[] = "hosts: files dns\n";

/* The C library skips white space, and takes what follows up to white space or a colon for the
 * database's name. */
static bool is_for_hosts(const char *line)
{
	while (isspace((unsigned char)*line) && *line != '\n')
		line++;
	if (strncmp(line, "hosts", 5) != 0)
		return false;
	return line[5] == ':' || line[5] == '\0' || isspace((unsigned char)line[5]);
}

char *nsswitch_rewrite(const char *text)
{
	/* The shortest line that is replaced, but for the last, is "hosts\n". */
	char *out = memory_zalloc((strlen(text) / 6 + 2) * sizeof(hosts_line) + strlen(text));
	char *end = out;
	bool found = false;
	size_t length;

	for (; *text; text += length) {
		length = (size_t)(strchrnul(text, '\n') - text);
		length += text[length] == '\n';
		if (is_for_hosts(text)) {
			end = stpcpy(end, hosts_line);
			found = true;
		} else {
			end = mempcpy(end, text, length);
		}
	}
	if (end > out && end[-1] != '\n')
		*end++ = '\n';
	if (!found)
		strcpy(end, hosts_line);
	return out;
}
