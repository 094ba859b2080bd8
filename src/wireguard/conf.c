/* Reading wg-quick's .conf, line by line, from hostile text to a tunnel or one error.
 *
 * A line is copied to the parser's own buffer, cut at '#', and is then a section or KEY = VALUE.
 * One table says of each key where it stands, whether it may stand there twice, and who reads its
 * value. Values are read by the parsers that the rest of the program uses.
 *
 * What cannot be seen on one line is checked when a section ends (what it must have) and when the
 * text ends (two peers that claim one network: WireGuard would silently give it to the later one).
 * Allowed IPs are therefore collected as claims, which become the peers' lists at the end.
 *
 * An error is about parser->line_number. Private and preshared keys never get into a message: the
 * readers of keys do not quote them, and in what others quote, where a key may have slipped, all
 * that could be one is masked. The parser, which held them, is wiped. */
#include "wireguard/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

#define LINE_SIZE_MAX	(256 << 10) /* without its end; a list of 10,000 allowed IPs */
#define QUOTED_MAX	20 /* characters in a row that may be shown: less than half a key */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

enum section {
	SECTION_NONE,
	SECTION_INTERFACE,
	SECTION_PEER,
};

static const char *const section_names[] = {
	[SECTION_INTERFACE] = "Interface",
	[SECTION_PEER] = "Peer",
};

/* An allowed IP and who asks for it. */
struct claim {
	struct cidr network;
	size_t peer;
	unsigned int line_number;
	bool again; /* by the same peer */
};

struct parser {
	struct tunnel tunnel;
	unsigned int ignored;
	struct claim *claims; /* owned */
	size_t claim_count;
	enum section section;
	bool interface_seen;
	uint32_t keys_seen; /* in this section, a bit for each of keys[] */
	unsigned int line_number, section_line;
};

struct conf_key {
	const char *name;
	enum section section;
	bool repeats;
	int (*read)(struct parser *parser, const char *value, struct error *error);
};

static void parser_clear(struct parser *parser)
{
	tunnel_clear(&parser->tunnel);
	memory_free(&parser->claims);
	explicit_bzero(parser, sizeof(*parser));
}

static struct wg_peer *current_peer(struct parser *parser)
{
	struct wg_device *device = &parser->tunnel.device;

	return &device->peers[device->peer_count - 1];
}

/* A key that must be one: all zero is how none is told. */
static int read_key(const char *value, struct key *ret, struct error *error)
{
	CLEANUP(key_wipe) struct key key = {};
	int code = key_from_base64(value, &key, error);

	if (code < 0)
		return code;
	if (key_is_zero(&key))
		return error_set(error, EINVAL, "a key of zeros is none: 'wg genkey' makes one");
	*ret = key;
	return 0;
}

static int read_private_key(struct parser *parser, const char *value, struct error *error)
{
	return read_key(value, &parser->tunnel.device.private_key, error);
}

static int read_listen_port(struct parser *parser, const char *value, struct error *error)
{
	uint64_t port;

	if (text_to_number(value, 0, UINT16_MAX, &port) < 0)
		return error_set(error, EINVAL, "'%.100s' is not a port, 0 to 65535", value);
	parser->tunnel.device.listen_port = (uint16_t)port;
	return 0;
}

/* "0x" and 1–8 digits. */
static int read_hex(const char *value, uint64_t *ret)
{
	size_t size = strlen(value);

	if (strncasecmp(value, "0x", 2) != 0 || size < 3 || size > 10 ||
	    strspn(value + 2, "0123456789abcdefABCDEF") != size - 2)
		return -EINVAL;
	*ret = strtoul(value + 2, NULL, 16);
	return 0;
}

static int read_fwmark(struct parser *parser, const char *value, struct error *error)
{
	uint64_t mark = 0;

	if (strcasecmp(value, "off") != 0 && read_hex(value, &mark) < 0 &&
	    text_to_number(value, 0, UINT32_MAX, &mark) < 0)
		return error_set(error, EINVAL,
				 "'%.100s' is not a mark: off, or a number such as 51820 or 0xca6c",
				 value);
	parser->tunnel.device.fwmark = (uint32_t)mark;
	return 0;
}

