# The engine started by hand, as any userspace WireGuard is, against Debian's wireguard-go.
#
#	 namespace A                                    namespace B
#	+------------------------+                     +------------------------+
#	| subu engine, sbN       |                     | wireguard-go, wgN      |
#	|   10.77.0.1            |                     |   10.77.0.2            |
#	|   fd77::1              |                     |   fd77::2              |
#	|                        |                     |                        |
#	|   va 192.0.2.1 --------|---- a veth pair ----|-- vb 192.0.2.2         |
#	|      2001:db8::1       |                     |      2001:db8::2       |
#	+------------------------+                     +------------------------+
#
# Both are configured by the stock wg(8) alone. Device names are unique to the run, since all
# userspace devices of a machine meet in /var/run/wireguard.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	SUBU=$(realpath "${SUBU:-build/src/subu}")
	local unique=$((BASHPID % 100000))
	A=subu-a-$unique B=subu-b-$unique INSIDE=subu-i-$unique SB=sb$unique WG=wg$unique
	# The engine and wireguard-go; both leave the process group of the test.
	STARTED=()
	cd "$BATS_TEST_TMPDIR" || return
	umask 077
	ip netns add "$A"
	ip netns add "$B"
	ip link add va netns "$A" type veth peer name vb netns "$B"
	address "$A" va 192.0.2.1/24 2001:db8::1/64
	address "$B" vb 192.0.2.2/24 2001:db8::2/64
	ip -n "$A" link set va up
	ip -n "$B" link set vb up
	ip -n "$A" link set lo up
	ip -n "$B" link set lo up
	wg genkey | tee a.key | wg pubkey >a.pub
	wg genkey | tee b.key | wg pubkey >b.pub
	wg genpsk >psk
}

teardown()
{
	local pid

	for pid in "${STARTED[@]}"; do
		kill -KILL "$pid" || true
		wait "$pid" || true
	done 2>/dev/null
	# What else runs inside ends with its namespace's devices, or is ours to end.
	for pid in $(ip netns pids "$A") $(ip netns pids "$B"); do
		kill -KILL "$pid" || true
	done 2>/dev/null
	ip netns del "$A"
	ip netns del "$B"
	ip netns del "$INSIDE" 2>/dev/null || true
	rm -f "/var/run/wireguard/$SB.sock" "/var/run/wireguard/$WG.sock"
}

# address NAMESPACE DEVICE ADDRESS...
address()
{
	local one

	for one in "${@:3}"; do
		if [[ $one == *:* ]]; then
			ip -n "$1" address add "$one" dev "$2" nodad
		else
			ip -n "$1" address add "$one" dev "$2"
		fi
	done
}

# track PID: to be ended by teardown.
track()
{
	STARTED+=("$1")
}

in_a()
{
	ip netns exec "$A" "$@" 3>&-
}

in_b()
{
	ip netns exec "$B" "$@" 3>&-
}

# soon COMMAND...: it succeeds within ten seconds.
soon()
{
	local until=$((SECONDS + 10))

	until "$@"; do
		((SECONDS < until)) || { echo "not within ten seconds: $*"; return 1; }
		sleep 0.1
	done
}

fails()
{
	! "$@" >/dev/null 2>&1
}

# ends_with STATUS: the keeper, within ten seconds.
ends_with()
{
	local status=0

	soon fails kill -0 "$KEEPER"
	wait "$KEEPER" || status=$?
	[ "$status" -eq "$1" ] || { echo "status $status"; cat engine.log; return 1; }
}

# start_engine [COMMAND...]: ours in the foreground, executed by the command; its keeper's id is in
# KEEPER.
start_engine()
{
	# No function, whose shell would be the process that $! names.
	ip netns exec "$A" "$@" "$SUBU" engine -f "$SB" >engine.log 2>&1 3>&- &
	KEEPER=$!
	track "$KEEPER"
	soon [ -S "/var/run/wireguard/$SB.sock" ]
	soon wg show "$SB" peers 2>/dev/null
}

start_wireguard_go()
{
	export WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1
	ip netns exec "$B" wireguard-go -f "$WG" >wireguard-go.log 2>&1 3>&- &
	track $!
	soon wg show "$WG" peers 2>/dev/null
}

