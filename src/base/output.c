#include "base/output.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static char *join(const json_t *array);

/* The text of a value, for the caller to free. */
static char *text_of(const json_t *value)
{
	if (json_is_string(value))
		return memory_strdup(json_string_value(value));
	if (json_is_integer(value))
		return memory_format("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_boolean(value))
		return memory_strdup(json_is_true(value) ? "yes" : "no");
	if (json_is_array(value) && json_array_size(value))
		return join(value);
	return memory_strdup("-");
}

static char *join(const json_t *array)
{
	char *joined = memory_strdup("");
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)array, i, item)
	{
		CLEANUP(memory_free) char *before = joined;
		CLEANUP(memory_free) char *text = text_of(item);

		joined = memory_format("%s%s%s", before, i ? ", " : "", text);
	}
	return joined;
}

static size_t width_of(const json_t *rows, const struct output_column *column)
{
	size_t width = strlen(column->title), i;
	json_t *row;

	json_array_foreach((json_t *)rows, i, row)
	{
		CLEANUP(memory_free) char *text = text_of(json_object_get(row, column->key));

		if (strlen(text) > width)
			width = strlen(text);
	}
	return width;
}

/* The last column has no spaces behind it. */
static void print_cell(const char *text, size_t width, bool last)
{
	if (last)
		printf("%s\n", text);
	else
		printf("%-*s  ", (int)width, text);
}

void output_table(const json_t *rows, const struct output_column *columns, size_t count)
{
	CLEANUP(memory_free) size_t *widths = memory_resize(NULL, count, sizeof(*widths));
	json_t *row;
	size_t r;

	for (size_t i = 0; i < count; i++) {
		widths[i] = width_of(rows, &columns[i]);
		print_cell(columns[i].title, widths[i], i + 1 == count);
	}
	json_array_foreach((json_t *)rows, r, row)
	{
		for (size_t i = 0; i < count; i++) {
			CLEANUP(memory_free)
			char *text = text_of(json_object_get(row, columns[i].key));

			print_cell(text, widths[i], i + 1 == count);
		}
	}
}

void output_record(const json_t *object, const struct output_column *columns, size_t count)
{
	size_t width = 0;

	for (size_t i = 0; i < count; i++)
		if (strlen(columns[i].title) > width)
			width = strlen(columns[i].title);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(memory_free) char *text = text_of(json_object_get(object, columns[i].key));

		print_cell(columns[i].title, width, false);
		print_cell(text, 0, true);
	}
}

static void must_have(const json_t *value)
{
	if (!value) {
		fputs("subu: an answer cannot be put in JSON: out of memory, or text that is not "
		      "UTF-8\n",
		      stderr);
		abort();
	}
}

json_t *output_text(const char *text)
{
	CLEANUP(memory_free) char *printable = memory_strdup(text);
	json_t *string;

	text_make_printable(printable);
	string = json_string(printable);
	must_have(string);
	return string;
}

void output_json(const json_t *value)
{
	must_have(value);
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
}

void output_release(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}
