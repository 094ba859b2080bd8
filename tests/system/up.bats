# up, down, status: tunnels that stay, and how they hold on to their server.
#
#	 client                                       server
#	+-----------------------------------+        +---------------------------+
#	| subu up vpn                       |        |                           |
#	|   lo, subu_0 10.77.0.2  ==========|========|== wg0 10.77.0.1 (a page)  |
#	| subu run --profile vpn ...        |        |                           |
#	|  up0 192.0.2.2, later 192.0.2.22 -|--------|- up0 192.0.2.1            |
#	+-----------------------------------+        +---------------------------+
#
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # $1 is another shell's; lib.bash has names
load lib

setup_file()
{
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	machines
	server_start
	user_start
	private_etc
	export SUBU anchor unshared group hierarchy server_key user home runtime
}

teardown_file()
{
	machines_end
}

setup()
{
	caller=as_user environment=()
	as_user sh -c 'rm -rf $HOME/*.* $HOME/.config'
	profile vpn 2
	before=$(everything)
}

teardown()
{
	client pkill -KILL -U "$user" || true
}

everything()
{
	client sh -c "pgrep -U $user -l; ip -br address; ip rule; ip route show table all; ls $runtime 2>/dev/null | grep -vx lock; true"
}

# profile NAME NUMBER [CONF-WORD...]: one of the user's.
profile()
{
	conf "$1.conf" "${@:2}"
	as_user sh -c "subu -q profile delete $1 2>/dev/null; subu -q profile import $1.conf" >/dev/null
}

# nobody NAME: a profile whose server does not answer.
nobody()
{
	profile "$1" 9 192.0.2.1:9
}

# shown FILTER: of `status vpn`.
shown()
{
	done_by subu --json status vpn
	json "$1"
}

@test "up returns when the server has answered, run joins, down ends it" {
	done_by subu up vpn
	[ "$output" = 'vpn is up' ]
	[ "$(server wg show wg0 latest-handshakes | awk '$2 > 0' | wc -l)" -ge 1 ]
	netns=$(client readlink "/proc/$(part anchor vpn)/ns/net")
	done_by subu run --profile vpn readlink /proc/self/ns/net
	[ "$output" = "$netns" ] || complain "not joined"
	done_by subu run sh -c 'readlink /proc/self/ns/net; curl -sS --max-time 10 http://10.77.0.1/'
	[ "$output" = "$netns"$'\nHello from the other end of the tunnel.' ] || complain "not joined"
	conf other.conf 8
	done_by subu run --config other.conf readlink /proc/self/ns/net
	[ "$output" != "$netns" ] || complain "a file's is joined"
	done_by subu down vpn
	[ "$output" = 'vpn is down' ]
	unchanged
	done_by subu run --profile vpn curl -sS --max-time 10 http://10.77.0.1/
	unchanged
}

@test "what up has asked for while it waited is taken back" {
	done_by subu up vpn
	done_by /usr/bin/python3 -c '
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.send(b"get=1\n\n")
print(client.recv(4096).decode())' "$runtime/vpn/engine.sock"
	[[ $output == *$'\nallowed_ip='* && $output != *persistent_keepalive_interval=25* ]] ||
		complain "a keepalive stays"
	done_by subu down vpn
}

@test "a server that does not answer: one sentence in time, and nothing is left" {
	local began=$SECONDS

	nobody silent
	fails 1 'the tunnel silent is not up: no handshake with the server at 192.0.2.1:9 within 2 s: its address, the keys of both sides, or a firewall' \
		subu up silent --timeout 2
	((SECONDS - began < 5)) || complain "too late"
	unchanged
	fails 2 "'0' is not a number of seconds" subu up silent --timeout 0
	fails 2 "usage: subu up PROFILE" subu up
	fails 1 "there is no profile nosuch" subu up nosuch
	unchanged
}

# mute_name_server: the machine asks one that hears and says nothing, for 20 seconds.
mute_name_server()
{
	client tee /etc/resolv.conf >/dev/null <<<'nameserver 192.0.2.1'
	server python3 -c 'import socket, time
mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mute.bind(("192.0.2.1", 53))
time.sleep(20)' 3>&- &
	soon server sh -c 'ss -Hlun | grep -q 192.0.2.1:53'
}

