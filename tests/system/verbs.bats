# Every verb as it is documented: what it does, how it answers, and that --dry-run does not do it.
#
#	 client
#	+------------------------------+
#	| ns-subu_0: lo, subu_0 (WG_0) |   the server of lib.bash is there and hears nothing
#	+------------------------------+
#
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2016,SC2034,SC2154 # `subu ...` stands in sentences; lib.bash has the names
load lib

setup()
{
	machines init
}

teardown()
{
	machines_end
}

# first_word WORD COMMAND...: the answer is one line, and begins so.
first_word()
{
	done_by "${@:2}"
	[ "${#lines[@]}" -eq 1 ] || complain "not one line: ${*:2}"
	[ "${output%% *}" = "$1" ] || complain "does not begin with $1: ${*:2}"
}

# dry COMMAND...: with --dry-run it says "would ..." (TEXT in it) and changes nothing.
dry()
{
	local text=$1 before

	shift
	before=$(everything)
	done_by subu --dry-run "$@"
	[[ $output == *"$text"* ]] || complain "does not say: $text"
	done_by subu "$@" --dry-run --json
	json v >/dev/null
	unchanged
}

a_tunnel()
{
	client subu -q WG global 10.77.0.0/24
	client subu -q WG create 192.0.2.1:51820
	client subu -q WG server_provided_public_key WG_0 "$(wg genkey | wg pubkey)"
	client subu -q WG set WG_0 dns 10.77.0.1
}

@test "init makes a database that is root's alone, and refuses when there is one" {
	rm "$SUBU_DB"*
	done_by subu init k3x9qa
	[[ $output == *"$SUBU_DB"* ]]
	[ "$(stat -c %a "$SUBU_DB")" = 600 ]
	refused 1 "there is a database $SUBU_DB already" subu init k3x9qa
	refused 1 "cannot make the folder" subu --db "$BATS_TEST_TMPDIR/x/y/z.db" init abcdef
	done_by subu --db "$BATS_TEST_TMPDIR/y/z.db" --json init abcdef
	[ "$(json 'v["database"]')" = "$BATS_TEST_TMPDIR/y/z.db" ]
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/y")" = 700 ]
}

@test "without SUBU_DB or --db it is /var/lib/subu/subu.db" {
	client mount -t tmpfs tmpfs /var/lib
	local none='there is no database /var/lib/subu/subu.db: make it with `subu init TOKEN`'

	unset SUBU_DB
	fails 1 "$none" subu list
	export SUBU_DB=
	fails 1 "$none" subu list
	done_by subu init k3x9qa
	done_by subu list
	client stat -c '%a %n' /var/lib/subu /var/lib/subu/subu.db >"$BATS_TEST_TMPDIR/modes"
	diff "$BATS_TEST_TMPDIR/modes" - <<-END
		700 /var/lib/subu
		600 /var/lib/subu/subu.db
	END
}

@test "create answers with the id first, ids count from 0 and are never used again" {
	first_word subu_0 subu create alice web
	first_word subu_1 subu create alice mail --user nobody
	first_word subu_2 subu --quiet create bob web
	[ "$output" = subu_2 ]
	first_word subu_2 subu remove subu_2
	first_word subu_3 subu create bob web
	done_by subu --json create bob more
	[ "$(json 'v["subu"], v["netns"], v["owner"], v["name"]')" = \
		"('subu_4', 'ns-subu_4', 'bob', 'more')" ]
	[ "$(client ip netns list | grep -c ^ns-subu_)" -eq 4 ]
	[ "$(inside 0 ip -br link | awk '{ print $1, $2 }')" = "lo DOWN" ]
}

@test "list has the columns it promises" {
	done_by subu list
	[ "$(tr -s ' ' <<<"${lines[0]}")" = \
		"Subu_ID Owner Name NetNS WG_Attached? Up/Down Steer?" ]
	client subu -q create alice web
	client subu -q lo up alice:web
	done_by subu ls
	[ "$(tr -s ' ' <<<"${lines[1]}")" = "subu_0 alice web ns-subu_0 - up no" ]
	client subu -q lo down subu_0
	done_by subu --json list
	[ "$(json 'len(v), v[0]["subu"], v[0]["tunnel"], v[0]["state"], v[0]["steer"]')" = \
		"(1, 'subu_0', None, 'down', False)" ]
}

@test "info, information and show are one verb" {
	client subu -q create alice web --user nobody
	done_by subu info subu_0
	local first=$output
	[[ $first == *nobody* && $first == *ns-subu_0* && $first == *default-route* ]]
	for verb in information show; do
		done_by subu "$verb" alice:web
		[ "$output" = "$first" ] || complain "$verb is not info"
	done
	done_by subu --json info subu_0
	[ "$(json 'v["account"], v["tunnel"], v["interfaces"][0]["name"], v["processes"]')" = \
		"('nobody', None, 'lo', 0)" ]
}

