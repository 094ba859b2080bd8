/* wireguard/conf: the files in conf/ with what must come of each. good-* become a tunnel, shown
 * here as one line of text; bad-* become an error that holds the words given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "wireguard/conf.h"

/* The secrets in all of the files, made for them. */
#define PRIVATE_KEY   "uDUe7EhB0XLVNd+omAt6fucXMZu+l6oxsbhISXW5Vmo="
#define PRESHARED_KEY "QIFP4T9vLEB2UzPfr704ALWXK6oXu0XPeENIqqOU90M="

/* A peer as "; KEY ENDPOINT KEEPALIVE [ALLOWED]", the first letters of the key, + when preshared.
 */
static void describe_peer(FILE *out, const struct wg_peer *peer)
{
	CLEANUP(memory_free) char *allowed = cidr_list_format(&peer->allowed_ips);
	char key[KEY_BASE64_MAX], endpoint[ENDPOINT_TEXT_MAX];

	key_to_base64(&peer->public_key, key);
	fprintf(out, "; %.4s%s %s %u [%s]", key, key_is_zero(&peer->preshared_key) ? "" : "+",
		*peer->endpoint.host ? endpoint_format(&peer->endpoint, endpoint) : "-",
		peer->keepalive, allowed);
}

/* What is not as it would be in a file that says nothing. The caller frees it. */
static char *describe(const struct tunnel *tunnel, unsigned int ignored)
{
	CLEANUP(memory_free) char *addresses = cidr_list_format(&tunnel->addresses);
	CLEANUP(memory_free) char *dns = dns_format(&tunnel->dns);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(addresses, out);
	if (*dns)
		fprintf(out, " dns %s", dns);
	if (tunnel->mtu)
		fprintf(out, " mtu %u", tunnel->mtu);
	if (tunnel->device.listen_port)
		fprintf(out, " port %u", tunnel->device.listen_port);
	if (tunnel->device.fwmark)
		fprintf(out, " mark %#x", tunnel->device.fwmark);
	if (!tunnel->routes)
		fputs(" no-routes", out);
	if (ignored)
		fprintf(out, " ignored %u", ignored);
	for (size_t i = 0; i < tunnel->device.peer_count; i++)
		describe_peer(out, &tunnel->device.peers[i]);
	fclose(out);
	return text;
}