# The engine's own process, the keeper's child.
engine_pid()
{
	pgrep -P "$KEEPER"
}

# The two ends with keys and inner addresses, up; peers are for the test to set.
both_ends()
{
	start_engine
	start_wireguard_go
	wg set "$SB" private-key a.key listen-port 5001
	wg set "$WG" private-key b.key listen-port 5002
	address "$A" "$SB" 10.77.0.1/24 fd77::1/64
	address "$B" "$WG" 10.77.0.2/24 fd77::2/64
	ip -n "$A" link set "$SB" mtu 1420 up
	ip -n "$B" link set "$WG" mtu 1420 up
}

# a_knows_b [MORE...], b_knows_a [MORE...]: make the other a peer.
a_knows_b()
{
	wg set "$SB" peer "$(cat b.pub)" allowed-ips 10.77.0.2/32,fd77::2/128 "$@"
}

b_knows_a()
{
	wg set "$WG" peer "$(cat a.pub)" allowed-ips 10.77.0.1/32,fd77::1/128 "$@"
}

# A ping that has time for a handshake.
a_reaches_b()
{
	in_a ping -q -c 1 -W 2 10.77.0.2 && in_a ping -q -c 1 -W 2 fd77::2
}

b_reaches_a()
{
	in_b ping -q -c 1 -W 2 10.77.0.1 && in_b ping -q -c 1 -W 2 fd77::1
}

# received DEVICE, sent DEVICE: bytes, from and to its only peer.
received()
{
	wg show "$1" transfer | cut -f 2
}

sent()
{
	wg show "$1" transfer | cut -f 3
}

@test "we call: IPv4 and IPv6 inside IPv4" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	a_reaches_b
	b_reaches_a
	[ "$(wg show "$SB" latest-handshakes | cut -f 2)" -gt 0 ]
}

@test "they call: IPv4 and IPv6 inside IPv4" {
	both_ends
	a_knows_b
	b_knows_a endpoint 192.0.2.1:5001
	b_reaches_a
	a_reaches_b
	[ "$(wg show "$SB" endpoints | cut -f 2)" = 192.0.2.2:5002 ]
}

@test "we call: IPv4 and IPv6 inside IPv6" {
	both_ends
	a_knows_b endpoint '[2001:db8::2]:5002'
	b_knows_a
	a_reaches_b
	b_reaches_a
}

@test "they call: IPv4 and IPv6 inside IPv6" {
	both_ends
	a_knows_b
	b_knows_a endpoint '[2001:db8::1]:5001'
	b_reaches_a
	a_reaches_b
	[ "$(wg show "$SB" endpoints | cut -f 2)" = '[2001:db8::2]:5002' ]
}

@test "a link-local endpoint is reached through the interface it names" {
	both_ends
	local there
	there=$(ip -n "$B" -6 -o address show dev vb scope link | awk '{sub("/.*", "", $4); print $4}')
	# The scope is the engine's namespace's, by name and by number.
	in_a wg set "$SB" peer "$(cat b.pub)" allowed-ips 10.77.0.2/32,fd77::2/128 \
		endpoint "[$there%va]:5002"
	b_knows_a
	soon in_a ping -q -c 1 -W 1 -I va "$there"
	a_reaches_b
}

@test "a preshared key on both sides opens, on one side closes" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002 preshared-key psk
	b_knows_a preshared-key psk
	a_reaches_b
	wg set "$SB" peer "$(cat b.pub)" remove
	a_knows_b endpoint 192.0.2.2:5002
	run ! in_a ping -q -c 1 -W 2 10.77.0.2
	[ "$(wg show "$SB" latest-handshakes | cut -f 2)" -eq 0 ]
}

@test "a stranger's key gets silence" {
	both_ends
	b_knows_a endpoint 192.0.2.1:5001
	a_knows_b
	wg genkey >stranger.key
	wg set "$WG" private-key stranger.key
	run ! in_b ping -q -c 1 -W 2 10.77.0.1
	[ "$(received "$WG")" -eq 0 ]
	[ "$(sent "$WG")" -gt 0 ]
	[ "$(received "$SB")" -eq 0 ]
}

