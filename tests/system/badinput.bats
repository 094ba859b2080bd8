# Input that is wrong, and machines that cannot: each time one sentence that names the thing and what
# would be right, status 1 or 2, and nothing changed.
#
#	 client
#	+----------------------------------+
#	| ns-subu_0: lo   (alice:web)      |   a tunnel WG_0 that is not attached
#	+----------------------------------+
#
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2016,SC2034,SC2154 # `subu ...` stands in sentences; lib.bash has the names
load lib

setup()
{
	machines init
	client subu -q create alice web
	client subu -q WG global 10.77.0.0/24
	client subu -q WG create 192.0.2.1:51820
	before=$(everything)
	big=$(printf 'a%.0s' {1..100000})
}

teardown()
{
	machines_end
}

# conf NAME: a configuration from stdin.
conf()
{
	cat >"$BATS_TEST_TMPDIR/$1"
}

@test "names" {
	each 2 "is no name for the sub-user: letters" subu create bob -- \
		a/b .. a..b .x -x 'a b' a:b '*' '%s%n' $'a\nb' $'a\e[31mb' é
	each 2 "the name of the sub-user is empty" subu create bob -- ""
	each 2 "characters, 32 is the most" subu create bob -- "${big:0:33}" "$big"
	refused 2 "is no name for the owner: letters" subu create ../bob web
	refused 2 "the name of the owner is empty" subu create "" web
	refused 1 "alice has a sub-user web already: subu_0" subu create alice web
	each 1 "there is no account '" subu create bob web --user -- nosuch "" "$big"
	refused 2 "usage: subu create" subu create bob web --group nobody
}

@test "no message has a control character in it" {
	try subu create bob $'a\e]0;x\a\x7f\r\nb'
	[ "$status" -eq 2 ]
	[[ $stderr != *[[:cntrl:]]* ]] || complain "a control character"
}

@test "ids" {
	each 2 "does not say which sub-user: subu_N, such as subu_0" subu info -- "" subu_ subu_00 \
		subu_-1 subu_+1 'subu_ 0' subu_4294967296 subu_99999999999999999999 SUBU_0 0 alice \
		alice/web $'subu_0\n' "$big"
	each 1 "there is no sub-user subu_" subu info -- subu_1 subu_4294967295
	refused 1 "there is no sub-user alice:mail" subu remove alice:mail
	refused 2 "the name of the owner is empty" subu info :web
	refused 2 "the name of the sub-user is empty" subu info alice:
	each 2 "does not say which tunnel: WG_M, such as WG_0" subu WG info -- "" WG_ WG_00 WG_-1 \
		wg_0 0 WG_4294967296 "$big"
	each 1 "there is no tunnel WG_" subu WG remove -- WG_1 WG_4294967295
	refused 1 "there is no tunnel WG_9" subu attach WG subu_0 WG_9
	refused 1 "there is no sub-user subu_9" subu attach WG subu_9 WG_0
	refused 1 "subu_0 has no tunnel attached" subu detach WG subu_0
	refused 1 "WG_0 is not attached" subu WG up WG_0
}

@test "networks" {
	each 2 "is not an address or network, such as 10.0.0.0/24" subu WG global -- "" 10.77.0.0/33 \
		300.1.1.1/24 fd77::/129 '10.77.0.0/24 ' 10.77.0.0/ /24 10.77.0.0/-1 10.77.0/24 \
		10.77.0.0/24/24 "$big"
	each 2 "is too small for a pool" subu WG global -- 10.77.0.0 10.77.0.0/31 fd77::/127
	refused 2 "the pool would be 10.77.0.0/24" subu WG global 10.77.0.1/24
	refused 1 "it does not hand out 10.77.0.2, which is in use" subu WG global 10.78.0.0/16
	each 2 "WG set allowed-ips: '" subu WG set WG_0 allowed-ips -- , 10.0.0.0/8, \
		10.0.0.0/8,,::/0 x '10.0.0.0/8 ::/0' 10.0.0.0/40 "$big"
}

@test "a full pool" {
	client subu -q WG global 10.77.0.0/30
	before=
	refused 1 "the pool 10.77.0.0/30 is used up: it holds 1" subu WG create 192.0.2.1:51820
	client subu -q WG remove WG_0
	done_by subu WG create 192.0.2.1:51820
}

@test "no pool" {
	rm "$SUBU_DB"*
	client subu -q init k3x9qa
	before=
	refused 1 'set one with `subu WG global CIDR`' subu WG create 192.0.2.1:51820
}

@test "endpoints" {
	each 2 "is not HOST:PORT, such as vpn.example:51820" subu WG create -- "" 192.0.2.1 192.0.2.1: \
		:51820 192.0.2.1:0 192.0.2.1:65536 192.0.2.1:x 192.0.2.1:+5 2001:db8::1:51820 \
		'[2001:db8::1]' '[::1' '[]:1' '[1.2.3.4]:5' 999.1.1.1:5 1.2.3:5 -x:5 'a b:5' a..b:5 \
		é:5 '[fe80::1%]:5' "$big:5" $'a\n:5'
	each 2 "WG set endpoint: '" subu WG set WG_0 endpoint -- "" x 192.0.2.1:0
}