static void test_good(void **state)
{
	static const struct {
		const char *name, *expected;
	} cases[] = {
		{"minimal", ""},
		{"provider",
		 "10.66.4.17/32, fc00:bbbb:bbbb:bb01::3:410/128 dns 10.64.0.1; "
		 "ZmSk 192.0.2.66:51820 0 [0.0.0.0/0, ::/0]"},
		{"crlf-bom", "10.8.0.2/24; ZmSk vpn.example.com:51820 25 [10.8.0.0/24]"},
		{"case-no-newline",
		 "10.0.0.2/32 mtu 1380; ZmSk Gate.Example.COM:443 0 [10.0.0.0/8]"},
		{"repeated-lists",
		 "10.0.0.2/32, fd00::2/128 dns 10.0.0.1, fd00::1, corp.example; "
		 "ZmSk - 0 [10.0.0.0/24, 192.168.0.0/16, fd00::/64]"},
		{"server",
		 "192.168.77.1/24 port 51820; ZmSk+ - 0 [192.168.77.2/32]; "
		 "LW1H - 25 [192.168.77.3/32]; "
		 "LSIv office.example.net:51821 0 [192.168.77.4/32, 192.168.80.0/24]"},
		{"hooks", "10.0.0.1/24 ignored 6; ZmSk - 0 [0.0.0.0/0]"},
		{"peer-first", "; ZmSk - 0 [0.0.0.0/0]"},
		{"mark-table-mtu", " mtu 9000 mark 0xca6c no-routes; ZmSk - 0 [0.0.0.0/0]"},
		{"off", "; ZmSk - 0 [0.0.0.0/0]"},
		{"ipv6-endpoint", "2001:db8:1::2/64 mtu 1280; ZmSk [2001:db8::66]:51820 0 [::/0]"},
		{"ipv6-small-mtu", "10.0.0.2/32, fd00::2/128 mtu 1279"}, /* for tunnel_check() */
		{"link-local-endpoint", "; ZmSk [fe80::1%eth0]:51820 0 [::/0]"},
		{"empty-lists", "; ZmSk - 0 []"},
		{"comments", "10.0.0.2/32; ZmSk - 0 [0.0.0.0/0]"},
		{"host-bits", "10.1.2.3/8; ZmSk - 0 [10.0.0.0/8, 2001:db8::/32]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(tunnel_clear) struct tunnel tunnel = {};
		CLEANUP(memory_free) char *text = NULL;
		char path[128], key[KEY_BASE64_MAX];
		unsigned int ignored;
		struct error error;

		snprintf(path, sizeof(path), "conf/good-%s.conf", cases[i].name);
		if (conf_read(path, &tunnel, &ignored, &error) < 0)
			fail_msg("%s", error.text);
		text = describe(&tunnel, ignored);
		assert_string_equal(text, cases[i].expected);
		key_to_base64(&tunnel.device.private_key, key);
		assert_string_equal(key, PRIVATE_KEY);
	}
}

static void test_preshared_key(void **state)
{
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	char key[KEY_BASE64_MAX];
	unsigned int ignored;
	struct error error;

	(void)state;
	assert_int_equal(conf_read("conf/good-server.conf", &tunnel, &ignored, &error), 0);
	key_to_base64(&tunnel.device.peers[0].preshared_key, key);
	assert_string_equal(key, PRESHARED_KEY);
}

/* No twenty-one characters in a row of the key are in the text. */
static void assert_key_hidden(const char *text)
{
	char piece[22] = {};

	for (size_t i = 0; i + 21 <= strlen(PRIVATE_KEY); i++) {
		memcpy(piece, &PRIVATE_KEY[i], 21);
		assert_null(strstr(text, piece));
	}
}

/* bad-NAME.conf, and where and of what the parser complains. */
static const struct {
	const char *name;
	unsigned int line;
	const char *complaint;
} bad_files[] = {
	{"address", 3, "Address: '10.0.0.256/24' is not an address"},
	{"allowed-ips", 6, "AllowedIPs: '10.0.0.0/33' is not an address"},
	{"allowed-ips-comma", 6, "AllowedIPs: '10.0.0.0/8,, ::/0' is not a list"},
	{"carriage-return", 1, "control character (0x0d)"},
	{"dns", 3, "DNS: '10.0.0.1 10.0.0.2' is neither"},
	{"empty", 1, "no [Interface]"},
	{"endpoint-address", 6, "Endpoint: '2001:db8::1:51820' is not HOST:PORT"},
	{"endpoint-without-port", 6, "Endpoint: 'vpn.example.com' is not HOST:PORT"},
	{"escape", 3, "control character (0x1b)"},
	{"keepalive", 6, "PersistentKeepalive: '70000'"},
	{"key-as-endpoint", 6, "Endpoint: '****"},
	{"key-before-section", 1, "Address stands outside [Interface]"},
	{"key-out-of-place", 2, "is not a key"},
	{"loose-key", 2, "PrivateKey: a key is 44 characters"},
	{"mark", 3, "FwMark: '0x1ffffffff'"},
	{"network-claimed-twice", 10, "10.0.0.0/8 belongs to the peer of line 6"},
	{"no-equals", 2, "neither KEY = VALUE"},
	{"no-interface", 4, "no [Interface]"},
	{"no-private-key", 1, "[Interface] has no PrivateKey"},
	{"no-public-key", 4, "[Peer] has no PublicKey"},
	{"nul", 3, "control character (0x00)"},
	{"open-section", 1, "ends with ']'"},
	{"peer-key-in-interface", 3, "PublicKey stands outside [Peer]"},
	{"port", 3, "ListenPort: '65536'"},
	{"same-peer-twice", 9, "this peer has a [Peer] section already"},
	{"second-mtu", 4, "a second MTU"},
	{"second-private-key", 3, "a second PrivateKey"},
	{"short-key", 2, "PrivateKey: a key is 44 characters"},
	{"small-mtu", 3, "MTU: '500'"},
	{"table-number", 3, "Table: '51820'"},
	{"two-interfaces", 8, "a second [Interface]"},
	{"unknown-key", 3, "'Adress' is not a key"},
	{"unknown-section", 4, "'Client' is not a section"},
	{"utf-16", 1, "control character"},
	{"zero-key", 2, "a key of zeros"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_files); i++) {
		struct tunnel tunnel = {.id = 77};
		unsigned int ignored = 77;
		char path[128], place[160];
		struct error error;

		snprintf(path, sizeof(path), "conf/bad-%s.conf", bad_files[i].name);
		snprintf(place, sizeof(place), "%s:%u: ", path, bad_files[i].line);
		assert_true(conf_read(path, &tunnel, &ignored, &error) < 0);
		if (strncmp(error.text, place, strlen(place)) != 0 ||
		    !strstr(error.text, bad_files[i].complaint))
			fail_msg("'%s' is not '%s… %s'", error.text, place, bad_files[i].complaint);
		assert_key_hidden(error.text);
		assert_int_equal(tunnel.id, 77); /* untouched */
		assert_int_equal(ignored, 77);
	}
}

