# What the namespace of a steered sub-user lets out besides its commands' packets: nothing.
#
#	 client                                       server
#	+--------------------------------+           +------------------------+
#	| ns-subu_0                      |           |                        |
#	|   subu_0 10.77.0.2 ============|===========|== wg0 10.77.0.1        |
#	|   lan0 198.51.100.2 --- lan1 --|-- "lan"   |                        |
#	+--------------------------------+           +------------------------+
#
# lan has all addresses, is the default gateway of the main table, and counts what arrives.
#
# shellcheck disable=SC2154 # lib.bash has the names
load lib

setup()
{
	machines init
	server_start
	tunnel_to 192.0.2.1:51820
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q network up subu_0
}

teardown()
{
	machines_end
}

lan()
{
	client ip netns add lan
	inside 0 ip link add lan0 "$@" type veth peer name lan1 netns lan
	in_lan ip address add 198.51.100.1/24 dev lan1
	in_lan ip address add 2001:db8:1::1/64 dev lan1 nodad
	in_lan ip link set lan1 up
	inside 0 ip address add 198.51.100.2/24 dev lan0
	inside 0 ip address add 2001:db8:1::2/64 dev lan0 nodad
	inside 0 ip link set lan0 up
	inside 0 ip route add default via 198.51.100.1
	inside 0 ip -6 route add default via 2001:db8:1::1
	in_lan nft -f - <<-'END'
		table netdev count {
			chain in {
				type filter hook ingress device lan1 priority 0
				icmp type { destination-unreachable, echo-reply } counter
				icmpv6 type { destination-unreachable, echo-reply } counter
				tcp flags rst counter
			}
		}
	END
}

in_lan()
{
	client nsenter --net=/run/netns/lan -- "$@"
}

# What has arrived of what the kernel says by itself.
arrived()
{
	in_lan nft -j list ruleset | python3 -c 'import json, sys
print(sum(e["counter"]["packets"] for o in json.load(sys.stdin)["nftables"] if "rule" in o
          for e in o["rule"]["expr"] if "counter" in e))'
}

# All that makes the kernel inside answer to addresses that are not on its own link.
provoke()
{
	server python3 - <<-'END'
		import socket
		udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for _ in range(3):
		    udp.sendto(b"nobody listens there", ("10.77.0.2", 4000))
		tcp = socket.socket()
		tcp.settimeout(1)
		try:
		    tcp.connect(("10.77.0.2", 4000))
		except OSError:
		    pass
	END
	server ping -c 2 -i 0.2 -W 1 10.77.0.2 >/dev/null || true
	client subu exec -u nobody subu_0 -- /usr/bin/python3 - <<-'END'
		import socket
		udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		udp.setsockopt(41, 78, 1)  # IPV6_FREEBIND
		udp.bind(("2001:db8:99::77", 0))
		try:
		    udp.sendto(b"an error to a far address", ("::1", 4000))
		except OSError:
		    pass
	END
}

@test "what the kernel answers by itself does not leave by another interface" {
	lan
	provoke
	[ "$(arrived)" -eq 0 ]
	inside 0 bash -c 'for i in 1 2; do ip rule del pref 1001; ip -6 rule del pref 1001; done'
	provoke
	[ "$(arrived)" -gt 0 ] || complain "nothing arrives without the fence either"
	done_by subu reconcile
	[[ $output == *'add IPv4 rule ipproto icmp unreachable in ns-subu_0'*'add IPv6 rule ipproto tcp'* ]]
	before=$(arrived)
	provoke
	[ "$(arrived)" -eq "$before" ]
}

@test "the fence stands unless the main table is wanted" {
	fences() { inside 0 ip -"$1" rule list pref 1001 | grep -c unreachable; }
	[ "$(fences 4) $(fences 6)" = '2 2' ]
	client subu -q option set subu_0 default-route on
	[ "$(fences 4) $(fences 6)" = '0 0' ]
	client subu -q option set subu_0 default-route off
	client subu -q steer disable subu_0
	[ "$(fences 4) $(fences 6)" = '0 0' ]
	client subu -q detach WG subu_0
	[ "$(fences 4) $(fences 6)" = '2 2' ]
}

@test "settings that the machine hands down to namespaces do not hinder the tunnel" {
	for setting in conf.subu_0.rp_filter=2 conf.all.rp_filter=1 conf.all.forwarding=1; do
		inside 0 sysctl -qw "net.ipv4.$setting"
		try subu doctor
		[ "$status" -eq 1 ] || complain "doctor sees nothing of $setting"
		client subu -q reconcile
		page
	done
}

@test "an interface that takes the number of a lost device gets nothing, and no command starts" {
	index=$(inside 0 cat /sys/class/net/subu_0/ifindex 2>/dev/null ||
		inside 0 ip -o link show subu_0 | cut -d: -f1)
	[ "$index" -ge $((1 << 29)) ] || complain "a number that the kernel may hand out"
	inside 0 ip link del subu_0
	lan index "$index"
	output=$(client subu --json list)
	[ "$(json "v[0]['steer']")" = False ]
	fails 125 'subu_0 is not steered as it should be' subu exec subu_0 -- true
	client subu -q reconcile
	[ "$(inside 0 ip -o link show subu_0 | cut -d: -f1)" -ne "$index" ]
	page
}
