# Forced egress, attacked: every way out of a sub-user that we know, tried in earnest, and what then
# arrives on a LAN that nothing may arrive on.
#
#	 client                                                     lan
#	+---------------------------------------------+           +--------------------------------+
#	| ns-subu_N (one for each set-up)             |           |                                |
#	|   lan0  198.51.100.(16N+2)/28, fe80::2  ----|-- veth ---|-- lN 198.51.100.(16N+1), fe80::1
#	|         2001:db8:1:N::2/64                  |           |      2001:db8:1:N::1           |
#	|                                             |           |   lo 203.0.113.9, 2001:db8:2::9|
#	|                                             |           +--------------------------------+
#	|                                             |             server
#	|                                             |           +--------------------------------+
#	|   subu_N 10.77.0.(10+N), fd77::N+10  =======|= WireGuard=|= wg0 10.77.0.1, fd77::1       |
#	|                                             |           |   lo 203.0.113.9, 2001:db8:2::9|
#	+---------------------------------------------+           +--------------------------------+
#
# The far addresses are in both places: what is steered rightly arrives, too, and elsewhere.
#
# The set-ups differ in nothing but the barriers that stand:
#
#	control     none: not steered, and a default route by the LAN
#	namespace   the namespace alone: not steered, and no default route
#	both        steered, and no default route
#	egress      the programs alone: steered, with a default route by the LAN
#	binding     "egress" without the program that drops packets
#	dropping    "egress" without those that bind
#
# A way is tried by ways.c in all of them at once. It must reach the LAN in the first, or the test
# proves nothing, and never in the last four, but where the test says so: the last two are what is
# left when one of two programs fails, and some ways need one of the two. The namespace alone keeps
# the addresses beyond the LAN from being reached, not those on it, which need no route.
#
# What arrives is counted where it arrives, by nftables and in a capture. Not counted is what the
# kernel says by itself: ARP, neighbour discovery, reports of groups, answers to errors.
# Neighbours are known on both sides, so that it is never ARP that holds something back.
#
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # $1 is another shell's; lib.bash has names
load lib

SETUPS=(control namespace both egress binding dropping)
FAR4=203.0.113.9 FAR6=2001:db8:2::9
WAYS=/mnt/ways

# --- the picture

setup_file()
{
	local number

	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	machines init
	export SUBU anchor unshared group hierarchy server_key
	client cp "${SUBU_BUILD:-$BATS_TEST_DIRNAME/../../build}/tests/system/ways" "$WAYS"
	server_start
	far_end server wg0
	client ip netns add lan
	far_end lan lo
	for number in "${!SETUPS[@]}"; do
		sub_user_with_lan "$number"
	done
	shape
	count_arrivals
	lan tcpdump -i any -Q in -U -w "$BATS_FILE_TMPDIR/lan.pcap" 2>/dev/null &
	for number in lan server; do
		"$number" "$WAYS" serve >"$BATS_FILE_TMPDIR/$number.serve" &
		soon grep -q ': done' "$BATS_FILE_TMPDIR/$number.serve"
	done
	soon test -s "$BATS_FILE_TMPDIR/lan.pcap"
}

teardown_file()
{
	machines_end
}

lan()
{
	client nsenter --net=/run/netns/lan -- "$@"
}

# far_end MACHINE DEVICE: it has the far addresses.
far_end()
{
	"$1" ip link set lo up
	"$1" ip address add "$FAR4/32" dev "$2"
	"$1" ip address add "$FAR6/128" dev "$2" nodad
}

# lan4 NUMBER HOST, lan6 NUMBER HOST: the address of host 1 (the LAN's) or 2 (ours).
lan4()
{
	echo "198.51.100.$((16 * $1 + $2))"
}

lan6()
{
	echo "2001:db8:1:$1::$2"
}