@test "keys" {
	key=$(wg genkey | wg pubkey)
	own=$(client subu --json WG info WG_0 | sed -n 's/^  "public_key": "\(.*\)",/\1/p')
	each 2 "a key is 44 characters of base64" subu WG server_provided_public_key WG_0 -- "" x \
		"${key:0:43}" "$key=" "${key:0:42}!=" "${key:0:40}AAAB" "$key " "$big"
	refused 1 "the public key of a peer is the tunnel's own" \
		subu WG server_provided_public_key WG_0 "$own"
	refused 1 "a key of zeros is none" subu WG server_provided_public_key WG_0 \
		AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
	printf '%s\n%s\n' "$key" "$key" >"$BATS_TEST_TMPDIR/two"
	for name in private-key preshared-key; do
		each 1 "WG set $name: the key file '" subu WG set WG_0 "$name" -- "" /nonexistent \
			/tmp /dev/zero /etc/passwd "$BATS_TEST_TMPDIR/two"
	done
	refused 1 "is empty" subu WG set WG_0 private-key /dev/null
}

@test "what else WG set takes" {
	each 2 "is not an MTU from 576 to " subu WG set WG_0 mtu -- "" 0 575 65536 -1 1e3 0x600 "$big"
	each 2 "is not a number of seconds from 0 to 65535, or off" \
		subu WG set WG_0 persistent-keepalive -- "" -1 65536 x 5s
	each 2 "WG set dns: '" subu WG set WG_0 dns -- , 'x y' 9.9.9.9, - '9.9.9.9;rm' \
		$'9.9.9.9\nsearch evil' "$big"
	refused 2 "WG set has no 'colour': there are endpoint," subu WG set WG_0 mtu 1300 colour red
	refused 2 "WG set mtu wants a value" subu WG set WG_0 dns 9.9.9.9 mtu
}

@test "a .conf that is wrong is refused with its line, and no key is shown" {
	key=$(wg genkey)
	interface="[Interface]
PrivateKey = $key
Address = 10.0.0.2/32"
	import=(subu WG import "$BATS_TEST_TMPDIR/x.conf")

	conf x.conf <<<"$interface"$'\n'"[Interface]"
	refused 1 "x.conf:4: a second [Interface]" "${import[@]}"
	conf x.conf <<<"$interface"$'\n'"Colour = red"
	refused 1 "x.conf:4: 'Colour' is not a key that wg-quick knows" "${import[@]}"
	conf x.conf <<<"$interface"$'\n'"[Peer]"$'\n'"PublicKey = ${key:0:43}"
	refused 1 "x.conf:5: PublicKey: a key is 44 characters" "${import[@]}"
	conf x.conf <<<"${interface/=/}"
	refused 1 "x.conf:2: " "${import[@]}"
	[[ $stderr != *"${key:0:21}"* ]] || complain "the key is shown"
	conf x.conf <<<"[Interface]"$'\n'"Address = 10.0.0.2/32"
	refused 1 "x.conf:1: [Interface] has no PrivateKey" "${import[@]}"
	conf x.conf <<<"[Interface]"$'\n'"PrivateKey = $key"
	refused 1 "[Interface] has no Address" "${import[@]}"
	conf x.conf <<<"$interface"$'\n'"Address = 10.0.0.2/64"
	refused 1 "x.conf:4: Address: '10.0.0.2/64' is not an address" "${import[@]}"
	conf x.conf <<<"$interface"$'\n'"[Peer]"
	refused 1 "x.conf:4: [Peer] has no PublicKey" "${import[@]}"
	conf x.conf </dev/null
	refused 1 "x.conf:1: there is no [Interface]" "${import[@]}"
	conf x.conf < <(echo "$interface"; head -c 1048000 /dev/zero | tr '\0' '#')
	refused 1 "x.conf:4: the line has more than 262144 bytes" "${import[@]}"
	conf x.conf < <(echo "$interface"; head -c 1000 /dev/urandom)
	refused 1 "x.conf:" "${import[@]}"
	conf x.conf < <(yes '# a comment' | head -c 5000000)
	refused 1 "is too large" "${import[@]}"
	fails 1 "cannot open /nonexistent: No such file or directory" subu WG import /nonexistent
	fails 1 "cannot open : No such file or directory" subu WG import ""
	each 1 " is not a regular file, as a WireGuard .conf must be" subu WG import -- /tmp /dev/zero
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	refused 1 "is not a regular file" subu WG import "$BATS_TEST_TMPDIR/fifo"
}

