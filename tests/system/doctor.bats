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
	[ "$(json "{w['result'] for w in v['ways']} <= {'stopped', 'by the tunnel', 'note'}")" = True ]
	for way in UDP UDP-Lite TCP MPTCP ping 'UDP, IPv4 in an IPv6 socket' 'UDP to a multicast group'; do
		shows "$way" 'by the tunnel' namespace steering
	done
	shows 'UDP over IPv6' stopped namespace steering
	shows 'unbinding a socket' stopped steering
	shows 'another interface' stopped namespace
	for way in 'a raw socket' 'a packet socket' 'vsock, to the hypervisor' io_uring \
		"names by the kernel\\'s request-key" \
		'leaving the control group' "removing the programs\\' pins" \
		"entering the machine\\'s namespace"; do
		shows "$way" stopped rights
	done
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
	shows 'a socket bound to lan0' stopped steering
	shows 'a packet by lan0' stopped steering
	[ "$(json "[f['finding'] for f in v['findings'] if 'lan' not in f['finding']]")" = '[]' ]
	[ "$(json "{w['result'] for w in v['ways']} <= {'stopped', 'by the tunnel', 'note'}")" = True ]
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
		'a packet by lan0'; do
		shows "$way" open
		[ "$(json "any('could leak: $way: ' in f['finding'] for f in v['findings'])")" = True ]
	done
	[ "$(json "any('not steered' in f['finding'] for f in v['findings'])")" = True ]
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