# sub_user_with_lan N: subu_N with its tunnel and its LAN, steered if the set-up says so.
sub_user_with_lan()
{
	local number=$1 conf=$BATS_FILE_TMPDIR/$1.conf key steer=()

	[ "$number" -gt 1 ] || steer=(--no-steer)
	key=$(wg genkey)
	(umask 077 && cat >"$conf") <<-END
		[Interface]
		PrivateKey = $key
		Address = 10.77.0.$((10 + number)), fd77::$((10 + number))
		[Peer]
		PublicKey = $server_key
		AllowedIPs = 0.0.0.0/0, ::/0
		Endpoint = 192.0.2.1:51820
	END
	server wg set wg0 peer "$(wg pubkey <<<"$key")" \
		allowed-ips "10.77.0.$((10 + number))/32,fd77::$((10 + number))/128"
	client subu -q WG import "$conf"
	sub_user alice "web$number"
	client subu -q attach WG "subu_$number" "WG_$number" "${steer[@]}"
	client subu -q network up "subu_$number"
	client ip link add "l$number" address "02:00:00:00:01:0$number" netns lan \
		type veth peer name lan0 address "02:00:00:00:02:0$number" netns "ns-subu_$number"
	lan_side "$number" lan "l$number" 1 2
	lan_side "$number" "inside $number" lan0 2 1
}

# lan_side NUMBER WHERE DEVICE HOST NEIGHBOUR: one side of the cable.
lan_side()
{
	$2 ip link set "$3" addrgenmode none
	$2 ip link set "$3" up
	$2 ip -batch - <<-END
		address add $(lan4 "$1" "$4")/28 broadcast + dev $3
		address add $(lan6 "$1" "$4")/64 dev $3 nodad
		address add fe80::$4/64 dev $3 nodad
		neighbour add $(lan4 "$1" "$5") lladdr 02:00:00:00:0$5:0$1 nud permanent dev $3
		neighbour add $(lan6 "$1" "$5") lladdr 02:00:00:00:0$5:0$1 nud permanent dev $3
		neighbour add fe80::$5 lladdr 02:00:00:00:0$5:0$1 nud permanent dev $3
		neighbour add $FAR4 lladdr 02:00:00:00:0$5:0$1 nud permanent dev $3
		neighbour add $FAR6 lladdr 02:00:00:00:0$5:0$1 nud permanent dev $3
	END
}

default_by_lan()
{
	inside "$1" ip route add default via "$(lan4 "$1" 1)" dev lan0
	inside "$1" ip route add default via "$(lan6 "$1" 1)" dev lan0
}

# shape: what makes each set-up the one it is.
shape()
{
	local number

	for number in 0 3 4 5; do
		default_by_lan "$number"
	done
	client rm /sys/fs/bpf/subu/subu_4/egress
	client rm /sys/fs/bpf/subu/subu_5/{create,connect4,connect6,sendmsg4,sendmsg6}
}

# count_arrivals: counters on the LAN's side of each cable: what is for far addresses, what else is
# for the LAN; and of what the kernel says, for whom it asks, and which groups it is in.
count_arrivals()
{
	local number

	lan nft -f - <<-END
		table netdev arrivals {
			$(for number in "${!SETUPS[@]}"; do count_on "$number"; done)
		}
	END
}

count_on()
{
	cat <<-END
		counter far_$1 { }
		counter near_$1 { }
		counter groups_$1 { }
		counter asked_$1 { }
		chain on_$1 {
			type filter hook ingress device l$1 priority 0
			arp operation request counter name asked_$1 accept
			ether type arp accept
			meta l4proto igmp counter name groups_$1 accept
			icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } \
				counter name groups_$1 accept
			icmpv6 type nd-neighbor-solicit counter name asked_$1 accept
			icmpv6 type { nd-router-solicit, nd-neighbor-advert } accept
			icmp type { echo-reply, destination-unreachable, time-exceeded } accept
			icmpv6 type { echo-reply, destination-unreachable, time-exceeded } accept
			tcp flags & rst == rst accept
			ip daddr $FAR4 counter name far_$1 accept
			ip6 daddr $FAR6 counter name far_$1 accept
			counter name near_$1
		}
	END
}

# arrivals: into the array `arrived` what has, by counter, since it was asked last.
arrivals()
{
	local counter packets

	while read -r counter packets; do
		arrived[$counter]=$packets
	done < <(lan nft reset counters table netdev arrivals |
		awk '/counter/ { name = $2 } /packets/ { print name, $2 }')
}

# --- who attacks

