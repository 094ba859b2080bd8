# Forced egress as the verbs show it, and what still works in a sub-user that has it.
#
#	 client                                  server
#	+---------------------------+           +---------------------------+
#	| ns-subu_0                 |           |                           |
#	|   lo                      |           |                           |
#	|   subu_0 10.77.0.2  ======|== engine =|== wg0 10.77.0.1 (a page)  |
#	|             up0 192.0.2.2 |-----------| up0 192.0.2.1             |
#	+---------------------------+           +---------------------------+
#
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2016,SC2154 # `subu ...` stands in sentences; lib.bash has the names
load lib
load crash

setup()
{
	AGE=$(realpath "${SUBU_BUILD:-build}/tests/system/age-egress")
	machines init
}

teardown()
{
	machines_end
}

# steered_subu: alice:web with a tunnel to nobody, all of it up.
steered_subu()
{
	a_tunnel_to_nobody
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q network up subu_0
}

# listed WORD VALUE: what list and info say of subu_0, as text and in JSON.
listed()
{
	done_by subu list
	[[ ${lines[1]} == *" $1" ]] || complain "the list does not say $1"
	done_by subu --json list
	[ "$(json 'v[0]["steer"]')" = "$2" ] || complain "the list does not say $2"
	done_by subu --json info subu_0
	[ "$(json 'v["steer"]')" = "$2" ] || complain "info does not say $2"
}

# finds TEXT [SUBU]: doctor does.
finds()
{
	try subu doctor "${@:2}"
	[ "$status" -eq 1 ] || complain "doctor is content"
	[[ $output == *"$1"* ]] || complain "doctor does not say: $1"
}

# dry TEXT COMMAND...: with --dry-run it says so, and changes nothing.
dry()
{
	local before

	before=$(everything)
	done_by subu --dry-run "${@:2}"
	[[ $output == *"$1"* ]] || complain "does not say: $1"
	unchanged
}

# inside_as_nobody COMMAND...: as exec runs it.
inside_as_nobody()
{
	try subu exec -u nobody subu_0 -- "$@"
	[ "$status" -eq 0 ] || complain "failed: $*"
}

@test "steer enable and disable, and how they answer" {
	steered_subu
	listed yes True
	try subu steer disable subu_0
	[ "$status $output" = "0 subu_0 is not steered" ]
	[[ $stderr == *'`subu option set subu_0 default-route on`' ]] || complain "no note"
	listed no False
	done_by subu --json steer enable alice:web
	[ "$(json v)" = "{'subu': 'subu_0', 'steer': True}" ]
	listed yes True
	done_by subu -q steer disable subu_0
	[ "$output" = subu_0 ]
	done_by subu steer enable subu_0
	[ "$output" = "subu_0 is steered" ]
	done_by subu detach WG subu_0
	listed no False
	done_by subu --json attach WG subu_0 WG_0
	[ "$(json v)" = \
		"{'subu': 'subu_0', 'tunnel': 'WG_0', 'device': 'subu_0', 'steer': True}" ]
	done_by subu doctor
}

@test "--dry-run of attach, steer and detach" {
	a_tunnel_to_nobody
	sub_user alice web
	dry "would steer all that leaves through subu_0" attach WG subu_0 WG_0
	client subu -q attach WG subu_0 WG_0
	dry "nothing to do" steer enable subu_0
	dry "would stop steering ns-subu_0" steer disable subu_0
	dry "would stop steering ns-subu_0" detach WG subu_0
	client subu -q steer disable subu_0
	dry "would steer all that leaves through subu_0" steer enable subu_0
	dry "would create the control group of ns-subu_1" create alice mail
	dry "would delete the control group of ns-subu_0" remove subu_0
}

@test "info counts what was stopped" {
	steered_subu
	done_by subu --json info subu_0
	[ "$(json '[(s["reason"], s["count"]) for s in v["stopped"]]')" = \
		"[('dropped_interface', 0), ('dropped_config', 0), ('refused_device', 0), ('refused_group', 0), ('refused_config', 0)]" ]
	inside 0 ip link add lan0 type veth peer name lan1
	inside 0 ip link set lan0 up
	inside 0 ip link set lan1 up
	inside 0 ip address add 198.51.100.1/24 dev lan0
	# A way out that only root inside has, and only with its capabilities.
	try bash -c 'echo 0 >"$0/subu/subu_0/cgroup.procs"
		exec nsenter --net=/run/netns/ns-subu_0 ping -c 3 -i 0.1 -W 1 -I lan0 198.51.100.2' \
		"$hierarchy"
	[ "$status" -ne 0 ]
	done_by subu --json info subu_0
	[ "$(json 'sum(s["count"] for s in v["stopped"]) > 0')" = True ] || complain "none counted"
	done_by subu info subu_0
	[[ $output == *"Stopped by steering"* ]]
	client subu -q steer disable subu_0
	done_by subu --json info subu_0
	[ "$(json 'v["stopped"]')" = "[]" ]
}

