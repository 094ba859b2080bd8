#include "model/name.h"

#include <string.h>

#include "base/text.h"

#define SUBU_PREFIX   "subu_"
#define TUNNEL_PREFIX "WG_"

static const char name_characters[] =
	"abcdefghijklmnopqrstuvwxyz"
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	"0123456789_-.";

int name_check(const char *what, const char *text, struct error *error)
{
	size_t size = strlen(text);

	if (size == 0)
		return error_usage(error, "the name of the %s is empty", what);
	if (size >= NAME_SIZE)
		return error_usage(error,
				   "'%.100s' is too long for the name of the %s: it has %zu "
				   "characters, %d is the most",
				   text, what, size, NAME_SIZE - 1);
	if (strspn(text, name_characters) != size || *text == '-' || *text == '.' ||
	    strstr(text, ".."))
		return error_usage(error,
				   "'%s' is no name for the %s: letters a-z and A-Z, digits, '_', "
				   "'-' and '.' make one, with no '-' or '.' at its beginning and "
				   "no '..' in it",
				   text, what);
	return 0;
}

bool name_has_id(const char *text, const char *prefix, uint32_t *ret)
{
	size_t size = strlen(prefix);
	uint64_t id;

	if (strncmp(text, prefix, size) != 0 || (text[size] == '0' && text[size + 1]))
		return false;
	if (text_to_number(text + size, 0, UINT32_MAX, &id) < 0)
		return false;
	*ret = (uint32_t)id;
	return true;
}

int name_parse_subu(const char *text, struct name_reference *ret, struct error *error)
{
	struct name_reference reference = {};
	const char *colon = strchr(text, ':');
	int code;

	if (colon) {
		if (colon - text >= NAME_SIZE)
			return error_usage(error,
					   "the owner in '%.200s' is too long: %d characters are "
					   "the most",
					   text, NAME_SIZE - 1);
		memcpy(reference.owner, text, (size_t)(colon - text));
		code = name_check("owner", reference.owner, error);
		if (code == 0)
			code = name_check("sub-user", colon + 1, error);
		if (code < 0)
			return code;
		strcpy(reference.name, colon + 1);
	} else {
		reference.by_id = true;
		if (!name_has_id(text, SUBU_PREFIX, &reference.id))
			return error_usage(error,
					   "'%.100s' does not say which sub-user: subu_N, such as "
					   "subu_0, or OWNER:NAME would",
					   text);
	}
	*ret = reference;
	return 0;
}

int name_parse_tunnel(const char *text, uint32_t *ret_id, struct error *error)
{
	if (!name_has_id(text, TUNNEL_PREFIX, ret_id))
		return error_usage(error,
				   "'%.100s' does not say which tunnel: WG_M, such as WG_0, would",
				   text);
	return 0;
}