# attack CALLER NUMBER WAY [KEY=VALUE...]: as nobody or root by subu exec; as one who went in by hand,
# with all capabilities, and into the control group: "privileged"; or not into that: "outsider".
# Where a program is missing exec runs nothing, and nobody is one who went in by hand.
attack()
{
	local caller=$1 number=$2 lan4=198.51.100 lan6=2001:db8:1:$2 command

	command=("$WAYS" "$3" "${@:4}" lan=lan0 "tunnel=subu_$number" "word=${word:-${SETUPS[number]}}"
		"lan4=$lan4.$((16 * number + 1))" "lan6=$lan6::1" link6=fe80::1
		"own4=$lan4.$((16 * number + 2))" "own6=$lan6::2"
		"broad4=$lan4.$((16 * number + 15))" "free4=192.0.2.77" "free6=2001:db8:77::1"
		"far4=$FAR4" "far6=$FAR6"
		"path=/mnt/sockets/$number" "group=$hierarchy/subu/subu_$number"
		"groups=$hierarchy:$hierarchy/subu:$hierarchy/subu/subu_0")
	case $caller$number in
	privileged*) by_hand "$number" "${command[@]}" ;;
	outsider*) inside "$number" "${command[@]}" ;;
	nobody[45]) by_hand "$number" setpriv --reuid 65534 --regid 65534 --clear-groups \
		--bounding-set -all --no-new-privs -- "${command[@]}" ;;
	*) client subu exec -u "$caller" "subu_$number" -- "${command[@]}" ;;
	esac
}

by_hand()
{
	client sh -c 'echo 0 >"$1/cgroup.procs"; shift; exec "$@"' - \
		"$hierarchy/subu/subu_$1" nsenter --net="/run/netns/ns-subu_$1" -- "${@:2}"
}

# way NAME [KEY=VALUE...]: is tried in all set-ups. What a test may say before:
#
#	reach=near            of what only the LAN itself can be sent, and nobody beyond
#	caller=, control=     who tries (nobody), and who in the set-up without barriers (the same);
#	                      control=none: nobody gets out there either, and `says` has to tell why
#	open="SETUP..."       where it is known to get out
#	refused=ERRNO         what its preparations get already
#	says=TEXT             what the attacker must be told in every set-up
#	calls=WAY             how the LAN calls first, for an answer
way()
{
	local caller=${caller:-nobody} numbers=(0 1 2 3 4 5) number pids=()
	local control=${control:-$caller}
	local -A arrived=()

	[ "$caller" != root ] || numbers=(0 1 2 3)
	arrivals
	for number in "${numbers[@]}"; do
		attack "$(who_attacks "$number")" "$number" "$@" </dev/null \
			>"$BATS_TEST_TMPDIR/$number" 2>&1 3>&- &
		pids+=($!)
	done
	[ -z "${calls:-}" ] || call "$calls"
	for number in "${numbers[@]}"; do
		wait "${pids[number]}" || echo "ended with status $?" >>"$BATS_TEST_TMPDIR/$number"
	done
	arrivals
	judge
}

who_attacks()
{
	if [ "$1" -eq 0 ] && [ "$control" != none ]; then
		echo "$control"
	else
		echo "$caller"
	fi
}

# call WAY: the host on the LAN calls in all set-ups, as soon as somebody listens there.
call()
{
	local number pids=()

	for number in "${!SETUPS[@]}"; do
		soon grep -q ': done' "$BATS_TEST_TMPDIR/$number"
		lan "$WAYS" "$1" port=4243 "lan4=$(lan4 "$number" 2)" "lan6=$(lan6 "$number" 2)" \
			>/dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
}

# judge: of what has arrived, and of what the attackers were told.
judge()
{
	local number wrong=()

	for number in "${numbers[@]}"; do
		judge_arrivals "${SETUPS[number]}" "${arrived[far_$number]}" "${arrived[near_$number]}"
		judge_words "${SETUPS[number]}" "$BATS_TEST_TMPDIR/$number"
	done
	[ "${#wrong[@]}" -eq 0 ] && return
	printf '%s\n' "${wrong[@]}"
	for number in "${numbers[@]}"; do
		[[ ${wrong[*]} != *"${SETUPS[number]}: "* ]] ||
			sed "s/^/    ${SETUPS[number]}: /" "$BATS_TEST_TMPDIR/$number"
	done
	return 1
}

# judge_arrivals SETUP FAR NEAR: these are packets.
judge_arrivals()
{
	local far=$2 near=$3 wanted=none

	case $1 in
	control) [ "$control" = none ] || wanted=${reach:-far} ;;
	namespace) near=0 ;; # what is on the link needs no route, and nobody claims more
	esac
	[[ " ${open:-} " != *" $1 "* ]] || wanted=any
	if [ "$wanted" = far ] && [ "$far" -eq 0 ]; then
		wrong+=("$1: nothing arrived at the far addresses")
	elif [ "$wanted" != none ] && ((far + near == 0)); then
		wrong+=("$1: nothing arrived")
	elif [ "$wanted" = none ] && ((far + near > 0)); then
		wrong+=("$1: $far packets arrived for the far addresses, $near for others")
	fi
}