@test "doctor: what is not steered, and who" {
	steered_subu
	done_by subu doctor
	inside 0 sleep 1000 3>&- &
	soon finds "is in its namespace, but was not started by \`subu exec\` and is not steered"
	client pkill -x sleep
	wait $! || true
	soon client subu -q doctor
	client subu -q steer disable subu_0
	finds "could leak: it is not steered, so only its namespace holds it: \`subu steer enable subu_0\`"
}

@test "doctor: pins and groups of no row, and programs that were tampered with" {
	steered_subu
	client mkdir /sys/fs/bpf/subu/subu_77 "$hierarchy/subu/subu_78"
	finds "left over: /sys/fs/bpf/subu/subu_77 is not in this database"
	[[ $output == *"left over: $hierarchy/subu/subu_78 is not in this database"* ]]
	client rmdir /sys/fs/bpf/subu/subu_77 "$hierarchy/subu/subu_78"
	done_by subu doctor
	for damage in "rm /sys/fs/bpf/subu/subu_0/egress" "rm /sys/fs/bpf/subu/subu_0/counters" \
		"rm -r /sys/fs/bpf/subu" "umount -l /sys/fs/bpf" "$AGE subu_0" "$AGE subu_0 99"; do
		# shellcheck disable=SC2086 # words
		client $damage
		finds "reconcile would steer all that leaves through subu_0"
		done_by subu reconcile
		done_by subu doctor
		listed yes True
	done
}

@test "a database from before there was steering" {
	steered_subu
	client subu -q steer disable subu_0
	sqlite3 "$SUBU_DB" 'ALTER TABLE links DROP COLUMN steer; PRAGMA user_version = 1'
	done_by subu reconcile
	[[ $output == *"steer all that leaves through subu_0"* ]]
	listed yes True
	[ "$(sqlite3 "$SUBU_DB" 'PRAGMA user_version')" -eq 2 ]
	done_by subu doctor
}

# shellcheck disable=SC2016 # Python
echo_once='
import socket, sys
kind, listen, to = getattr(socket, sys.argv[1]), sys.argv[2], sys.argv[3]
family = socket.AF_INET6 if ":" in to else socket.AF_INET
server, client = (socket.socket(family, kind) for i in range(2))
for each in (server, client): each.settimeout(5)
server.bind((listen, 0))
if kind == socket.SOCK_STREAM: server.listen()
client.connect((to, server.getsockname()[1]))
client.send(b"hello")
peer = server.accept()[0] if kind == socket.SOCK_STREAM else server
assert peer.recv(9) == b"hello"
'

# through_tunnel: packets that were given to the tunnel.
through_tunnel()
{
	inside 0 cat /proc/self/net/dev | awk '$1 == "subu_0:" { print $11 + $13 }'
}

@test "localhost works as it does elsewhere, and never by the tunnel" {
	server_start
	tunnel_to 192.0.2.1:51820
	client subu -q WG set WG_0 dns 10.77.0.1
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q network up subu_0
	before=$(through_tunnel)
	for kind in SOCK_STREAM SOCK_DGRAM; do
		inside_as_nobody python3 -c "$echo_once" "$kind" 127.0.0.1 127.0.0.1
		inside_as_nobody python3 -c "$echo_once" "$kind" 0.0.0.0 127.0.0.1
		inside_as_nobody python3 -c "$echo_once" "$kind" 0.0.0.0 127.9.9.9
		inside_as_nobody python3 -c "$echo_once" "$kind" 10.77.0.2 10.77.0.2
	done
	[ "$(through_tunnel)" = "$before" ] || complain "something went into the tunnel"
	page
	[ "$(through_tunnel)" -gt "$before" ]
}

@test "localhost by IPv6, where the tunnel has such an address" {
	server_start
	tunnel_to 192.0.2.1:51820 fd77::/64
	client subu -q WG set WG_0 dns fd77::1
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q network up subu_0
	before=$(through_tunnel)
	for kind in SOCK_STREAM SOCK_DGRAM; do
		inside_as_nobody python3 -c "$echo_once" "$kind" ::1 ::1
		inside_as_nobody python3 -c "$echo_once" "$kind" :: ::1
		inside_as_nobody python3 -c "$echo_once" "$kind" fd77::2 fd77::2
	done
	[ "$(through_tunnel)" = "$before" ] || complain "something went into the tunnel"
	done_by subu exec subu_0 -- curl -sS --max-time 20 'http://[fd77::1]/'
	[ "$output" = 'Hello from the other end of the tunnel.' ] || complain "another page"
}
