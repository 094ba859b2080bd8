# doctor SUBU: a probe goes inside and tries the ways out; what it says is what is so.
#
#	 client                                     server
#	+------------------------------+           +---------------------------------+
#	| ns-subu_0                    |           |                                 |
#	|   subu_0 10.77.0.2 ==========|===========|== wg0 10.77.0.1 (a page, names) |
#	|   lan0 198.51.100.2 -- lan1  |           |                                 |
#	+------------------------------+           +---------------------------------+
#
# shellcheck disable=SC2016,SC2154 # $folder is another shell's; lib.bash has the names
load lib

setup()
{
	machines init
	server_start
	tunnel_to 192.0.2.1:51820
	sub_user alice web
}

teardown()
{
	machines_end
}

# up OPTION...: the tunnel attached and up.
up()
{
	client subu -q attach WG subu_0 WG_0 "$@"
	client subu -q network up subu_0
}

# A second interface, which only the second barrier holds.
lan()
{
	inside 0 ip link add lan0 type veth peer name lan1
	inside 0 ip address add 198.51.100.2/24 dev lan0
	inside 0 ip link set lan1 up
	inside 0 ip link set lan0 up
}

# The client gets a /run that the test may change.
private_run()
{
	client bash -ec '
		mkdir /mnt/run
		for folder in netns subu wireguard; do
			mkdir "/mnt/run/$folder"
			mount --rbind "/run/$folder" "/mnt/run/$folder"
		done
		mount --rbind /mnt/run /run'
}

# way NAME: its result, and by what.
way()
{
	json "[(w['result'], *w['by']) for w in v['ways'] if w['way'] == '$1']"
}