# judge_words SETUP FILE: what could not even be prepared, where nothing stands, has not been tried.
# `says` and `refused` are what subu exec sees to.
judge_words()
{
	local steps='(leave|socket|prepare)' refusals='E(PERM|ACCES|INVAL|NOPROTOOPT|[A-Z]*NOSUPPORT)'

	[[ ${says:-} == 'ended with'* ]] || ! grep '^ended with' "$2" ||
		wrong+=("$1: the attacker failed")
	case $1 in
	control)
		if [ "$control" != none ] && [[ -z ${refused:-} || $control != "$caller" ]] &&
			grep -E "$steps: $refusals\$" "$2"; then
			wrong+=("$1: could not be prepared")
		fi
		;;
	namespace | both | egress)
		grep -qE "${says:-}" "$2" || wrong+=("$1: is not told: $says")
		[ -z "${refused:-}" ] || grep -qE "$steps: $refused\$" "$2" ||
			wrong+=("$1: not refused by $refused")
		;;
	esac
}

# --- the picture itself

@test "what is steered arrives at the far end of the tunnel" {
	server nft -f - <<-'END'
		table inet arrivals {
			counter both { }
			counter egress { }
			chain in {
				type filter hook prerouting priority raw
				ip saddr 10.77.0.12 ip daddr 203.0.113.9 meta l4proto { tcp, udp } \
					th dport 4242 counter name both
				ip6 saddr fd77::13 ip6 daddr 2001:db8:2::9 meta l4proto { tcp, udp } \
					th dport 4242 counter name egress
			}
		}
	END
	attack nobody 2 udp-sendto
	attack nobody 3 tcp-connect
	soon passed_both
}

passed_both()
{
	[ "$(server nft list counters table inet arrivals | grep -c 'packets [1-9]')" -eq 2 ]
}

@test "who leaves the group is held by nothing but routes" {
	local -A arrived=()

	word=known attack privileged 2 group-procs
	word=known attack privileged 3 group-procs
	arrivals
	((arrived[far_2] == 0 && arrived[near_2] > 0 && arrived[far_3] > 0))
}

# --- datagrams

@test "sendto, the first datagram and later ones" { way udp-sendto; }
@test "sendmsg" { way udp-sendmsg; }
@test "sendmmsg" { way udp-sendmmsg; }
@test "connect and send" { way udp-connect; }
@test "UDP_SEGMENT" { way udp-segment; }
@test "fragments" { way udp-large; }
@test "MSG_ZEROCOPY" { way udp-zerocopy; }
@test "splice" { way udp-splice; }
@test "sendfile" { way udp-sendfile; }
@test "UDP_CORK" { way udp-cork; }
@test "an address without a family" { way udp-unspec; }
@test "IPv4-mapped addresses" { way udp-mapped; }
@test "IPv4-mapped addresses, connected" { way udp-mapped-connect; }
@test "an IPv4 address on a socket of IPv6" { way udp-mapped-v4; }
@test "IPV6_ADDRFORM" { way udp-mapped-become; }

# A scope outranks what the socket is bound to.
@test "a link-local address" { reach=near open=binding way udp-link; }
@test "a link-local address, connected" { reach=near way udp-link-connect; }

# --- naming the device: IPv4 then takes every address for one on the link

@test "SO_BINDTODEVICE" { open=namespace way udp-device; }
@test "SO_BINDTOIFINDEX" { open=namespace way udp-index; }
@test "SO_BINDTODEVICE, then connect" { open=namespace way udp-device-connect; }
@test "connect, then SO_BINDTODEVICE" { way udp-connect-device; }
@test "SO_BINDTODEVICE to none, then to the LAN" { open=namespace way udp-unbind; }
@test "IP_UNICAST_IF and IPV6_UNICAST_IF" { open=namespace way udp-unicast-if; }

# In IPv4 it outranks what the socket is bound to.
@test "IP_PKTINFO and IPV6_PKTINFO" { open="namespace binding" way udp-pktinfo; }
@test "PKTINFO with our own address" { open="namespace binding" way udp-pktinfo-own; }
@test "PKTINFO, connected" { open="namespace binding" way udp-pktinfo-connect; }
@test "PKTINFO with mapped addresses" { open="namespace binding" way udp-pktinfo-mapped; }
@test "PKTINFO for all that a socket sends" { way udp-pktinfo-sticky; }