@test "what does not come from the peer's allowed addresses is dropped" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	a_reaches_b
	address "$B" "$WG" 10.77.0.9/32
	run ! in_b ping -q -c 1 -W 1 -I 10.77.0.9 10.77.0.1
	b_reaches_a
}

@test "we follow a peer whose address changes" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a endpoint 192.0.2.1:5001
	a_reaches_b
	ip -n "$B" address add 192.0.2.22/24 dev vb
	ip -n "$B" address del 192.0.2.2/24 dev vb
	ip -n "$B" address add 192.0.2.22/24 dev vb 2>/dev/null || true
	wg set "$WG" listen-port 5022
	b_reaches_a
	[ "$(wg show "$SB" endpoints | cut -f 2)" = 192.0.2.22:5022 ]
	a_reaches_b
}

@test "a peer follows us when our address goes, without the old source" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a endpoint 192.0.2.1:5001
	b_reaches_a
	ip -n "$A" address flush dev va scope global
	address "$A" va 192.0.2.11/24
	a_reaches_b
	[ "$(wg show "$WG" endpoints | cut -f 2)" = 192.0.2.11:5001 ]
}

@test "we answer from the address that was called" {
	both_ends
	address "$A" va 192.0.2.77/24
	a_knows_b
	b_knows_a endpoint 192.0.2.77:5001
	b_reaches_a
	[ "$(wg show "$WG" endpoints | cut -f 2)" = 192.0.2.77:5001 ]
}

@test "several peers, each with its own addresses" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	local more=wh${SB#sb}
	ip netns exec "$B" wireguard-go -f "$more" >wireguard-go-2.log 2>&1 3>&- &
	track $!
	soon wg show "$more" peers 2>/dev/null
	wg genkey | tee c.key | wg pubkey >c.pub
	wg set "$more" private-key c.key listen-port 5003 peer "$(cat a.pub)" allowed-ips 10.77.0.1/32
	wg set "$SB" peer "$(cat c.pub)" allowed-ips 10.78.0.0/16 endpoint 192.0.2.2:5003
	address "$B" "$more" 10.78.0.3/32
	ip -n "$B" link set "$more" mtu 1420 up
	ip -n "$A" route add 10.78.0.0/16 dev "$SB"
	# Answers take the way their source says.
	ip -n "$B" rule add from 10.78.0.3 lookup 78
	ip -n "$B" route add 10.77.0.1 dev "$more" table 78
	a_reaches_b
	in_a ping -q -c 1 -W 2 10.78.0.3
	[ "$(wg show "$SB" latest-handshakes | awk '$2 > 0' | wc -l)" -eq 2 ]
	rm -f "/var/run/wireguard/$more.sock"
}

@test "a persistent keepalive is sent without any traffic" {
	both_ends
	b_knows_a
	a_knows_b endpoint 192.0.2.2:5002 persistent-keepalive 1
	two_keepalives_received()
	{
		[ "$(received "$WG")" -ge $((148 + 2 * 32)) ]
	}
	soon two_keepalives_received
}

@test "a device set down is silent; up again, it calls by itself where a keepalive is set" {
	both_ends
	b_knows_a
	a_knows_b endpoint 192.0.2.2:5002 persistent-keepalive 20
	a_reaches_b
	ip -n "$A" link set "$SB" down
	run ! in_b ping -q -c 1 -W 1 10.77.0.1
	local before
	before=$(received "$WG")
	ip -n "$A" link set "$SB" up
	heard_again()
	{
		[ "$(received "$WG")" -gt "$before" ]
	}
	soon heard_again
	# The kernel has taken the IPv6 address away from the link that was down.
	in_b ping -q -c 1 -W 2 10.77.0.1
}