@test "lo and network turn interfaces on and off" {
	client subu -q create alice web
	first_word subu_0 subu lo up subu_0
	[[ $(inside 0 ip -br link show lo) == *UP* ]]
	first_word subu_0 subu network down subu_0
	[[ $(inside 0 ip -br link show lo) != *UP* ]]
	first_word subu_0 subu network up subu_0
	[[ $(inside 0 ip -br link show lo) == *UP* ]]
	done_by subu --json lo down subu_0
	[ "$(json v)" = "{'subu': 'subu_0', 'lo': 'down'}" ]
	refused 2 "'sideways' is neither up nor down" subu lo sideways subu_0
}

@test "remove, and rm: the namespace is gone, and the machine as before" {
	was=$(snapshot)
	client subu -q create alice web
	client subu -q lo up subu_0
	first_word subu_0 subu remove subu_0
	client subu -q create alice web
	first_word subu_1 subu rm alice:web
	diff <(echo "$was") <(snapshot)
	refused 1 "there is no sub-user subu_0" subu remove subu_0
}

@test "remove refuses while a process runs inside, unless forced" {
	client subu -q create alice web
	inside 0 sleep 1000 3>&- &
	soon inside_has_processes
	refused 1 "is running inside subu_0" subu remove subu_0
	done_by subu remove subu_0 --force
	wait $! || true
	[ ! -e "/proc/$anchor/root/run/netns/ns-subu_0" ]
}

inside_has_processes()
{
	done_by subu --json info subu_0
	[ "$(json 'v["processes"]')" -gt 0 ]
}

@test "options are listed, got and set" {
	client subu -q create alice web
	done_by subu option get subu_0 backend
	[ "$output" = auto ]
	done_by subu option set subu_0 backend engine
	done_by subu option get subu_0 backend
	[ "$output" = engine ]
	done_by subu --json option list subu_0
	[ "$(json '[(o["name"], o["value"]) for o in v]')" = \
		"[('backend', 'engine'), ('default-route', 'off')]" ]
	done_by subu --json option get subu_0 default-route
	[ "$(json v)" = "{'default-route': 'off'}" ]
	refused 2 "option backend takes auto|kernel|engine" subu option set subu_0 backend magic
	refused 2 "there is no option 'colour'" subu option set subu_0 colour red
}

@test "WG global hands out from .2, and tells the next" {
	first_word 10.77.0.0/24 subu WG global 10.77.0.0/24
	[[ $output == *10.77.0.2* ]]
	first_word WG_0 subu WG create 192.0.2.1:51820
	[[ $output == *10.77.0.2/32* ]]
	first_word WG_1 subu wg create vpn.example.org:51820
	done_by subu --json WG global 10.77.0.0/16
	[ "$(json v)" = "{'pool': '10.77.0.0/16', 'next': '10.77.0.4'}" ]
	first_word WG_1 subu WG remove WG_1
	first_word WG_2 subu WG create '[2001:db8::1]:51820'
	refused 1 "10.99.0.0/24" subu WG global 10.99.0.0/24
}

@test "WG global takes IPv6" {
	done_by subu WG global fd77::/64
	[[ $output == *fd77::2 ]]
	done_by subu --json WG create '[2001:db8::1]:51820'
	[ "$(json 'v["addresses"]')" = "['fd77::2/128']" ]
	done_by subu --json WG info WG_0
	[ "$(json 'v["peers"][0]["allowed_ips"]')" = "['0.0.0.0/0', '::/0']" ]
}

# With a provider that has no algorithms in place of its own, libcrypto derives no key.
@test "a configuration of libcrypto has no say in keys" {
	client subu -q WG global 10.77.0.0/24
	printf '%s\n' 'openssl_conf = all' '[all]' 'providers = these' '[these]' 'null = nothing' \
		'[nothing]' 'activate = 1' >"$BATS_TEST_TMPDIR/openssl.cnf"
	export OPENSSL_CONF=$BATS_TEST_TMPDIR/openssl.cnf
	first_word WG_0 subu WG create 192.0.2.1:51820
}

@test "WG list, info and information show a tunnel and no secret" {
	a_tunnel
	done_by subu WG list
	[[ ${lines[1]} == WG_0*192.0.2.1:51820*10.77.0.2/32*yes*detached* ]]
	done_by subu --json wg ls
	[ "$(json 'v[0]["tunnel"], v[0]["peers"][0]["key_set"], v[0]["state"]')" = \
		"('WG_0', True, 'detached')" ]
	done_by subu WG information WG_0
	local text=$output
	done_by subu wg info WG_0
	[ "$output" = "$text" ]
	private=$(dump | grep -oE "[xX]'[0-9a-fA-F]{64}'" | tr -d "xX'" | head -1 |
		python3 -c 'import sys, base64; print(base64.b64encode(bytes.fromhex(sys.stdin.read())).decode())')
	[[ $text != *"$private"* ]]
}