# --- naming an address, or no way

@test "bind to our own address on the LAN" { way udp-own; }
@test "our own address for one datagram" { way udp-own-only; }
@test "IP_FREEBIND" { way udp-freebind; }
@test "IP_TRANSPARENT" { control=privileged refused=EPERM way udp-transparent; }
@test "SO_DONTROUTE" { way udp-dontroute; }
@test "MSG_DONTROUTE" { way udp-msg-dontroute; }
@test "SO_MARK" { control=privileged refused=EPERM way udp-mark; }
@test "a loose source route" { reach=near control=privileged way udp-loose-route; }
@test "a strict source route" { reach=near control=privileged way udp-strict-route; }
@test "a source route for one datagram" { reach=near control=privileged way udp-retopts; }
@test "a segment routing header" { reach=near way udp-segment-routing; }

# Not every kernel is made for mobile IPv6.
@test "a routing header of type 2" {
	if attack nobody 0 udp-routing-header | grep -q EINVAL; then
		refused=EINVAL way udp-routing-header
	else
		reach=near way udp-routing-header
	fi
}

# --- unbinding by disconnecting: the first datagram is routed before a program binds again

@test "disconnect" { open=binding way udp-disconnect; }
@test "disconnect, then SO_BINDTODEVICE" { open=namespace way udp-disconnect-device; }
@test "disconnect, SO_BINDTODEVICE, connect" { open=namespace way udp-disconnect-connect; }
@test "disconnect, UNICAST_IF, PKTINFO" { open="namespace binding" way udp-disconnect-pktinfo; }
@test "disconnect, PKTINFO for all" { open=binding way udp-disconnect-sticky; }
@test "disconnect, link-local" { reach=near open=binding way udp-disconnect-link; }

# --- to many

@test "multicast" { reach=near open=binding way multicast; }
@test "multicast by IP_MULTICAST_IF" { reach=near open=binding way multicast-if; }
@test "multicast by an address of ours" { reach=near way multicast-address; }
@test "multicast to a group joined" { reach=near open=binding way multicast-joined; }
@test "multicast by PKTINFO" { reach=near open=binding way multicast-pktinfo; }
@test "multicast after disconnecting" { reach=near open=binding way multicast-disconnect; }
@test "broadcast" { reach=near way broadcast; }
@test "broadcast by SO_BINDTODEVICE" { reach=near way broadcast-device; }
@test "broadcast by PKTINFO" { reach=near open=binding way broadcast-pktinfo; }

# --- connections

@test "TCP" { way tcp-connect; }
@test "TCP by SO_BINDTODEVICE" { open=namespace way tcp-device; }
@test "TCP by SO_BINDTOIFINDEX" { open=namespace way tcp-index; }
@test "TCP, bound anew when connected" { way tcp-connect-device; }
@test "TCP from our own address on the LAN" { way tcp-own; }
@test "TCP fast open" { way tcp-fastopen; }
@test "TCP fast open by SO_BINDTODEVICE" { open=namespace way tcp-fastopen-device; }
@test "TCP_FASTOPEN_CONNECT" { way tcp-fastopen-connect; }
@test "TCP by UNICAST_IF" { way tcp-unicast-if; }
@test "TCP with SO_DONTROUTE" { way tcp-dontroute; }
@test "TCP by a loose source route" { reach=near control=privileged way tcp-loose-route; }
@test "TCP by a segment routing header" { reach=near way tcp-segment-routing; }
@test "TCP to IPv4-mapped addresses" { way tcp-mapped; }
@test "TCP and IPV6_ADDRFORM" { way tcp-mapped-become; }
@test "TCP to a link-local address" { reach=near way tcp-link; }
@test "TCP, disconnected, bound anew, connected" { open=namespace way tcp-disconnect; }
@test "TCP and splice" { way tcp-splice; }
@test "TCP and sendfile" { way tcp-sendfile; }
@test "TCP and MSG_ZEROCOPY" { way tcp-zerocopy; }
@test "MPTCP" { way mptcp; }
@test "MPTCP by SO_BINDTODEVICE" { open=namespace way mptcp-device; }
@test "MPTCP with fast open" { way mptcp-fastopen; }
@test "MPTCP to IPv4-mapped addresses" { way mptcp-mapped; }

