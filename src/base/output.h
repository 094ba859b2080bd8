/* What a verb answers: one JSON value, shown as it is with --json, or as a table or a record of
 * lines to people. */
#ifndef BASE_OUTPUT_H
#define BASE_OUTPUT_H

#include <jansson.h>
#include <stddef.h>

/* How a member of a JSON object is shown: under which title, and where to find it. A member that is
 * missing or null is shown as "-", a boolean as yes or no, an array as a list with commas. */
struct output_column {
	const char *title;
	const char *key;
};

/* A row for each object of the array below a line of titles. */
void output_table(const json_t *rows, const struct output_column *columns, size_t count);

/* "title  value", a line a column. */
void output_record(const json_t *object, const struct output_column *columns, size_t count);

/* A JSON string of foreign text, whatever its bytes are (see text_make_printable()): json_string()
 * would give NULL for a name that is not UTF-8. Ends the program when there is no memory. */
json_t *output_text(const char *text);

/* The value as a JSON document. Ends the program when there is none: jansson makes no value of text
 * that is not UTF-8, nor when memory is out, and an answer must not be lost in silence. */
void output_json(const json_t *value);

/* Use with CLEANUP(). */
void output_release(json_t **value);

#endif