@test "a name server that does not answer: one sentence in time, and a line on a terminal" {
	local began=$SECONDS

	mute_name_server
	profile named 9 vpn.nowhere.test:9
	fails 1 "the endpoint of the tunnel: cannot resolve 'vpn.nowhere.test': no answer within 2 s" \
		subu up named --timeout 2
	((SECONDS - began < 5)) || complain "too late"
	try sh -c 'script -qec "subu up named --timeout 1" /dev/null </dev/null'
	[[ $output == *'subu: asking where vpn.nowhere.test is ...'*$'\r\e[K''subu: the endpoint'* ]] ||
		complain "no line, or it stays"
	try sh -c 'script -qec "subu -q up named --timeout 1" /dev/null </dev/null'
	[[ $output != *asking* ]] || complain "it is not quiet"
	unchanged
}

@test "the wait shows on a terminal alone, and its line goes" {
	nobody silent
	done_by sh -c 'script -qec "subu up vpn" /dev/null </dev/null'
	[[ $output == *'subu: waiting for the server to answer ...'*$'\r\e[K'*'vpn is up'* ]]
	done_by subu down vpn
	try sh -c 'script -qec "subu up silent --timeout 1" /dev/null </dev/null'
	[[ $output == *'waiting for the server'*$'\r\e[K''subu: the tunnel silent is not up'* ]]
	try sh -c 'script -qec "subu -q up silent --timeout 1" /dev/null </dev/null'
	[[ $output != *waiting* ]]
	unchanged
}

@test "commands of one profile or file share a tunnel, which ends with the last of them" {
	done_by sh -c 'for i in 1 2 3 4 5 6 7 8; do
			subu run --profile vpn curl -sS --max-time 10 http://10.77.0.1/ &
		done; wait'
	[ "$(sort <<<"$output" | uniq -c | xargs)" = '8 Hello from the other end of the tunnel.' ]
	unchanged
	done_by sh -c 'subu run --config vpn.conf sh -c "readlink /proc/self/ns/net; : >in; sleep 0.5" &
		while ! [ -e in ]; do sleep 0.05; done; rm in
		subu --dry-run run --config vpn.conf true
		subu run --config vpn.conf sh -c "readlink /proc/self/ns/net; sleep 1
			curl -sS --max-time 10 http://10.77.0.1/"; wait'
	[[ ${lines[0]} == net:* ]]
	[[ ${lines[1]} == 'would join the tunnel run@'* ]]
	[ "${lines[2]}" = "${lines[0]}" ] || complain "another tunnel"
	[ "${lines[3]}" = 'Hello from the other end of the tunnel.' ]
	unchanged
}

@test "a tunnel with the key of another is warned of, and one in use is not made again" {
	try sh -c 'subu run --config vpn.conf sh -c ": >in; sleep 1" &
		while ! [ -e in ]; do sleep 0.05; done; rm in; subu run --profile vpn true; wait'
	[ "$status" -eq 0 ]
	[[ $stderr == 'subu: warning: the tunnel run@'*', which is up, has the same key: '* ]]
	try sh -c 'subu run --profile vpn sh -c ": >in; sleep 1" &
		while ! [ -e in ]; do sleep 0.05; done; rm in; subu up vpn; status=$?; wait; exit $status'
	[ "$status" -eq 1 ]
	one_sentence 'the tunnel of this configuration is up already, as run@'
	unchanged
}

@test "a tunnel that is up is joined with what it was made of, though its profile has changed" {
	done_by subu up vpn
	as_user sh -c 'sed -i "s/^DNS.*/DNS = 10.77.0.99/" .config/subu/profiles/vpn.conf'
	done_by subu run --profile vpn cat /etc/resolv.conf
	[ "$output" = 'nameserver 10.77.0.1' ]
	as_user subu -q profile delete --yes vpn
	done_by subu run --profile vpn curl -sS --max-time 10 http://10.77.0.1/
	done_by subu down vpn
}

@test "a command in a tunnel that stays ends at once, and its engine holds nothing of others" {
	done_by subu up vpn
	SECONDS=0
	done_by subu run --profile vpn true
	[ "$SECONDS" -lt 3 ] || complain "the end took $SECONDS seconds"
	files=$(client find "/proc/$(part engine vpn)/fd" -lname '*/leash' -o -lname 'net:*')
	[ -z "$files" ] || complain "the engine holds $files"
	done_by subu down vpn
}

