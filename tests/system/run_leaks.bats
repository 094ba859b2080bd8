# run, from outside: a command does all it can to be seen, and nothing is but WireGuard.
#
#	 client                                            server
#	+----------------------------------------+        +------------------------------------+
#	| resolv.conf: nameserver 192.0.2.1      |        |                                    |
#	| nscd, resolved (fakes that take notes) |        |                                    |
#	|   +----------------------------------+ |        |                                    |
#	|   | subu_0 10.77.0.2, fd77::2  ======|=|========|== wg0 10.77.0.1 (a page, names)    |
#	|   |   $ command                      | |        |                                    |
#	|   +----------------------------------+ |        |                                    |
#	|  lo, up0 192.0.2.2, 2001:db8::2 -------|--------|- up0 192.0.2.1 (names), 2001:db8::1|
#	+----------------------------------------+        +------------------------------------+
#	    captured
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
	private_run
	echo 'nameserver 192.0.2.1' | client tee /etc/resolv.conf >/dev/null
	notes=$BATS_FILE_TMPDIR/notes
	touch "$notes"
	for address in 192.0.2.1 10.77.0.1; do
		server "$BATS_TEST_DIRNAME/name_server" "$address" 10.99.9.9 "$BATS_FILE_TMPDIR/$address" &
	done
	client ip route add 224.0.0.0/4 dev up0
	fakes &
	soon client test -S /run/nscd/socket -a -S /run/systemd/resolve/io.systemd.Resolve
	export SUBU anchor unshared group hierarchy server_key user home runtime notes
}

teardown_file()
{
	machines_end
}