@test "wg setconf, syncconf, showconf and show all speak with it" {
	both_ends
	b_knows_a
	cat >a.conf <<-END
		[Interface]
		PrivateKey = $(cat a.key)
		ListenPort = 5011
		FwMark = 0x51
		[Peer]
		PublicKey = $(cat b.pub)
		PresharedKey = $(cat psk)
		AllowedIPs = 10.77.0.2/32, fd77::2/128
		Endpoint = 192.0.2.2:5002
		PersistentKeepalive = 25
	END
	wg setconf "$SB" a.conf
	[ "$(wg show "$SB" listen-port)" -eq 5011 ]
	[ "$(wg show "$SB" fwmark)" = 0x51 ]
	[ "$(wg show "$SB" persistent-keepalive | cut -f 2)" -eq 25 ]
	[ "$(wg show "$SB" public-key)" = "$(cat a.pub)" ]
	wg showconf "$SB" >shown.conf
	grep -q "PresharedKey = $(cat psk)" shown.conf
	grep -q 'AllowedIPs = 10.77.0.2/32, fd77::2/128' shown.conf
	wg set "$WG" peer "$(cat a.pub)" preshared-key psk
	# A call without it may be under way, and is made again after five seconds.
	soon a_reaches_b
	sed -i 's/10.77.0.2.32/10.77.0.0\/24/; /FwMark/d' a.conf
	wg syncconf "$SB" a.conf
	[ "$(wg show "$SB" allowed-ips | cut -f 2)" = '10.77.0.0/24 fd77::2/128' ]
	[ "$(wg show "$SB" fwmark)" = off ]
	a_reaches_b
	[[ " $(wg show interfaces) " == *" $SB "* ]]
	wg show all dump >/dev/null
}

@test "the listen port and the mark change while it runs" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	a_reaches_b
	wg set "$SB" listen-port 53
	[ "$(wg show "$SB" listen-port)" -eq 53 ]
	a_reaches_b
	[ "$(wg show "$WG" endpoints | cut -f 2)" = 192.0.2.1:53 ]
	# Marked packets have a way of their own, which is to nowhere.
	wg set "$SB" fwmark 77
	in_a ip rule add fwmark 77 blackhole
	run ! in_a ping -q -c 1 -W 1 10.77.0.2
	wg set "$SB" fwmark 0
	a_reaches_b
}

@test "a port that is taken in one family is refused, and the old one kept" {
	both_ends
	ip netns exec "$A" python3 -c '
import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s.bind(("::", 5055))
open("bound", "w").close()
time.sleep(60)' 3>&- &
	track $!
	soon [ -e bound ]
	run -1 wg set "$SB" listen-port 5055
	[[ $output == *'in use'* ]]
	[ "$(wg show "$SB" listen-port)" -eq 5001 ]
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	a_reaches_b
}

@test "without IPv6 on the machine, IPv4 works" {
	in_a sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	start_engine
	start_wireguard_go
	wg set "$SB" private-key a.key listen-port 5001
	wg set "$WG" private-key b.key listen-port 5002
	address "$A" "$SB" 10.77.0.1/24
	address "$B" "$WG" 10.77.0.2/24
	ip -n "$A" link set "$SB" up
	ip -n "$B" link set "$WG" up
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	in_a ping -q -c 1 -W 2 10.77.0.2
}

@test "iperf3: TCP and UDP, both ways" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	a_reaches_b
	ip netns exec "$B" iperf3 -s >/dev/null 3>&- &
	track $!
	soon in_a iperf3 -c 10.77.0.2 -n 1M
	in_a iperf3 -c 10.77.0.2 -n 50M
	in_a iperf3 -c 10.77.0.2 -n 50M -R
	in_a iperf3 -c fd77::2 -n 20M
	in_a iperf3 -c 10.77.0.2 -u -b 2M -t 2 -J >udp.json
	python3 -c '
import json
lost = json.load(open("udp.json"))["end"]["sum"]["lost_percent"]
assert lost < 10, lost'
}

@test "inner packets larger than the path are fragmented outside and arrive" {
	both_ends
	ip -n "$A" link set "$SB" mtu 8000
	ip -n "$B" link set "$WG" mtu 8000
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	a_reaches_b
	in_a ping -q -c 1 -W 2 -M 'do' -s 7000 10.77.0.2
	in_b ping -q -c 1 -W 2 -M 'do' -s 7000 10.77.0.1
	# Many of them in one message are refused, and go one by one.
	ip netns exec "$B" iperf3 -s >/dev/null 3>&- &
	track $!
	soon in_a iperf3 -c 10.77.0.2 -n 1M
	in_a iperf3 -c 10.77.0.2 -n 10M
}