static int read_addresses(struct parser *parser, const char *value, struct error *error)
{
	CLEANUP(cidr_list_clear) struct cidr_list list = {};
	int code = cidr_list_parse(value, &list, error);

	for (size_t i = 0; i < list.count; i++)
		cidr_list_append(&parser->tunnel.addresses, &list.items[i]);
	return code;
}

static int read_dns(struct parser *parser, const char *value, struct error *error)
{
	return dns_parse(value, &parser->tunnel.dns, error);
}

static int read_mtu(struct parser *parser, const char *value, struct error *error)
{
	uint64_t mtu;

	if (text_to_number(value, TUNNEL_MTU_LEAST, TUNNEL_MTU_MOST, &mtu) < 0)
		return error_set(error, EINVAL, "'%.100s' is not an MTU, %d to %d", value,
				 TUNNEL_MTU_LEAST, TUNNEL_MTU_MOST);
	parser->tunnel.mtu = (uint32_t)mtu;
	return 0;
}

static int read_table(struct parser *parser, const char *value, struct error *error)
{
	if (strcasecmp(value, "off") != 0 && strcasecmp(value, "auto") != 0)
		return error_set(error, EINVAL,
				 "'%.100s' cannot be the routing table, for subu keeps one of its "
				 "own: auto or off",
				 value);
	parser->tunnel.routes = strcasecmp(value, "auto") == 0;
	return 0;
}

/* What wg-quick would run or do as root and subu does not. */
static int read_ignored(struct parser *parser, const char *value, struct error *error)
{
	(void)value;
	(void)error;
	parser->ignored++;
	return 0;
}

static int read_public_key(struct parser *parser, const char *value, struct error *error)
{
	struct key key;
	int code = read_key(value, &key, error);

	if (code < 0)
		return code;
	if (wg_device_find_peer(&parser->tunnel.device, &key))
		return error_set(error, EINVAL,
				 "this peer has a [Peer] section already: one is right");
	current_peer(parser)->public_key = key;
	return 0;
}

static int read_preshared_key(struct parser *parser, const char *value, struct error *error)
{
	return key_from_base64(value, &current_peer(parser)->preshared_key, error);
}

static int read_allowed_ips(struct parser *parser, const char *value, struct error *error)
{
	CLEANUP(cidr_list_clear) struct cidr_list list = {};
	int code = cidr_list_parse(value, &list, error);
	size_t count = parser->claim_count;

	if (code < 0)
		return code;
	parser->claims = memory_resize(parser->claims, count + list.count, sizeof(struct claim));
	for (size_t i = 0; i < list.count; i++) {
		parser->claims[count + i] = (struct claim){
			.network = cidr_network(&list.items[i]),
			.peer = parser->tunnel.device.peer_count - 1,
			.line_number = parser->line_number,
		};
	}
	parser->claim_count += list.count;
	return 0;
}

static int read_endpoint(struct parser *parser, const char *value, struct error *error)
{
	return endpoint_parse(value, &current_peer(parser)->endpoint, error);
}

static int read_keepalive(struct parser *parser, const char *value, struct error *error)
{
	uint64_t seconds = 0;

	if (strcasecmp(value, "off") != 0 && text_to_number(value, 0, UINT16_MAX, &seconds) < 0)
		return error_set(error, EINVAL,
				 "'%.100s' is not an interval: off, or seconds up to 65535", value);
	current_peer(parser)->keepalive = (uint16_t)seconds;
	return 0;
}

static const struct conf_key keys[] = {
	{"PrivateKey", SECTION_INTERFACE, false, read_private_key},
	{"ListenPort", SECTION_INTERFACE, false, read_listen_port},
	{"FwMark", SECTION_INTERFACE, false, read_fwmark},
	{"Address", SECTION_INTERFACE, true, read_addresses},
	{"DNS", SECTION_INTERFACE, true, read_dns},
	{"MTU", SECTION_INTERFACE, false, read_mtu},
	{"Table", SECTION_INTERFACE, false, read_table},
	{"PreUp", SECTION_INTERFACE, true, read_ignored},
	{"PostUp", SECTION_INTERFACE, true, read_ignored},
	{"PreDown", SECTION_INTERFACE, true, read_ignored},
	{"PostDown", SECTION_INTERFACE, true, read_ignored},
	{"SaveConfig", SECTION_INTERFACE, true, read_ignored},
	{"PublicKey", SECTION_PEER, false, read_public_key},
	{"PresharedKey", SECTION_PEER, false, read_preshared_key},
	{"AllowedIPs", SECTION_PEER, true, read_allowed_ips},
	{"Endpoint", SECTION_PEER, false, read_endpoint},
	{"PersistentKeepalive", SECTION_PEER, false, read_keepalive},
};