# shows NAME RESULT [BARRIER...]
shows()
{
	local expected

	expected=$(printf ", '%s'" "${@:2}")
	[ $# -gt 2 ] || expected+=,
	[ "$(way "$1")" = "[(${expected:2})]" ] || complain "not so: $*"
}

# doctor STATUS: it ends with it.
doctor()
{
	try subu --json doctor subu_0
	[ "$status" -eq "$1" ] || complain "not status $1"
}

@test "of a steered sub-user every way is stopped or leads into the tunnel" {
	up
	doctor 0
	[ "$(json "v['well'], v['findings']")" = '(True, [])' ]
	[ "$(json "len(v['ways']) > 25")" = True ]
	[ "$(json "{w['result'] for w in v['ways']} <= {'stopped', 'by the tunnel', 'note', 'not there'}")" = True ]
	for way in UDP UDP-Lite TCP MPTCP ping 'UDP, IPv4 in an IPv6 socket' 'UDP to a multicast group'; do
		shows "$way" 'by the tunnel' namespace steering
	done
	shows 'UDP over IPv6' stopped namespace steering
	shows 'unbinding a socket' stopped steering
	shows 'another interface' stopped namespace
	for way in 'a raw socket' 'a packet socket' 'vsock, to the hypervisor' io_uring \
		"names by the kernel\\'s request-key" \
		'leaving the control group' "removing the programs\\' pins" \
		"entering the machine\\'s namespace" 'a socket of another process outside'; do
		shows "$way" stopped rights
	done
	shows names 'not there'
	shows Docker 'not there'
	shows 'its account' note
	[ "$(json "[w['detail'] for w in v['ways'] if w['way'] == 'UDP']")" = "['bound to subu_0']" ]
	shows 'a new user and network namespace' stopped namespace
	done_by subu doctor subu_0
	[[ ${lines[0]} == "Way out "*" Result "*" By "*" What was seen" ]]
	[ "${lines[-1]}" = 'all is well' ]
	[ -z "$(client cat "$hierarchy/subu/subu_0/cgroup.procs")" ]
}

@test "without a tunnel everything is stopped by the namespace" {
	doctor 0
	for way in UDP TCP ping 'UDP over IPv6'; do
		shows "$way" stopped namespace
	done
}

@test "with a second interface steering alone holds, and another interface is a finding" {
	up
	lan
	inside 0 ip route add default via 198.51.100.1
	doctor 1
	for way in UDP TCP ping 'UDP to a multicast group'; do
		shows "$way" 'by the tunnel' steering
	done
	for way in 'a socket bound to' 'a disconnected socket bound to' 'a packet by' \
		'a packet to a group by' 'joining a group by' 'MCAST_JOIN_GROUP by'; do
		shows "$way lan0" stopped steering
		shows "$way lan0, IPv6" stopped steering
	done
	[ "$(json "[f['finding'] for f in v['findings'] if 'lan' not in f['finding']]")" = '[]' ]
	[ "$(json "{w['result'] for w in v['ways']} <= {'stopped', 'by the tunnel', 'note', 'not there'}")" = True ]
	output=$(client subu --json info subu_0)
	[ "$(json "[s['count'] > 0 for s in v['stopped'] if s['reason'] == 'dropped_interface']")" = '[True]' ]
}

@test "what is open is called open, and is a finding" {
	up --no-steer
	doctor 1
	shows UDP stopped namespace
	shows TCP stopped namespace
	lan
	inside 0 ip route add default via 198.51.100.1
	doctor 1
	for way in UDP TCP ping MPTCP 'UDP to a multicast group' 'a socket bound to lan0' \
		'a disconnected socket bound to lan0' 'a packet by lan0' \
		'a packet to a group by lan0' 'joining a group by lan0' \
		'MCAST_JOIN_GROUP by lan0' 'joining a group by lan0, IPv6'; do
		shows "$way" open
		[ "$(json "any('could leak: $way: ' in f['finding'] for f in v['findings'])")" = True ]
	done
	[ "$(json "any('not steered' in f['finding'] for f in v['findings'])")" = True ]
	[ "$(json "v['ways'][0]['result']")" = open ]
}

@test "without an address of its family a group has no way, with one it is the tunnel's" {
	up
	doctor 0
	shows 'UDP to a multicast group, IPv6' stopped namespace
	client subu -q detach WG subu_0
	client subu -q WG remove WG_0
	tunnel_to 192.0.2.1:51820 fd77::/64
	client subu -q attach WG subu_0 WG_1
	client subu -q network up subu_0
	doctor 0
	for way in 'UDP to a multicast group, IPv6' 'UDP over IPv6' 'TCP over IPv6'; do
		shows "$way" 'by the tunnel' namespace steering
	done
}

@test "it shows which resolvers a program inside reaches" {
	client subu -q WG set WG_0 dns 10.77.0.1,10.77.0.9
	up
	server "$BATS_TEST_DIRNAME/name_server" 10.77.0.1 10.77.0.1 "$BATS_TEST_TMPDIR/names" \
		3>&- &
	soon server bash -c 'ss -lunH | grep -q 10.77.0.1:53'
	doctor 0
	[ "$(json "[w['detail'] for w in v['ways'] if w['way'] == 'names by 10.77.0.1']")" = \
		"['it answers']" ]
	[ "$(json "[w['detail'] for w in v['ways'] if w['way'] == 'names by 10.77.0.9']")" != \
		"['it answers']" ]
	[ -s "$BATS_TEST_TMPDIR/names" ]
}

# as_long_as COMMAND...: how many milliseconds it takes.
as_long_as()
{
	local from=${EPOCHREALTIME/./}

	"$@"
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
}

@test "resolvers that are silent cost one wait, and a person is told" {
	client subu -q WG set WG_0 dns 10.77.0.7,10.77.0.8,10.77.0.9
	up
	as_long_as doctor 0
	((took < 4000)) || complain "$took ms"
	[ -z "$stderr" ]
	try script -qec 'subu doctor subu_0 >/dev/null' /dev/null
	[[ $output == *'subu: trying the ways out, '*$'\r\e[K'* ]] || complain "no progress"
	try script -qec 'subu --quiet doctor subu_0' /dev/null
	[ -z "$output" ] || complain "it is not quiet"
}

# stop_probe SIGNAL: a command inside sends it to the probe as soon as there is one.
stop_probe()
{
	client subu exec subu_1 -- bash -c '
		until pkill "-$1" -u nobody -x subu; do sleep 0.05; done' - "$1" &
	soon client pgrep -u nobody -x bash
}

another_user()
{
	client subu -q remove subu_0
	client subu -q create bob web --user nobody
	client subu -q option set subu_1 backend engine
	client subu -q WG set WG_0 dns 10.77.0.9
	client subu -q attach WG subu_1 WG_0
	client subu -q network up subu_1
}

@test "a probe that is stopped by a command inside keeps nobody waiting, and is ended" {
	local doctor

	another_user
	stop_probe STOP
	client subu --json doctor subu_1 >"$BATS_TEST_TMPDIR/answer" 2>/dev/null &
	doctor=$!
	soon probe_is T
	as_long_as client timeout 10 subu -q option set subu_1 default-route on
	((took < 5000)) || { echo "$took ms"; return 1; }
	wait "$doctor" && return 1
	output=$(<"$BATS_TEST_TMPDIR/answer")
	shows 'what is not listed here' 'not tried'
	[ "$(json "v['ways'][0]['result']")" = 'not tried' ]
	[ "$(json "any('within 30 seconds' in f['finding'] for f in v['findings'])")" = True ]
	[ "$(json "'its account' in [w['way'] for w in v['ways']]")" = False ]
	[ -z "$(client pgrep -u nobody -x subu)" ]
}

# probe_is STATE
probe_is()
{
	[[ $(client ps -u nobody -o stat=,comm=) == "$1"*subu* ]]
}

@test "a probe that is killed by a command inside is a finding" {
	another_user
	stop_probe KILL
	try subu --json doctor subu_1
	[ "$status" -eq 1 ]
	shows 'what is not listed here' 'not tried'
	[ "$(json "any('signal 9' in f['finding'] for f in v['findings'])")" = True ]
}

@test "a stopped probe ends with who waits for it" {
	another_user
	stop_probe STOP
	client subu --json doctor subu_1 >/dev/null 2>&1 &
	soon probe_is T
	client pkill -TERM -u root -f '^subu --json doctor'
	soon probe_is_gone
}

probe_is_gone()
{
	[ -z "$(client pgrep -u nobody -x subu)" ]
}

@test "a service within reach is noted, and is no finding; covered ones are out of reach" {
	up
	private_run
	client mkdir -p /run/dbus /run/nscd
	for path in /run/dbus/system_bus_socket /run/nscd/socket; do
		client python3 -c 'import socket, sys, time
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
time.sleep(60)' "$path" 3>&- &
		soon client test -S "$path"
	done
	client chmod 666 /run/dbus/system_bus_socket
	doctor 0
	shows "the system\\'s D-Bus" note
	shows 'names by nscd' stopped rights
}

@test "a sub-user that ought to be steered and is not gets no probe, but findings" {
	up
	client rm /sys/fs/bpf/subu/subu_0/egress
	doctor 1
	[ "$(json "v['ways']")" = '[]' ]
	[ "$(json "any('cannot be tried' in f['finding'] for f in v['findings'])")" = True ]
	client subu -q reconcile
	doctor 0
}