@test "clients that hang, flood or talk rubbish stop neither traffic nor others" {
	both_ends
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	a_reaches_b
	python3 - "/var/run/wireguard/$SB.sock" 3>&- <<-'END' &
		import socket, sys, time
		def client():
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(sys.argv[1])
		    return s
		silent = [client() for i in range(20)]
		half = client()
		half.sendall(b"set=1\nprivate_key=00")
		deaf = client()
		deaf.setblocking(False)
		try:
		    while True:
		        deaf.send(b"get=1\n\n" * 1000)
		except BlockingIOError:
		    pass
		except ConnectionError:
		    pass
		rubbish = client()
		rubbish.sendall(b"GET / HTTP/1.1\r\n\r\n")
		assert rubbish.recv(100) == b"errno=-71\n\n"
		assert rubbish.recv(100) == b""
		endless = client()
		try:
		    endless.sendall(b"set=1\n" + b"x" * (17 << 20))
		    assert endless.recv(100).startswith(b"errno=-71")
		except ConnectionError:
		    pass
		open("ready", "w").close()
		time.sleep(60)
	END
	track $!
	soon [ -e ready ]
	in_a ping -q -i 0.05 -c 10 -W 1 10.77.0.2
	wg show "$SB" >/dev/null
	wg set "$SB" peer "$(cat b.pub)" persistent-keepalive 7
	[ "$(wg show "$SB" persistent-keepalive | cut -f 2)" -eq 7 ]
}

@test "a request that is wrong anywhere changes nothing" {
	start_engine
	wg set "$SB" private-key a.key listen-port 5001
	run -0 python3 - "/var/run/wireguard/$SB.sock" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.sendall(b"set=1\nlisten_port=5009\nfwmark=5\nreplace_peers=maybe\n\nget=1\n\n")
		s.shutdown(socket.SHUT_WR)
		print(b"".join(iter(lambda: s.recv(65536), b"")).decode())
	END
	[[ $output == errno=-22* ]]
	[[ $output == *listen_port=5001* ]]
	[[ $output != *fwmark* ]]
}