static const struct conf_key *key_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcasecmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* Moves the start and the end of the text inwards over white space. */
static char *trim(char *text)
{
	size_t size;

	text += strspn(text, " \t");
	for (size = strlen(text); size && strchr(" \t", text[size - 1]); size--)
		;
	text[size] = '\0';
	return text;
}

/* The section that ends here must have its key. */
static int section_end(struct parser *parser, struct error *error)
{
	static const char *const required[] = {
		[SECTION_INTERFACE] = "PrivateKey",
		[SECTION_PEER] = "PublicKey",
	};
	const struct conf_key *key;

	if (parser->section == SECTION_NONE)
		return 0;
	key = key_find(required[parser->section]);
	if (parser->keys_seen & 1u << (key - keys))
		return 0;
	parser->line_number = parser->section_line;
	return error_set(error, EINVAL, "[%s] has no %s: it needs one",
			 section_names[parser->section], key->name);
}

static int read_section(struct parser *parser, char *line, struct error *error)
{
	size_t size = strlen(line);
	int code = section_end(parser, error);
	char *name;

	if (code < 0)
		return code;
	if (line[size - 1] != ']')
		return error_set(error, EINVAL, "a section ends with ']', as [Interface] does");
	line[size - 1] = '\0';
	name = trim(line + 1);
	if (strcasecmp(name, section_names[SECTION_PEER]) == 0) {
		parser->section = SECTION_PEER;
		wg_device_append_peer(&parser->tunnel.device);
	} else if (strcasecmp(name, section_names[SECTION_INTERFACE]) != 0) {
		return error_set(error, EINVAL,
				 "'%.100s' is not a section: [Interface] and [Peer] are", name);
	} else if (parser->interface_seen) {
		return error_set(error, EINVAL, "a second [Interface]: a tunnel has one");
	} else {
		parser->section = SECTION_INTERFACE;
		parser->interface_seen = true;
	}
	parser->keys_seen = 0;
	parser->section_line = parser->line_number;
	return 0;
}

static int read_assignment(struct parser *parser, char *line, struct error *error)
{
	char *equals = strchr(line, '=');
	const struct conf_key *key;
	const char *name;
	uint32_t bit;
	int code;

	if (!equals)
		return error_set(error, EINVAL,
				 "the line is neither KEY = VALUE, a [Section] nor a # comment");
	*equals = '\0';
	name = trim(line);
	key = key_find(name);
	if (!key)
		return error_set(error, EINVAL, "'%.100s' is not a key that wg-quick knows", name);
	if (key->section != parser->section)
		return error_set(error, EINVAL, "%s stands outside [%s], where it belongs",
				 key->name, section_names[key->section]);
	bit = 1u << (key - keys);
	if (parser->keys_seen & bit && !key->repeats)
		return error_set(error, EINVAL, "a second %s: one is right", key->name);
	parser->keys_seen |= bit;
	code = key->read(parser, trim(equals + 1), error);
	return code < 0 ? error_wrap(error, "%s", key->name) : 0;
}

/* Takes the line of `size` bytes, its newline left out. */
static int read_line(struct parser *parser, const char *text, size_t size, struct error *error)
{
	CLEANUP(secret_text_clear) struct secret_text copy = {};
	char *line;

	if (size && text[size - 1] == '\r')
		size--;
	if (size > LINE_SIZE_MAX)
		return error_set(error, EINVAL,
				 "the line has more than %d bytes: a long list may be divided "
				 "between several lines",
				 LINE_SIZE_MAX);
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
			return error_set(error, EINVAL,
					 "there is a control character (0x%02x) where only text in "
					 "UTF-8 is right",
					 text[i]);
	copy = (struct secret_text){.bytes = memory_zalloc(size + 1), .size = size};
	memcpy(copy.bytes, text, size);
	*strchrnul(copy.bytes, '#') = '\0';
	line = trim(copy.bytes);
	if (!*line)
		return 0;
	return *line == '[' ? read_section(parser, line, error)
			    : read_assignment(parser, line, error);
}