@test "a .conf with CRLF and a BOM is fine" {
	{
		printf '\xef\xbb\xbf[Interface]\r\nPrivateKey = %s\r\n' "$(wg genkey)"
		printf 'Address = 10.0.0.2/32,fd00::2/128\r\n\r\n[Peer]\r\n'
		printf 'PublicKey=%s\r\nAllowedIPs = 0.0.0.0/0\r\n' "$(wg genkey | wg pubkey)"
		printf 'Endpoint = vpn.example.org:51820'
	} | conf x.conf
	done_by subu WG import "$BATS_TEST_TMPDIR/x.conf"
	[[ $output == WG_1\ * ]]
}

@test "no root" {
	for verb in init create list info remove lo network attach detach exec option reconcile \
		doctor engine "WG create"; do
		# shellcheck disable=SC2086 # two words, where there are
		as_nobody subu $verb a b c
		case $verb in
		exec) [ "$status" -eq 125 ] ;;
		*) [ "$status" -eq 1 ] ;;
		esac
		one_sentence "\`subu $verb\` needs root: try it with sudo"
	done
	unchanged
}

@test "an old kernel" {
	refused 1 "subu needs 6.1 or newer" setarch --uname-2.6 subu create bob web
	done_by setarch --uname-2.6 subu version
}

@test "no /dev/net/tun" {
	client subu -q option set subu_0 backend engine
	client mount -t tmpfs tmpfs /dev/net
	before=
	refused 1 "/dev/net/tun" subu attach WG subu_0 WG_0
	done_by subu doctor
}

@test "backend kernel, which not every kernel has" {
	client subu -q option set subu_0 backend kernel
	before=
	if kernel_has_wireguard; then
		done_by subu attach WG subu_0 WG_0
		done_by subu --json WG info WG_0
		[ "$(json 'v["backend"]')" = kernel ] || complain "another backend"
	else
		refused 1 "this kernel has no WireGuard: load its module" \
			subu attach WG subu_0 WG_0
	fi
}

@test "an answer that cannot be written is told of" {
	for verb in list "info subu_0" "WG list" help "--json list"; do
		try bash -c "subu $verb >/dev/full"
		[ "$status" -eq 1 ]
		one_sentence "cannot write the answer: No space left on device"
	done
	unchanged
}

@test "closed descriptors: nothing of ours is ever opened in their place" {
	done_by bash -c 'subu list >&-'
	done_by bash -c 'subu list <&- 2>&-'
	try bash -c 'subu info subu_9 2>&-'
	[ "$status" -eq 1 ]
	unchanged
	done_by bash -c 'subu create bob web <&- >&- 2>&-'
	done_by subu doctor
}

@test "a database on a read-only file system" {
	client mount --bind "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR"
	client mount -o remount,bind,ro "$BATS_TEST_TMPDIR"
	before=
	refused 1 "Read-only file system" subu create bob web
	refused 1 "Read-only file system" subu --db "$BATS_TEST_TMPDIR/new.db" init k3x9qa
	refused 1 "there is no database /nonexistent/x.db" subu --db /nonexistent/x.db list
	refused 2 "the path of the database is empty" subu --db "" list
}

@test "a database that others may write or own" {
	chmod 644 "$SUBU_DB"
	refused 1 "others may read or write the database $SUBU_DB" subu list
	chmod 600 "$SUBU_DB"
	chown nobody "$SUBU_DB"
	refused 1 "belongs to user 65534: it must be root's or your own" subu list
	chown root "$SUBU_DB"
	chmod 777 "$BATS_TEST_TMPDIR"
	refused 1 "others may write to the folder $BATS_TEST_TMPDIR" subu list
	chmod 755 "$BATS_TEST_TMPDIR"
	done_by subu list
}

@test "files that are no database of ours, which stay untouched" {
	export SUBU_DB=$BATS_TEST_TMPDIR/other.db
	before=
	umask 077
	echo "a letter" >"$SUBU_DB"
	refused 1 "$SUBU_DB is not a subu database" subu create bob web
	: >"$SUBU_DB"
	refused 1 "$SUBU_DB is not a subu database" subu list
	rm "$SUBU_DB"
	sqlite3 "$SUBU_DB" 'CREATE TABLE subu (id)'
	refused 1 "$SUBU_DB is a database of another program" subu list
	cp "$BATS_TEST_TMPDIR/subu.db" "$SUBU_DB"
	sqlite3 "$SUBU_DB" 'PRAGMA user_version = 99'
	refused 1 "$SUBU_DB was written by a newer subu (schema 99; " subu list
	cp "$BATS_TEST_TMPDIR/subu.db" "$SUBU_DB"
	dd if=/dev/urandom of="$SUBU_DB" bs=1 seek=4096 count=4096 conv=notrunc status=none
	sum=$(sha256sum "$SUBU_DB")
	refused 1 "the database $SUBU_DB is damaged (" subu list
	[ "$(sha256sum "$SUBU_DB")" = "$sum" ]
	ln -sf "$BATS_TEST_TMPDIR/subu.db" "$SUBU_DB"
	refused 1 "cannot open the database $SUBU_DB: Too many levels of symbolic links" subu list
	refused 1 "/dev/null is not a file" subu --db /dev/null list
}