@test "thousands of peers in one request" {
	start_engine
	python3 - >many.conf <<-'END'
		import base64, os
		print("[Interface]\nListenPort = 5001")
		for i in range(3000):
		    key = base64.b64encode(os.urandom(32)).decode()
		    print(f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.{i >> 8}.{i & 255}.0/24")
	END
	wg setconf "$SB" many.conf
	[ "$(wg show "$SB" peers | wc -l)" -eq 3000 ]
}

@test "killed, it leaves nothing that a new start trips over" {
	start_engine
	kill -KILL "$KEEPER"
	soon fails ip -n "$A" link show "$SB"
	start_engine
	wg set "$SB" private-key a.key
	# The keeper says how its engine ended, and cleans up.
	kill -KILL "$(engine_pid)"
	ends_with 1
	grep -q "the engine of $SB was killed by signal 9" engine.log
	[ ! -e "/var/run/wireguard/$SB.sock" ]
	# As the kernel does to one that makes a system call that is not on its list.
	start_engine
	kill -SYS "$(engine_pid)"
	ends_with 1
	grep -q "the engine of $SB was killed for a system call that it must not make" engine.log
	[ ! -e "/var/run/wireguard/$SB.sock" ]
	start_engine
}

@test "a keeper that was told to ignore its children sees its engine end" {
	start_engine env --ignore-signal=CHLD
	kill -KILL "$(engine_pid)"
	ends_with 1
	[ ! -e "/var/run/wireguard/$SB.sock" ]
}

@test "a device or a name that is in use is refused with a sentence" {
	start_engine
	run -1 in_a "$SUBU" engine "$SB"
	[[ $output == "subu: "*"$SB"*"use"* ]]
	[ "${#lines[@]}" -eq 1 ]
	run -1 in_b "$SUBU" engine "$SB"
	[[ $output == "subu: another process answers at /var/run/wireguard/$SB.sock already" ]]
	fails ip -n "$B" link show "$SB"
	wg show "$SB" >/dev/null
	run -1 in_a "$SUBU" engine va
	[[ $output == "subu: there is an interface va, and it is no TUN device of this kind" ]]
	run -2 in_a "$SUBU" engine
	run -2 in_a "$SUBU" engine a-name-that-is-too-long-for-a-device
	run -2 in_a "$SUBU" engine --index 3 "$SB"
}

@test "in the background it is ready when the command returns, and SIGTERM ends it" {
	in_a "$SUBU" engine "$SB"
	wg show "$SB" >/dev/null
	[ "$(stat -c %a "/var/run/wireguard/$SB.sock")" = 600 ]
	ip netns pids "$A" | xargs kill -TERM
	soon [ ! -e "/var/run/wireguard/$SB.sock" ]
	soon fails ip -n "$A" link show "$SB"
}

@test "in the foreground SIGINT ends it with status 0" {
	start_engine
	# A shell's background jobs ignore SIGINT; the keeper waits for it all the same.
	kill -INT "$KEEPER"
	ends_with 0
	[ ! -e "/var/run/wireguard/$SB.sock" ]
}

@test "a terminal that goes ends it with status 0, unless it was told to ignore that" {
	start_engine env --default-signal=HUP
	# To both, as the kernel sends it to all that a terminal's foreground is.
	kill -HUP "$KEEPER" "$(engine_pid)"
	ends_with 0
	[ ! -e "/var/run/wireguard/$SB.sock" ]
	start_engine env --ignore-signal=HUP
	kill -HUP "$KEEPER" "$(engine_pid)"
	run -124 timeout 1 tail --pid="$KEEPER" -f /dev/null
	wg show "$SB" >/dev/null
}

@test "the deletion of the device ends it" {
	start_engine
	ip -n "$A" link set "$SB" up
	ip -n "$A" link del "$SB"
	ends_with 0
	[ ! -e "/var/run/wireguard/$SB.sock" ]
}

@test "the removal of its socket ends it" {
	start_engine
	rm "/var/run/wireguard/$SB.sock"
	ends_with 0
	fails ip -n "$A" link show "$SB"
}

@test "a device that is moved to another namespace keeps its sockets where they were" {
	start_engine
	start_wireguard_go
	ip netns add "$INSIDE"
	ip -n "$A" link set "$SB" netns "$INSIDE"
	wg set "$SB" private-key a.key listen-port 5001
	wg set "$WG" private-key b.key listen-port 5002
	address "$INSIDE" "$SB" 10.77.0.1/24 fd77::1/64
	address "$B" "$WG" 10.77.0.2/24 fd77::2/64
	ip -n "$INSIDE" link set "$SB" up
	ip -n "$B" link set "$WG" up
	a_knows_b endpoint 192.0.2.2:5002
	b_knows_a
	soon ip netns exec "$INSIDE" ping -q -c 1 -W 1 10.77.0.2
	ip -n "$INSIDE" link del "$SB"
	ends_with 0
}

@test "it has given away what it does not need" {
	start_engine
	local engine
	engine=$(engine_pid)
	# CAP_NET_BIND_SERVICE and CAP_NET_RAW, for the port and the mark; see cage.c.
	grep -q '^CapPrm:	0000000000002400$' "/proc/$engine/status"
	grep -q '^CapEff:	0000000000002400$' "/proc/$engine/status"
	grep -q '^CapInh:	0000000000000000$' "/proc/$engine/status"
	grep -q '^NoNewPrivs:	1$' "/proc/$engine/status"
	grep -q '^Seccomp:	2$' "/proc/$engine/status"
	[ -z "$(ls -A "/proc/$engine/root/")" ]
	[ "$(readlink "/proc/$engine/cwd")" = / ]
	grep -q '^Max core file size  *0  *0 ' "/proc/$engine/limits"
	grep -q '^CapEff:	0000000000000000$' "/proc/$KEEPER/status"
	# Of all descriptors, but for the log, none leads to a file.
	run ! sh -c "find /proc/$engine/fd -type l ! -name 0 ! -name 1 ! -name 2 -printf '%l\n' |
		grep '^/' | grep -v '^/dev/net/tun'"
}