# --- called from the LAN

@test "a connection that the LAN makes" { reach=near calls=tcp-connect way tcp-accept port=4243; }
@test "an answer to the LAN" { reach=near calls=udp-sendto way udp-reply port=4243; }
@test "an answer to the LAN by PKTINFO" {
	reach=near calls=udp-sendto way udp-reply-pktinfo port=4243
}

# --- other protocols

@test "UDP-Lite" { way udplite; }
@test "UDP-Lite by SO_BINDTODEVICE" { open=namespace way udplite-device; }
@test "UDP-Lite after disconnecting" { open=namespace way udplite-disconnect; }
@test "UDP-Lite by PKTINFO" { open="namespace binding" way udplite-pktinfo; }
@test "ping" { way ping4; }
@test "ping by SO_BINDTODEVICE" { open=namespace way ping4-device; }
@test "ping of IPv6" { way ping6; }
@test "ping of IPv6 by SO_BINDTODEVICE" { way ping6-device; }

# No program is asked when such a socket sends.
@test "ping after disconnecting" { open="namespace binding" way ping4-disconnect; }
@test "ping of IPv6 after disconnecting" { way ping6-disconnect; }

@test "every other kind of socket that IP has" { way protocols; }

# may_be_missing WAY: closed for want of the protocol, or by the barriers.
may_be_missing()
{
	if attack nobody 0 "$1" | grep -qE 'socket: E(PROTO|SOCKT)NOSUPPORT'; then
		control=none says='socket: E(PROTO|SOCKT)NOSUPPORT' way "$1"
	else
		way "$1"
	fi
}

@test "SCTP" { may_be_missing sctp; }
@test "SCTP, connected" { may_be_missing sctp-stream; }
@test "DCCP" { may_be_missing dccp; }
@test "SMC" { control=none refused=EPROTONOSUPPORT way smc; }
@test "SMC beside TCP" { refused='E(NOENT|PERM)' way smc-ulp; }

@test "families that no barrier knows" {
	by_hand 2 "$WAYS" families | grep -q ': done'
	try subu exec -u nobody subu_2 -- "$WAYS" families
	[ "$status" -eq 0 ]
	[ -z "$output" ] || complain "some are not refused for what they are"
	try subu exec -u root subu_2 -- "$WAYS" families
	[ -z "$output" ] || complain "some are not refused to root"
}

# --- headers and frames of its own making

@test "raw sockets" { caller=root control=privileged refused=EPERM way raw-udp; }
@test "raw sockets that write the IP header" {
	caller=root control=privileged refused=EPERM way raw-header
}
@test "packet sockets" { caller=root control=privileged says='socket: ' refused=EPERM way packet; }
@test "packet sockets without a header" {
	caller=root control=privileged refused=EPERM way packet-cooked
}

# --- with every capability, yet in the group

@test "privileged: SO_BINDTODEVICE over what is bound" {
	caller=privileged open="namespace binding" way udp-device
}
@test "privileged: SO_BINDTODEVICE of a connected socket" {
	caller=privileged open=binding way udp-connect-device
}
@test "privileged: TCP, bound anew when connected" {
	caller=privileged open=binding way tcp-connect-device
}
@test "privileged: TCP by SO_BINDTODEVICE" { caller=privileged open=namespace way tcp-device; }
@test "privileged: IP_TRANSPARENT" { caller=privileged way udp-transparent; }
@test "privileged: SO_MARK" { caller=privileged way udp-mark; }
@test "privileged: a loose source route" { caller=privileged reach=near way udp-loose-route; }
@test "privileged: raw sockets" { caller=privileged way raw-udp; }
@test "privileged: raw sockets by SO_BINDTODEVICE" {
	caller=privileged open="namespace binding" way raw-device
}
@test "privileged: raw sockets after disconnecting" {
	caller=privileged open="namespace binding" way raw-disconnect
}
@test "privileged: raw sockets that write the IP header" { caller=privileged way raw-header; }
@test "privileged: the IP header, by SO_BINDTODEVICE" {
	caller=privileged open="namespace binding" way raw-header-device
}
@test "privileged: io_uring" { caller=privileged way uring; }
@test "privileged: a group below the sub-user's" { caller=privileged way group-below; }

# --- sockets made otherwise