setup()
{
	caller=as_user environment=()
	rm -f "$BATS_FILE_TMPDIR"/*.*.*.* # what the name servers were asked
	: >"$notes"
	as_user sh -c 'rm -rf $HOME/*.*'
	conf vpn.conf 2
	capture_start
}

teardown()
{
	client pkill -x tcpdump
	as_user pkill -KILL -x subu || true
}

# private_run: the client gets a /run that the test may change.
private_run()
{
	local folder

	for folder in netns subu wireguard; do
		client mkdir -p "/mnt/run/$folder"
		client mount --rbind "/run/$folder" "/mnt/run/$folder"
	done
	client mkdir -p /mnt/run/nscd /mnt/run/systemd/resolve
	client mount --rbind /mnt/run /run
}

# fakes: services that answer nobody, and note that they were asked.
fakes()
{
	client python3 - "$notes" <<-'END'
		import os, select, socket, sys
		HOSTS = 4, 5, 6, 7, 14 # request_type of glibc's nscd-client.h
		paths = '/run/nscd/socket', '/run/systemd/resolve/io.systemd.Resolve', '\0outside'
		servers = {}
		for path in paths:
		    server = socket.socket(socket.AF_UNIX)
		    server.bind(path)
		    server.listen()
		    servers[server] = path
		    if path[0] == '/':
		        os.chmod(path, 0o666)
		while True:
		    for server in select.select(servers, [], [])[0]:
		        caller = server.accept()[0]
		        asked = b''
		        if 'nscd' in servers[server]:
		            asked = caller.recv(512)
		        caller.close()
		        # Of nscd's questions those for hosts; the machine's own tools ask for users.
		        if asked and asked[4] not in HOSTS:
		            continue
		        with open(sys.argv[1], 'a') as notes:
		            print(servers[server].replace('\0', '@'), asked[12:], file=notes)
	END
}

# asked ADDRESS: what the name server there was asked for.
asked()
{
	sort -u "$BATS_FILE_TMPDIR/$1" 2>/dev/null
}

# unnoticed: neither a service of the machine nor its name server has heard of it.
unnoticed()
{
	! grep . "$notes" || complain "a service was asked"
	[ -z "$(asked 192.0.2.1)" ] || complain "the name server outside was asked"
	only_wireguard
}

# all_ways: what a command may try to be heard by the machine's network, in both families.
all_ways='for to in 192.0.2.1 8.8.8.8 127.0.0.53 224.0.0.251 255.255.255.255 2001:db8::1 2001:4860::8888 ff02::fb; do
		for port in 53 80 5353; do
			timeout 0.2 bash -c "echo hello >/dev/udp/$to/$port"
		done
		timeout 0.2 bash -c "echo hello >/dev/tcp/$to/53"
		timeout 0.3 ping -q -c 1 $to
	done
	ping -q -c 1 -W 1 -I up0 192.0.2.1
	ping -q -c 1 -W 1 ff02::1%up0
	curl -s --max-time 1 --interface 192.0.2.2 http://192.0.2.1/
	curl -s --max-time 1 --interface up0 http://192.0.2.1/'

@test "outside, all this is seen" {
	as_user bash -c "($all_ways) >/dev/null 2>&1; getent hosts some.test" || true
	for kind in 'udp port 53 and ip' 'udp and ip6' 'tcp and ip' 'tcp and ip6' icmp \
		'icmp6 and ip6[40] = 128' 'host 224.0.0.251' 'host 127.0.0.53'; do
		captured "$kind" | grep . >/dev/null || complain "not seen: $kind"
	done
	[ "$(asked 192.0.2.1)" = some.test ]
	grep -q '^/run/nscd.*some.test' "$notes"
	run only_wireguard
	[ "$status" -ne 0 ]
}

@test "from inside nothing of it, whichever way" {
	try subu run --config vpn.conf bash -c "($all_ways) >/dev/null 2>&1"
	unnoticed
	server wg show wg0 transfer | awk '$2 > 1000 { heard = 1 } END { exit !heard }'
}

@test "from inside nothing of it, by an endpoint of IPv6" {
	conf vpn.conf 2 '[2001:db8::1]:51820'
	try subu run --config vpn.conf bash -c "($all_ways) >/dev/null 2>&1"
	unnoticed
	captured 'udp port 51820 and ip6' | grep -q .
	[ -z "$(captured 'udp port 51820 and ip')" ]
}

@test "names are asked of DNS=, through the tunnel" {
	done_by subu run --config vpn.conf getent hosts inside.test
	[[ $output == '10.99.9.9 '*inside.test ]]
	[ "$(asked 10.77.0.1)" = inside.test ]
	unnoticed
}

@test "search domains are the profile's" {
	conf vpn.conf 2 '' 'DNS = 10.77.0.1, corp.test'
	done_by subu run --config vpn.conf getent hosts host
	[[ $output == '10.99.9.9 '* ]]
	[[ $(asked 10.77.0.1) == *host.corp.test* ]]
	unnoticed
}

@test "without DNS= no name is asked of anybody, and one line says so" {
	conf vpn.conf 2 '' 'MTU = 1420'
	try subu run --config vpn.conf getent hosts inside.test
	[ "$status" -eq 2 ] || complain "a name was found"
	[ "$stderr" = 'subu: the .conf names no DNS server: no names are resolved inside' ] ||
		complain "another line"
	done_by subu -q run --config vpn.conf sh -c 'getent ahosts localhost; ping -q -c 1 10.77.0.1'
	[ -z "$(asked 10.77.0.1)" ]
	unnoticed
}

@test "abstract sockets of the machine are out of reach, paths are not" {
	local connect='import socket, sys
socket.socket(socket.AF_UNIX).connect(sys.argv[1].replace("@", "\0"))'

	done_by /usr/bin/python3 -c "$connect" @outside
	grep -q ^@outside "$notes"
	try subu run --config vpn.conf /usr/bin/python3 -c "$connect" @outside
	[[ $status -ne 0 && $stderr == *ConnectionRefused* ]] || complain "reached"
	: >"$notes"
	as_user sh -c '/usr/bin/python3 -c "
import socket
server = socket.socket(socket.AF_UNIX)
server.bind(\"path.socket\")
server.listen()
server.accept()[0].send(b\"by path\")" & while ! [ -S path.socket ]; do sleep 0.05; done
		subu run --config vpn.conf /usr/bin/python3 -c "
import socket
client = socket.socket(socket.AF_UNIX)
client.connect(\"path.socket\")
print(client.recv(9).decode())" >said; wait'
	[ "$(client cat "$home/said")" = 'by path' ]
}

@test "a socket of the machine's as a standard descriptor is refused, a UNIX one is not" {
	local descriptor

	for descriptor in 0 1 2; do
		try bash -c "exec 9<>/dev/udp/192.0.2.1/9; subu run --config vpn.conf true $descriptor<&9"
		[ "$status" -eq 125 ] || complain "taken as $descriptor"
		[ "$descriptor" -eq 2 ] || one_sentence 'is a socket of the network outside'
	done
	done_by /usr/bin/python3 -c '
import socket, subprocess
ours, its = socket.socketpair()
subprocess.run(["subu", "run", "--config", "vpn.conf", "echo", "hello"], stdout=its, check=True)
print(ours.recv(9).decode(), end="")'
	[ "$output" = hello ]
}

@test "when the engine is killed the command is told, has no network, and nothing leaves" {
	as_user subu run --config vpn.conf bash -c 'ping -q -c 1 10.77.0.1 >/dev/null && touch in.run
		while [ -e /sys/class/net/subu_0 ]; do sleep 0.05; done
		echo >gone.run; while ! [ -e go.run ]; do sleep 0.05; done
		'"($all_ways)"' >/dev/null 2>&1; ls /sys/class/net' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" &
	soon client test -e "$home/in.run"
	client kill -KILL "$(part engine)"
	soon client test -e "$home/gone.run"
	only_wireguard
	as_user touch go.run
	wait $!
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = lo ]
	[[ $(cat "$BATS_TEST_TMPDIR/err") == 'subu: warning: the tunnel has ended, and the command has no network now: '*'killed by signal 9'* ]]
	unnoticed
}
