# What goes wrong behind subu's back: doctor sees it, reconcile mends it, a second run does nothing;
# and until then, and afterwards, nothing leaves by another way.
#
#	 client                                  server
#	+---------------------------+           +---------------------------+
#	| ns-subu_0                 |           |                           |
#	|   lo                      |           |                           |
#	|   subu_0 10.77.0.2  ======|== engine =|== wg0 10.77.0.1 (a page)  |
#	|             up0 192.0.2.2 |-----------| up0 192.0.2.1             |
#	+---------------------------+           +---------------------------+
#
# shellcheck disable=SC2016,SC2034,SC2154 # awk's $1; lib.bash has the names
load lib

setup()
{
	machines init
}

teardown()
{
	machines_end
}

# engine: the process that moves the packets of subu_0.
engine()
{
	client pgrep -nf 'subu engine --managed.* subu_0$'
}

engine_gone()
{
	! engine >/dev/null
}

# sent: IP packets that the client has sent. (It may ask for the other end's Ethernet address.)
sent()
{
	client awk '$1 == "Ip:" && $11 != "OutRequests" { print $11 }' /proc/net/snmp
}

no_page()
{
	try subu exec subu_0 -- curl -s --max-time 2 http://10.77.0.1/
	[ "$status" -ne 0 ] || complain "the page came"
}

# mended TEXT: doctor says TEXT, reconcile does it, and that is all.
mended()
{
	try subu doctor
	[ "$status" -eq 1 ] || complain "doctor sees nothing"
	[[ $output == *"$1"* ]] || complain "doctor does not say: $1"
	done_by subu reconcile
	[[ $output == *"$1"* ]] || complain "reconcile does not: $1"
	done_by subu reconcile
	[ "$output" = 'subu_0: nothing to do' ] || complain "reconcile goes on"
	done_by subu doctor
}

@test "the engine is killed: traffic stops, and reconcile touches no address" {
	tunnel_up
	page
	addresses=$(inside 0 ip -d address show dev subu_0 | sed 's/ state [A-Z]* / /')
	routes=$(inside 0 ip route show table all; inside 0 ip rule)
	client kill -9 "$(engine)"
	soon engine_gone
	before=$(sent)
	no_page
	[ "$(sent)" = "$before" ] || complain "something left"
	inside 0 ip link show subu_0
	try subu list
	[[ ${lines[1]} == *missing* ]]
	mended "start the engine of subu_0"
	page
	diff <(echo "$addresses") \
		<(inside 0 ip -d address show dev subu_0 | sed 's/ state [A-Z]* / /')
	diff <(echo "$routes") <(inside 0 ip route show table all; inside 0 ip rule)
}

@test "network down stops all traffic, that of an engine with a keepalive, too" {
	tunnel_up
	client subu -q WG set WG_0 persistent-keepalive 1
	page
	client subu -q network down subu_0
	no_page
	sleep 1
	before=$(sent)
	sleep 3
	[ "$(sent)" = "$before" ] || complain "something left"
	client subu -q network up subu_0
	page
}

@test "a device deleted by hand" {
	tunnel_up
	inside 0 ip link delete subu_0
	no_page
	mended "start the engine of subu_0"
	page
}

@test "a namespace deleted by hand" {
	tunnel_up
	client ip netns delete ns-subu_0
	try subu list
	[[ ${lines[1]} == *missing* ]]
	mended "create namespace ns-subu_0"
	page
}

@test "everything set down, emptied and renamed by hand" {
	tunnel_up
	inside 0 ip link set subu_0 down
	mended "set subu_0 up"
	inside 0 ip address flush dev subu_0 scope global
	mended "add address 10.77.0.2/32 to subu_0"
	inside 0 ip rule del oif subu_0 lookup 1000
	mended "add IPv4 rule oif subu_0 lookup 1000"
	inside 0 ip route flush table 1000
	mended "add route 0.0.0.0/0 dev subu_0 table 1000"
	inside 0 ip link set subu_0 mtu 1500
	mended "set mtu 1420 on subu_0"
	inside 0 sysctl -qw net.ipv4.conf.subu_0.accept_local=0
	mended "accept_local"
	inside 0 ip link set lo down
	mended "set lo up in ns-subu_0"
	inside 0 ip address add 10.99.0.1/24 dev subu_0
	mended "delete address 10.99.0.1/24 from subu_0"
	client wg set subu_0 peer "$server_key" remove
	mended "configure subu_0: peers: 1 set"
	client wg set subu_0 private-key <(wg genkey)
	mended "configure subu_0: private key"
	client rm /run/wireguard/subu_0.sock
	mended "engine of subu_0"
	inside 0 ip link set subu_0 down
	inside 0 ip link set subu_0 name other
	mended "engine of subu_0"
	page
}

@test "what is not in the database, and what could leak, doctor names" {
	tunnel_up
	client ip netns add ns-subu_77
	try subu doctor
	[[ $status -eq 1 && $output == *'ns-subu_77'*'left over'* ]] || complain "a namespace"
	client ip netns del ns-subu_77
	client python3 -c 'import socket
socket.socket(socket.AF_UNIX).bind("/run/wireguard/subu_77.sock")'
	try subu doctor
	[[ $status -eq 1 && $output == *'subu_77.sock'*'left over'* ]] || complain "a socket"
	client rm /run/wireguard/subu_77.sock
	inside 0 ip link add leak type veth peer name leak2
	inside 0 ip link set leak up
	try subu doctor
	[[ $status -eq 1 && $output == *'could leak: the interface leak '* ]] || complain "a device"
	inside 0 ip link del leak
	done_by subu doctor
}

@test "remove refuses while a process is inside; --force ends it" {
	tunnel_up
	client subu exec subu_0 -- sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null 2>&1 &
	soon holds_process
	before=$(everything)
	refused 1 "inside subu_0" subu remove subu_0
	page
	done_by subu remove subu_0 --force
	wait $! || true
	fails 1 "there is no sub-user subu_0" subu info subu_0
}

holds_process()
{
	[ "$(client subu --json info subu_0 | sed -n 's/.*"processes": \([0-9]*\).*/\1/p')" -gt 0 ]
}

@test "after remove the machine is as it was" {
	server_start
	outside=$(snapshot)
	tunnel_to 192.0.2.1:51820
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q option set subu_0 default-route on
	client subu -q network up subu_0
	page
	client subu -q remove subu_0
	diff <(echo "$outside") <(snapshot)
	client subu -q WG remove WG_0
	done_by subu doctor
	[ -z "$(client find /run/subu /run/wireguard -name 'subu_*')" ]
}