@test "io_uring" { control=privileged says='ring: ENOSYS' way uring; }
@test "a 32-bit system call" { control=privileged says='ended with status 159' way int80-udp; }
@test "a system call of x32" { control=none says='ended with status 159' way x32-udp; }
@test "a socket from another process inside" { given_by nobody taken; }
@test "a socket from another process inside, connected" { given_by nobody taken-connect; }

# given_by CALLER WAY: somebody inside hands out sockets.
given_by()
{
	local number pids=()

	client rm -rf /mnt/sockets
	client mkdir -m 1777 /mnt/sockets
	for number in "${!SETUPS[@]}"; do
		attack "$1" "$number" give >/dev/null 3>&- &
		pids+=($!)
	done
	for number in "${!SETUPS[@]}"; do
		soon client test -S "/mnt/sockets/$number"
	done
	way "$2"
	wait "${pids[@]}"
}

@test "a standard descriptor that is a socket of outside" {
	fails 125 "socket" bash -c \
		'subu exec -u nobody subu_3 -- "$0" udp-sendto <>/dev/udp/192.0.2.1/4242' "$WAYS"
}

@test "a descriptor that is a socket of outside" {
	client bash -c 'exec subu exec -u nobody subu_3 -- ls -l /proc/self/fd \
		7<>/dev/udp/192.0.2.1/4242' >"$BATS_TEST_TMPDIR/files"
	run ! grep socket: "$BATS_TEST_TMPDIR/files"
}

# --- from elsewhere

@test "an orphan in a session of its own" { way daemon; }
@test "a write to cgroup.procs" { refused='E(ACCES|ROFS)' way group-procs; }
@test "root: a write to cgroup.procs" { caller=root refused='E(ACCES|ROFS)' way group-procs; }
@test "CLONE_INTO_CGROUP" { refused=ENOSYS way group-clone; }
@test "root: CLONE_INTO_CGROUP" { caller=root refused=ENOSYS way group-clone; }
@test "control groups mounted in a user namespace" { refused="E.*" way group-mount; }
@test "root: control groups mounted in a user namespace" { caller=root way group-mount; }
@test "root: a group below the sub-user's" { caller=root refused='E(ROFS|NOENT)' way group-below; }
@test "the programs' pins" { refused=ENOENT way pins; }
@test "root: the programs' pins" { caller=root refused=ENOENT way pins; }
@test "other network namespaces" { refused='E(PERM|ACCES)' way setns; }
@test "root: other network namespaces" { caller=root refused='E(PERM|ACCES)' way setns; }
@test "a route of its own" { refused=EPERM way route; }
@test "root: a route of its own" { caller=root refused=EPERM way route; }
@test "a rule of its own" { refused=EPERM way rule; }
@test "devices of its own" { refused=EPERM way link; }
@test "root: devices of its own" { caller=root refused=EPERM way link; }

# --- from namespaces of its own, which no cable leads out of: the control is that it got there

@test "nested" { control=none says='leave: done' way nested; }
@test "root: nested" { caller=root control=none says='leave: done' way nested; }
@test "nested, and back" { control=none says='leave: EPERM' way nested-back; }
@test "nested: a cable to where it came from" { control=none says='nest: done' way nested-veth; }
@test "root: nested: a TUN device" { caller=root control=none says='leave: done' way nested-tun; }
@test "nested: packet sockets" { control=none says='socket: done' way nested-packet; }
@test "nested: raw sockets" { control=none says='socket: done' way nested-raw; }
@test "nested: a socket passed out" { control=none says='socket: done' way nested-taken; }

# --- from before: a socket has sent by the LAN when steering begins

# late WAY [KEY=VALUE...]: in "egress", not steered at first.
late()
{
	local -A arrived=()
	local pid

	client subu -q steer disable subu_3
	mkfifo "$BATS_TEST_TMPDIR/go"
	word=known attack nobody 3 "$@" hold=1 <"$BATS_TEST_TMPDIR/go" \
		>"$BATS_TEST_TMPDIR/late" 2>&1 3>&- &
	pid=$!
	arrivals
	exec 5>"$BATS_TEST_TMPDIR/go"
	soon grep -q ready "$BATS_TEST_TMPDIR/late" || complain_late
	[ -z "${calls:-}" ] || call_late
	arrivals
	# One who answers datagrams has not been let go on yet.
	[ "$1" = udp-reply ] || ((arrived[far_3] + arrived[near_3] > 0))
	client subu -q steer enable subu_3 5>&-
	arrivals
	echo >&5
	[ -z "${calls:-}" ] || call_late
	wait "$pid"
	cat "$BATS_TEST_TMPDIR/late"
	arrivals
	((arrived[far_3] + arrived[near_3] == 0))
}