/* A comment of this many bytes in a file that is good but for it. */
static int parse_with_comment(size_t size, struct error *error)
{
	static const char start[] = "[Interface]\nPrivateKey = " PRIVATE_KEY "\n#";
	CLEANUP(memory_free) char *text = memory_zalloc(strlen(start) + size);
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	unsigned int ignored;

	memset(text, 'x', strlen(start) + size - 1);
	memcpy(text, start, strlen(start));
	return conf_parse("long.conf", text, strlen(start) + size - 1, &tunnel, &ignored, error);
}

static void test_sizes(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(parse_with_comment(256 << 10, &error), 0);
	assert_int_equal(parse_with_comment((256 << 10) + 1, &error), -EINVAL);
	assert_non_null(strstr(error.text, "long.conf:3: the line has more than 262144 bytes"));
	assert_int_equal(parse_with_comment(1000000, &error), -EINVAL);
	assert_int_equal(parse_with_comment(CONF_SIZE_MAX, &error), -EFBIG);
	assert_non_null(strstr(error.text, "long.conf is too large"));
}

/* As many peers, with as many networks, as a file can hold. */
static void test_many(void **state)
{
	CLEANUP(memory_free) char *text = memory_zalloc(CONF_SIZE_MAX + 1);
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	char *end = stpcpy(text, "[Interface]\nPrivateKey=" PRIVATE_KEY "\n");
	unsigned int ignored, count = 0;
	struct key key = {};
	struct error error;

	(void)state;
	for (; end - text < CONF_SIZE_MAX - 128; count++) {
		char base64[KEY_BASE64_MAX];

		memcpy(key.bytes, &(uint32_t){count + 1}, sizeof(uint32_t));
		key_to_base64(&key, base64);
		end += sprintf(end, "[Peer]\nPublicKey=%s\nAllowedIPs=10.%u.%u.%u\n", base64,
			       count >> 16, count >> 8 & 255, count & 255);
	}
	assert_int_equal(
		conf_parse("many.conf", text, (size_t)(end - text), &tunnel, &ignored, &error), 0);
	assert_int_equal(tunnel.device.peer_count, count);
}

static void test_not_a_file(void **state)
{
	struct tunnel tunnel;
	unsigned int ignored;
	struct error error;

	(void)state;
	assert_int_equal(conf_read("conf/none.conf", &tunnel, &ignored, &error), -ENOENT);
	assert_int_equal(conf_read("conf", &tunnel, &ignored, &error), -EINVAL);
	assert_int_equal(conf_read("/dev/zero", &tunnel, &ignored, &error), -EINVAL);
	assert_non_null(strstr(error.text, "/dev/zero is not a regular file"));
}

static void test_check(void **state)
{
	static const struct {
		const char *name, *complaint; /* NULL: it can be run */
	} cases[] = {
		{"provider", NULL},
		{"server", NULL},
		{"minimal", "conf/good-minimal.conf: [Interface] has no Address"},
		{"ipv6-small-mtu", "conf/good-ipv6-small-mtu.conf: an MTU of 1279 is too small"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(tunnel_clear) struct tunnel tunnel = {};
		unsigned int ignored;
		struct error error = {};
		char path[128];
		int code;

		snprintf(path, sizeof(path), "conf/good-%s.conf", cases[i].name);
		assert_int_equal(conf_read(path, &tunnel, &ignored, &error), 0);
		code = conf_check(path, &tunnel, &error);
		assert_int_equal(code, cases[i].complaint ? -EINVAL : 0);
		if (cases[i].complaint)
			assert_non_null(strstr(error.text, cases[i].complaint));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_preshared_key),
		cmocka_unit_test(test_bad),   cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_many),  cmocka_unit_test(test_not_a_file),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