@test "a tunnel whose folder is taken away ends" {
	done_by subu up vpn
	as_user rm -r "$runtime/vpn"
	soon no_subu
}

no_subu()
{
	! client pgrep -U "$user" -x subu
}

@test "up of what is up, down of what is not" {
	fails 1 'no tunnel vpn is up' subu down vpn
	fails 1 'no tunnel vpn is up' subu status vpn
	done_by subu up vpn
	fails 1 'the tunnel vpn is up already' subu up vpn
	done_by subu down vpn
	fails 1 'no tunnel vpn is up' subu down vpn
	fails 2 'usage: subu down PROFILE' subu down --force
	unchanged
}

@test "status: a table, a record, JSON, and a line when there is none" {
	try subu status
	[ "$status:$output" = 0: ]
	[[ $stderr == 'subu: no tunnel is up'* ]]
	done_by subu --json status
	[ "$output" = '[]' ]
	profile other 3
	done_by subu up vpn
	done_by subu up other
	as_user subu run --profile vpn sleep 50 &
	soon inside_is 1
	done_by subu status
	[ "$(awk '{ print $1 }' <<<"$output" | xargs)" = 'Tunnel other vpn' ] || complain "the table"
	[[ ${lines[0]} == *State*Endpoint*Handshake*Received*Sent*Inside* ]]
	[[ ${lines[2]} == vpn*up*192.0.2.1:51820*1 ]]
	done_by subu status vpn
	[[ $output == *10.77.0.2/32*"$server_key"*192.0.2.1:51820*sleep* ]] || complain "the record"
	[ "$(shown '(v["state"], v["backend"], v["inside"], v["processes"][0]["command"], v["peers"][0]["received_bytes"] > 0, v["profile"])')" = \
		"('up', 'engine', 1, 'sleep', True, 'vpn')" ] || complain "the JSON"
	done_by subu --json status
	[ "$(json '[t["tunnel"] for t in v]')" = "['other', 'vpn']" ]
	done_by subu down other
	done_by subu down vpn --force
}

# inside_is NUMBER: of processes.
inside_is()
{
	[ "$(shown 'v["inside"]')" = "$1" ]
}

@test "down refuses while a command runs, and ends it with --force" {
	local began

	done_by subu up vpn
	as_user sh -c 'subu run --profile vpn sh -c "trap \"\" TERM; touch in.run; while :; do sleep 0.1; done"
		echo $? >status.run' &
	soon client test -e "$home/in.run"
	fails 1 'inside vpn' subu down vpn
	[[ $stderr == *'end them, or say --force' ]]
	[ "$(shown 'v["state"]')" = up ]
	began=$SECONDS
	done_by subu down vpn --force
	((SECONDS - began < 8))
	wait $!
	[ "$(client cat "$home/status.run")" = 137 ]
	unchanged
}

# --- the network changes

@test "the client's address changes under a transfer, which goes on" {
	local size=60000000

	head -c "$size" /dev/zero >"$BATS_FILE_TMPDIR/page/large"
	done_by subu up vpn
	as_user sh -c 'subu run --profile vpn curl -sS --limit-rate 20M http://10.77.0.1/large | wc -c >size.run' &
	soon received_more_than 5000000
	client ip address del 192.0.2.2/24 dev up0
	client ip address add 192.0.2.22/24 dev up0
	wait $!
	[ "$(client cat "$home/size.run")" = "$size" ] || complain "only $(client cat "$home/size.run")"
	[[ $(server wg show wg0 endpoints) == *192.0.2.22:* ]] || complain "not by the new address"
	client ip address del 192.0.2.22/24 dev up0
	client ip address add 192.0.2.2/24 dev up0
	done_by subu run --profile vpn ping -q -c 3 -W 10 10.77.0.1
	done_by subu down vpn
}

received_more_than()
{
	[ "$(shown 'v["received_bytes"]')" -gt "$1" ]
}

@test "a name whose IPv6 address does not answer: the IPv4 one is tried after 15 seconds" {
	local began=$SECONDS

	printf '2001:db8::dead vpn.test\n192.0.2.1 vpn.test\n' | client tee -a /etc/hosts >/dev/null
	profile named 4 vpn.test:51820
	done_by subu run --profile named ping -q -c 1 -w 40 10.77.0.1
	((SECONDS - began >= 10)) || complain "the dead address was not tried"
	((SECONDS - began < 35))
	unchanged
}
