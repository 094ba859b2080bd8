#include "run/profile_text.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"

/* A key of 32 bytes in base64: 43 characters and one '=' (RFC 4648 section 4). */
#define KEY_DIGITS 43

/* The most that the text grows by: what takes the place of an empty value is shorter than the name
 * and the '=' before it. */
#define GROWTH 2

struct hider {
	const char *line, *at; /* in the text: where the line begins, and where we are */
	char *out;
};

static bool is_base64(char character)
{
	return character && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789+/",
				   character);
}

static size_t base64_run(const char *at, const char *end)
{
	const char *start = at;

	while (at < end && is_base64(*at))
		at++;
	return (size_t)(at - start);
}

/* The bytes of "NAME", white space and '=' at the beginning, or 0. */
static size_t assignment_size(const char *at, const char *end, const char *name)
{
	const char *start = at;

	if ((size_t)(end - at) <= strlen(name) || strncasecmp(at, name, strlen(name)) != 0)
		return 0;
	at += strlen(name);
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at < end && *at == '=' ? (size_t)(at + 1 - start) : 0;
}

static void keep(struct hider *hider, size_t size)
{
	hider->out = mempcpy(hider->out, hider->at, size);
	hider->at += size;
}

static void hide(struct hider *hider, size_t size)
{
	hider->out = stpcpy(hider->out, PROFILE_TEXT_HIDDEN);
	hider->at += size;
}

/* A secret's name and its '='; all the rest of the line is its value. */
static bool take_secret(struct hider *hider, const char *line_end)
{
	static const char *const names[] = {"PrivateKey", "PresharedKey"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t size = assignment_size(hider->at, line_end, names[i]);

		if (size == 0)
			continue;
		keep(hider, size);
		if (hider->at < line_end && *hider->at == ' ')
			keep(hider, 1);
		hide(hider, (size_t)(line_end - hider->at));
		return true;
	}
	return false;
}

/* A public key that is assigned, or else what could be any key. */
static bool take_key(struct hider *hider, const char *line_end)
{
	size_t size = assignment_size(hider->at, line_end, "PublicKey"), run;

	if (size) {
		while (hider->at + size < line_end && strchr(" \t", hider->at[size]))
			size++;
		keep(hider, size + base64_run(hider->at + size, line_end));
		return true;
	}
	if (hider->at > hider->line && is_base64(hider->at[-1]))
		return false;
	run = base64_run(hider->at, line_end);
	if (run < KEY_DIGITS || hider->at + run == line_end || hider->at[run] != '=')
		return false;
	hide(hider, run + 1);
	return true;
}

static void hide_line(struct hider *hider, const char *line_end)
{
	hider->line = hider->at;
	while (hider->at < line_end) {
		if (take_secret(hider, line_end))
			return;
		if (!take_key(hider, line_end))
			keep(hider, 1);
	}
}

void profile_text_hide(const struct secret_text *text, struct secret_text *ret)
{
	const char *end = text->bytes + text->size;
	struct secret_text shown = {.bytes = memory_zalloc(text->size * GROWTH + 1)};
	struct hider hider = {.at = text->bytes, .out = shown.bytes};

	while (hider.at < end) {
		const char *newline = memchr(hider.at, '\n', (size_t)(end - hider.at));
		const char *line_end = newline ? newline : end;

		if (line_end > hider.at && line_end[-1] == '\r')
			line_end--;
		hide_line(&hider, line_end);
		keep(&hider, (size_t)((newline ? newline + 1 : end) - hider.at));
	}
	shown.size = (size_t)(hider.out - shown.bytes);
	*ret = shown;
}