@test "WG set keeps what it is told" {
	a_tunnel
	(umask 077 && wg genkey >"$BATS_TEST_TMPDIR/private" && wg genpsk >"$BATS_TEST_TMPDIR/psk")
	first_word WG_0 subu WG set WG_0 endpoint '[2001:db8::9]:99' allowed-ips 10.0.0.0/8,::/0 \
		persistent-keepalive 25 mtu 1300 dns 9.9.9.9,example.org \
		preshared-key "$BATS_TEST_TMPDIR/psk" private-key "$BATS_TEST_TMPDIR/private"
	[[ $output == *"$(wg pubkey <"$BATS_TEST_TMPDIR/private")"* ]]
	done_by subu --json WG info WG_0
	[ "$(json 'v["mtu"], v["dns"]')" = "(1300, '9.9.9.9, example.org')" ]
	[ "$(json '[v["peers"][0][k] for k in ("endpoint", "allowed_ips", "keepalive", "preshared_key")]')" = \
		"['[2001:db8::9]:99', ['10.0.0.0/8', '::/0'], 25, True]" ]
	[[ $output != *"$(cat "$BATS_TEST_TMPDIR/psk")"* ]]
	done_by subu WG set WG_0 persistent-keepalive off dns '' preshared-key /dev/null
	done_by subu --json WG info WG_0
	[ "$(json 'v["dns"], v["peers"][0]["keepalive"], v["peers"][0]["preshared_key"]')" = \
		"(None, 0, False)" ]
}

@test "attach, WG up, WG down, detach" {
	a_tunnel
	client subu -q create alice web
	first_word subu_0 subu attach WG subu_0 WG_0
	done_by subu list
	[ "$(tr -s ' ' <<<"${lines[1]}")" = "subu_0 alice web ns-subu_0 WG_0 down yes" ]
	try subu wg up WG_0
	[ "$status" -eq 0 ]
	[ "$stderr" = 'subu: warning: lo is down in subu_0: `subu lo up subu_0`' ]
	[[ $(inside 0 ip link show subu_0) == *,UP* ]]
	first_word subu_0 subu lo up subu_0
	done_by subu --json WG list
	[ "$(json 'v[0]["state"], v[0]["subu"]')" = "('up', 'subu_0')" ]
	first_word WG_0 subu WG down WG_0
	[[ $(inside 0 ip link show subu_0) != *,UP* ]]
	refused 1 "subu_0 has WG_0 attached already" subu attach WG subu_0 WG_0
	refused 1 "WG_0 is attached to subu_0" subu WG remove WG_0
	first_word subu_0 subu detach WG subu_0
	run ! inside 0 ip link show subu_0
	first_word subu_0 subu -q attach wg subu_0 WG_0 --no-steer
	first_word subu_0 subu detach wg subu_0 WG_0
	first_word WG_0 subu WG rm WG_0
}

@test "--dry-run changes nothing and says what would be done" {
	a_tunnel
	client subu -q create alice web
	dry "would create namespace ns-subu_1" create bob web
	dry "would set lo up" lo up subu_0
	dry "would set lo up" network up subu_0
	dry "would delete IPv4 rule ipproto icmp unreachable" option set subu_0 default-route on
	client subu -q option set subu_0 backend engine
	dry "would start the engine of subu_0" attach WG subu_0 WG_0
	dry "would delete namespace ns-subu_0" remove subu_0
	dry "nothing to do" WG create 192.0.2.1:51820
	dry "nothing to do" WG global 10.77.0.0/16
	dry "nothing to do" WG set WG_0 mtu 1300
	dry "nothing to do" WG remove WG_0
	client ip netns del ns-subu_0
	dry "would create namespace ns-subu_0" reconcile
	client subu -q attach WG subu_0 WG_0
	dry "would set subu_0 up" network up subu_0
	dry "would set mtu 1300 on subu_0" WG set WG_0 mtu 1300
	dry "would set subu_0 up" WG up WG_0
	dry "would delete device subu_0" detach WG subu_0
	done_by subu --dry-run exec subu_0 -- touch "$BATS_TEST_TMPDIR/touched"
	[ "$output" = "would run touch in ns-subu_0" ] || complain "does not say what it would run"
	[ ! -e "$BATS_TEST_TMPDIR/touched" ]
}

@test "--quiet says ids and errors only" {
	client subu -q create alice web
	done_by subu -q lo up subu_0
	[ "$output" = subu_0 ]
	done_by subu --quiet reconcile
	[ -z "$output" ]
	done_by subu --quiet doctor
	[ -z "$output" ]
	try subu --quiet info subu_9
	one_sentence "there is no sub-user subu_9"
}

@test "doctor and reconcile answer in JSON" {
	client subu -q create alice web
	done_by subu --json doctor
	[ "$(json v)" = "{'well': True, 'findings': []}" ]
	client ip netns del ns-subu_0
	try subu --json doctor subu_0
	[ "$status" -eq 1 ]
	[ "$(json 'v["well"], v["findings"][0]["about"]')" = "(False, 'subu_0')" ]
	done_by subu reconcile --json
	[ "$(json 'v["subu_0"][0]')" = "create namespace ns-subu_0" ]
	done_by subu reconcile
	[ "$output" = "subu_0: nothing to do" ]
	done_by subu doctor
	[ "$output" = "all is well" ]
}
