#include "model/option.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

const struct subu_option option_table[] = {
	{OPTION_BACKEND, "auto|kernel|engine",
	 "who runs the tunnel; auto: the kernel where it can, else the engine"},
	{OPTION_DEFAULT_ROUTE, "off|on",
	 "on: programs that bind no device find the tunnel's routes, too"},
};

const size_t option_count = ARRAY_SIZE(option_table);

int option_find(const char *name, const struct subu_option **ret, struct error *error)
{
	char names[256] = "";

	for (size_t i = 0; i < option_count; i++) {
		if (strcmp(option_table[i].name, name) == 0) {
			*ret = &option_table[i];
			return 0;
		}
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i ? ", " : "", option_table[i].name);
	}
	return error_usage(error, "there is no option '%.64s'; there are: %s", name, names);
}

int option_check(const struct subu_option *option, const char *value, struct error *error)
{
	const char *start = option->values;
	size_t length = strlen(value);

	while (*start) {
		const char *end = strchrnul(start, '|');

		if ((size_t)(end - start) == length && strncmp(start, value, length) == 0)
			return 0;
		start = *end ? end + 1 : end;
	}
	return error_usage(error, "option %s takes %s, not '%.64s'", option->name, option->values,
			   value);
}

const char *option_default(const struct subu_option *option, char *buffer, size_t size)
{
	snprintf(buffer, size, "%.*s", (int)(strchrnul(option->values, '|') - option->values),
		 option->values);
	return buffer;
}