complain_late()
{
	cat "$BATS_TEST_TMPDIR/late"
	return 1
}

call_late()
{
	lan "$WAYS" "$calls" port=4243 "lan4=$(lan4 3 2)" "lan6=$(lan6 3 2)" >/dev/null 5>&-
}

@test "late: a socket that is not connected" { late udp-sendto; }
@test "late: a connected one" { late udp-connect; }
@test "late: bound to the LAN" { late udp-device; }
@test "late: PKTINFO" { late udp-pktinfo; }
@test "late: a datagram that waits for more" { late udp-cork; }
@test "late: a link-local address" { late udp-link; }
@test "late: UDP-Lite" { late udplite; }
@test "late: ping" { late ping4; }
@test "late: a TCP connection" { late tcp-connect; }
@test "late: MPTCP" { late mptcp; }
@test "late: a listening socket" { calls=tcp-connect late tcp-accept port=4243; }
@test "late: an answer to the LAN" { calls=udp-sendto late udp-reply port=4243; }

# --- what the kernel says for a process: an address that it asks for can be a message

# asks WAY: for neighbours whose address the attacker has made up.
asks()
{
	local -A arrived=()
	local number

	arrivals
	for number in 0 2 3 5; do
		inside "$number" ip neighbour flush dev lan0
		attack nobody "$number" "$1" "lan4=198.51.100.$((16 * number + 9))" \
			"lan6=2001:db8:1:$number::99" link6=fe80::99 far4=203.0.113.99 >/dev/null
	done
	arrivals
	declare -p arrived
	((arrived[asked_0] > 0))
	((arrived[asked_2] + arrived[asked_3] + arrived[asked_5] == 0))
}

@test "no neighbour is asked for: sendto" { asks udp-sendto; }
@test "no neighbour is asked for: PKTINFO" { asks udp-pktinfo; }
@test "no neighbour is asked for: SO_BINDTODEVICE" { asks udp-device; }
@test "no neighbour is asked for: a link-local address" { asks udp-link; }
@test "no neighbour is asked for: TCP" { asks tcp-connect; }
@test "no neighbour is asked for: ping" { asks ping4; }

# joins: groups on the LAN, with sources whose addresses spell the payload. The kernel reports them
# within a second, in packets of no socket; the last one is tried in the set-up without barriers.
joins()
{
	local number told=$BATS_TEST_TMPDIR/told wrong=()

	for number in 1 2 3 4 5 0; do
		attack nobody "$number" "$1" >"$told$number"
	done
	soon reported control "$1"
	sleep 1.5
	for number in 2 3 4 5; do
		! reported "${SETUPS[number]}" "$1" || wrong+=("${SETUPS[number]}: reported")
		[ "$(sed -n 's/.* prepare: //p' "$told$number" | sort -u)" = ENODEV ] ||
			wrong+=("${SETUPS[number]}: joined")
	done
	[ "${#wrong[@]}" -eq 0 ] || { printf '%s\n' "${wrong[@]}"; head "$told"*; return 1; }
}

# reported SETUP WAY
reported()
{
	grep -qa "subu-way-$1-$2" "$BATS_FILE_TMPDIR/lan.pcap"
}

@test "the kernel reports no groups that a process joins, nor from whom" { joins group-sources; }

# --- what is known to get out: stated here, so that a change is seen

@test "known: a packet socket with CAP_NET_RAW is not seen by the programs" {
	word=known caller=privileged open="namespace both egress binding dropping" way packet
}

@test "known: a socket that a process outside the group has made and hands over" {
	word=known open="both egress binding dropping" given_by outsider taken
}

# --- after all of them

@test "no payload of those who are held is in the capture" {
	grep -ao 'subu-way-[a-z]*-[a-z0-9-]*' "$BATS_FILE_TMPDIR/lan.pcap" | sort | uniq -c \
		>"$BATS_TEST_TMPDIR/payloads"
	grep -q 'subu-way-control-' "$BATS_TEST_TMPDIR/payloads"
	run ! grep -E 'subu-way-(both|egress|dropping)-' "$BATS_TEST_TMPDIR/payloads"
}