/* By network, then as in the text. */
static int claim_compare(const void *left, const void *right)
{
	const struct claim *a = *(struct claim *const *)left, *b = *(struct claim *const *)right;
	int order = memcmp(a->network.ip.bytes, b->network.ip.bytes, sizeof(a->network.ip.bytes));

	if (a->network.ip.family != b->network.ip.family)
		return a->network.ip.family < b->network.ip.family ? -1 : 1;
	if (order == 0)
		order = a->network.length - b->network.length;
	if (order == 0)
		order = a < b ? -1 : a > b;
	return order;
}

/* Marks what a peer claims again, and refuses what another has claimed. */
static int compare_claims(struct parser *parser, struct error *error)
{
	CLEANUP(memory_free)
	struct claim **sorted = memory_resize(NULL, parser->claim_count, sizeof(struct claim *));
	char text[CIDR_TEXT_MAX];

	for (size_t i = 0; i < parser->claim_count; i++)
		sorted[i] = &parser->claims[i];
	qsort(sorted, parser->claim_count, sizeof(struct claim *), claim_compare);
	for (size_t i = 1; i < parser->claim_count; i++) {
		const struct claim *one = sorted[i - 1];
		struct claim *other = sorted[i];

		if (!cidr_equal(&one->network, &other->network))
			continue;
		other->again = one->peer == other->peer;
		if (other->again)
			continue;
		parser->line_number = other->line_number;
		return error_set(error, EINVAL,
				 "AllowedIPs: %s belongs to the peer of line %u already: only one "
				 "can have it",
				 cidr_format(&one->network, text), one->line_number);
	}
	return 0;
}

/* What shows only when the whole text has been read. */
static int finish(struct parser *parser, struct error *error)
{
	struct wg_peer *peers = parser->tunnel.device.peers;
	int code;

	if (!parser->interface_seen)
		return error_set(error, EINVAL, "there is no [Interface], with a PrivateKey in it");
	code = compare_claims(parser, error);
	for (size_t i = 0; i < parser->claim_count && code == 0; i++) {
		const struct claim *claim = &parser->claims[i];

		if (!claim->again)
			cidr_list_append(&peers[claim->peer].allowed_ips, &claim->network);
	}
	return code;
}

static int read_text(struct parser *parser, const char *text, size_t size, struct error *error)
{
	const char *end = text + size, *newline;
	int code;

	if (size >= strlen(BYTE_ORDER_MARK) &&
	    memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		text += strlen(BYTE_ORDER_MARK);
	do {
		parser->line_number++;
		newline = memchr(text, '\n', (size_t)(end - text));
		code = read_line(parser, text, (size_t)((newline ? newline : end) - text), error);
		if (code < 0)
			return code;
		text = newline ? newline + 1 : end;
	} while (text < end);
	code = section_end(parser, error);
	return code < 0 ? code : finish(parser, error);
}

/* Hides what could be a good part of a key. */
static void mask_keys(char *text)
{
	size_t run;

	for (; *text; text += run ? run : 1) {
		run = strspn(text,
			     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789+/");
		if (run > QUOTED_MAX)
			memset(text, '*', run);
	}
}

int conf_parse(const char *name, const char *text, size_t size, struct tunnel *ret,
	       unsigned int *ret_ignored, struct error *error)
{
	CLEANUP(parser_clear) struct parser parser = {.tunnel.routes = true};

	if (size > CONF_SIZE_MAX)
		return error_set(error, EFBIG, "%.200s is too large: %d bytes are the most", name,
				 CONF_SIZE_MAX);
	if (read_text(&parser, text, size, error) < 0) {
		mask_keys(error->text);
		return error_wrap(error, "%.200s:%u", name, parser.line_number);
	}
	*ret = parser.tunnel;
	parser.tunnel = (struct tunnel){};
	*ret_ignored = parser.ignored;
	return 0;
}

int conf_check(const char *name, const struct tunnel *tunnel, struct error *error)
{
	if (tunnel->addresses.count == 0)
		return error_set(error, EINVAL,
				 "%.200s: [Interface] has no Address: add a line such as "
				 "Address = 10.0.0.2/32",
				 name);
	return tunnel_check(tunnel, error) < 0 ? error_wrap(error, "%.200s", name) : 0;
}
