# While forced egress is turned on, off and replaced, by commands that are killed at any instant, no
# packet reaches the network that a second interface leads to.
#
#	 client
#	+--------------------------------+
#	| ns-subu_0                      |
#	|   lo                           |
#	|   subu_0 (WG_0)                |   a server that is not there: nobody listens
#	|             lan0 198.51.100.1 -|--- lan1, in a namespace of its own: what arrives is counted
#	+--------------------------------+
#
# Inside, nobody sends to a far address without end: by a socket that was connected while nothing
# was steered yet, by one that is bound anew with each packet, and by fresh ones.
#
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2154 # lib.bash has the names
load lib
load crash

setup()
{
	AGE=$(realpath "${SUBU_BUILD:-build}/tests/system/age-egress")
	machines init
	a_tunnel_to_nobody
	sub_user alice web
	client subu -q attach WG subu_0 WG_0 --no-steer
	client subu -q network up subu_0
	client ip netns add lan
	client ip -n ns-subu_0 link add lan0 type veth peer name lan1 netns lan
	inside 0 ip address add 198.51.100.1/32 dev lan0
	inside 0 ip link set lan0 addrgenmode none arp off up
	client ip -n lan link set lan1 addrgenmode none arp off up
}

teardown()
{
	machines_end
}

# shellcheck disable=SC2016 # Python
sender='
import socket, sys
far = ("203.0.113.9", 9)
udp = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def sent(do):
	try: do()
	except OSError: pass
old, anew = udp(), udp()
sent(lambda: old.connect(far))
while True:
	for i in range(20):
		sent(lambda: old.send(b"x"))
		sent(lambda: anew.sendto(b"x", far))
	sent(lambda: udp().sendto(b"x", far))'

# Starts it; it goes with the machines.
start_sender()
{
	client subu exec -u nobody subu_0 -- python3 -c "$sender" &
	pid=$!
}

sending()
{
	kill -0 "$pid" || complain "the sender has ended"
}

# arrived: packets that have come to the LAN.
arrived()
{
	client ip -n lan -s -j link show lan1 | sed 's/.*"rx":{"bytes":[0-9]*,"packets":\([0-9]*\).*/\1/'
}

some_arrived()
{
	[ "$(arrived)" -gt 100 ]
}

# through_tunnel: packets that were given to the tunnel.
through_tunnel()
{
	inside 0 cat /proc/self/net/dev | awk '$1 == "subu_0:" { print $11 + $13 }'
}

# killed COMMAND...: it is killed some time, if it is still there.
killed()
{
	client timeout -s KILL "0.0$((RANDOM % 9))$((RANDOM % 10))" "$@" >/dev/null 2>&1 || :
}

# none_arrived SECONDS COMMAND: nothing comes to the LAN while the command runs again and again.
none_arrived()
{
	local until=$((SECONDS + $1)) before rounds=0

	sleep 0.2
	before=$(arrived)
	while ((SECONDS < until)); do
		"$2"
		rounds=$((rounds + 1))
	done
	client subu -q reconcile
	sending
	echo "# $rounds rounds" >&3
	[ "$(arrived)" = "$before" ] || complain "$(($(arrived) - before)) packets have leaked"
}

to_the_lan()
{
	inside 0 ip route add default dev lan0
}

# The sender as it will be held: unsteered, it does reach the LAN.
unheld()
{
	to_the_lan
	start_sender
	soon some_arrived
}

# The interface that is not ours is all that doctor has to say.
no_other_finding()
{
	try subu doctor
	[ "${#lines[@]}" -eq 2 ] && [[ ${lines[1]} == *"the interface lan0 is not subu's"* ]]
}

@test "steering turned on and off, killed at any instant: the namespace holds meanwhile" {
	start_sender
	on_and_off()
	{
		killed subu steer enable subu_0
		killed subu steer disable subu_0
	}
	none_arrived 5 on_and_off
	[ "$(arrived)" -eq 0 ]
	client subu -q steer disable subu_0
	to_the_lan
	soon some_arrived
}

@test "the programs replaced, killed at any instant: they hold alone" {
	unheld
	client subu -q steer enable subu_0
	upgrade()
	{
		client "$AGE" subu_0 "$((RANDOM % 3 ? 0 : 99))"
		killed subu reconcile
	}
	none_arrived 8 upgrade
	no_other_finding
}

@test "the tunnel turned off and on: nothing goes another way meanwhile" {
	unheld
	client subu -q steer enable subu_0
	again()
	{
		killed subu -q reconcile
		client subu -q WG down WG_0
		client subu -q WG up WG_0
	}
	none_arrived 3 again
}

@test "the tunnel's device deleted by hand: nothing gets out before and after it is made again" {
	unheld
	client subu -q steer enable subu_0
	delete_device()
	{
		inside 0 ip link del subu_0
		sleep 0.3
		done_by subu reconcile
	}
	none_arrived 3 delete_device
	before=$(through_tunnel)
	soon more_through_tunnel
	no_other_finding
}

more_through_tunnel()
{
	[ "$(through_tunnel)" -gt "$before" ]
}
