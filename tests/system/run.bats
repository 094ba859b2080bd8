# run: one command behind one tunnel, by a user who is not root and has no more than a .conf.
#
#	 client                                             server
#	+-----------------------------------------+        +---------------------------+
#	| $ subu run            (uid of the user) |        |                           |
#	|   +-----------------------------------+ |        |                           |
#	|   | lo                                | |        |                           |
#	|   | subu_0 10.77.0.N, fd77::N  =======|=|========|== wg0 10.77.0.1 (a page)  |
#	|   |   $ command                       | |        |       fd77::1   (the same)|
#	|   +-----------------------------------+ |        |                           |
#	|  up0 192.0.2.2, 2001:db8::2 ------------|--------|- up0 192.0.2.1, 2001:db8::1
#	+-----------------------------------------+        +---------------------------+
#
# One pair of machines serves all tests; each must leave the client as it was.
#
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # $1 is another shell's; lib.bash has names
load lib

setup_file()
{
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	machines
	server_start
	user_start
	export SUBU anchor unshared group hierarchy server_key user home runtime
}

teardown_file()
{
	machines_end
}

setup()
{
	caller=as_user environment=()
	as_user sh -c 'rm -rf $HOME/* $HOME/.config; mkdir -p -m 700 $HOME/run/subu; : >$HOME/run/subu/lock'
	conf vpn.conf 2
	before=$(everything)
}

teardown()
{
	unchanged
}

everything()
{
	snapshot
	client find "$home/run" | sort
}

# says TEXT OPTION-OR-COMMAND...: what subu run prints, with vpn.conf.
says()
{
	done_by subu run --config vpn.conf "${@:2}"
	[ "$output" = "$1" ] || complain "not: $1"
}

# ends STATUS COMMAND...: its status.
ends()
{
	try subu run --config vpn.conf -- "${@:2}"
	[ "$status" -eq "$1" ] || complain "not $1: ${*:2}"
}

# forbidden TEXT COMMAND...: it fails with TEXT, as the user and as root inside.
forbidden()
{
	local root

	for root in '' --root; do
		try subu run $root --config vpn.conf -- "${@:2}"
		[ "$status" -ne 0 ] || complain "allowed${root:+ with $root}: ${*:2}"
		[[ $output$stderr == *"$1"* ]] || complain "not: $1"
	done
}

# fetch URL...: the page, from inside.
fetch()
{
	says 'Hello from the other end of the tunnel.' curl -sS --max-time 10 "$@"
}

# --- a session

@test "from nothing but a .conf to a page in one line" {
	as_user rm -r run/subu
	fetch http://10.77.0.1/
	fetch 'http://[fd77::1]/'
}

@test "it is who the caller is, and so are its files" {
	says walker whoami
	says "$user:$user:$user" sh -c 'echo $(id -u):$(id -g):$(id -G)'
	says "$user" sh -c 'touch new && stat -c %u new'
	[ "$(client stat -c %u:%g "$home/new")" = "$user:$user" ]
}

@test "with --root it believes that it is root, and its files are the caller's" {
	says root --root whoami
	says 0:0:0 --root -- sh -c 'echo $(id -u):$(id -g):$(id -G)'
	says 0 --root -- sh -c 'touch new && stat -c %u new'
	[ "$(client stat -c %u:%g "$home/new")" = "$user:$user" ]
	client install -m 600 /dev/null /mnt/of-root
	forbidden 'Permission denied' cat /mnt/of-root
	forbidden 'Operation not permitted' chmod 777 /mnt/of-root
}

@test "folder, environment, umask and words come through" {
	as_user mkdir -p 'some folder'
	done_by sh -c 'cd "some folder" && umask 027 && COLOUR=red subu run --config ../vpn.conf -- \
		sh -c "pwd; umask; echo \$COLOUR; touch new; stat -c %a new"'
	[ "$output" = "$home/some folder"$'\n0027\nred\n640' ]
	says $'<a b><><--json><--><--root><\n>' printf '<%s>' 'a b' '' --json -- --root $'\n'
	done_by sh -c 'cd /sys && subu run --config ~/vpn.conf pwd'
	[ "$output" = /sys ]
}

@test "input and output go through pipes, whole" {
	done_by sh -c 'echo word | subu run --config vpn.conf cat | tr a-z A-Z'
	[ "$output" = WORD ]
	done_by sh -c 'head -c 3000000 /dev/zero | subu run --config vpn.conf cat | wc -c'
	[ "$output" = 3000000 ]
	try subu run --config vpn.conf -- sh -c 'echo out; echo err >&2'
	[ "$output:$stderr" = out:err ]
}

@test "the status is the command's own, or 128 and the signal" {
	local signal

	ends 0 true
	ends 1 false
	ends 255 sh -c 'exit 255'
	for signal in 1 2 9 11 15; do
		ends $((128 + signal)) sh -c "kill -$signal \$\$"
	done
}

@test "125 when subu fails, 126 when it cannot be run, 127 when it is not there" {
	fails 125 "usage: subu run [--profile NAME | --config FILE]" subu run --root
	fails 125 "run has no option '-x'" subu run -x true
	fails 125 "a profile and a file at once" subu run --config vpn.conf --profile vpn true
	fails 125 "nosuch.conf" subu run --config nosuch.conf true
	fails 126 "cannot run '/etc/passwd': Permission denied" subu run --config vpn.conf /etc/passwd
	fails 126 "cannot run '/etc'" subu run --config vpn.conf /etc
	fails 127 "cannot run 'no-such-command': no such command in PATH" \
		subu run --config vpn.conf no-such-command
	fails 127 "cannot run '/no/such': no such file" subu run --config vpn.conf -- /no/such
}

@test "a signal to subu reaches the command" {
	done_by sh -c 'setsid subu run --config vpn.conf -- sh -c "trap \"echo trapped; exit\" USR1
			touch ready; while :; do sleep 0.1; done" &
		while ! [ -e ready ]; do sleep 0.05; done; kill -USR1 $!; wait $!'
	[ "$output" = trapped ]
}

# --- what the command leaves behind

@test "what it leaves running is told to end, and killed when it does not" {
	local began=$SECONDS

	says left sh -c '(trap "echo told >told; exit" TERM; echo >a; while :; do sleep 0.05; done) >/dev/null 2>&1 &
		(trap "" TERM; echo >b; while :; do sleep 0.05; done) >/dev/null 2>&1 &
		while ! [ -e a -a -e b ]; do sleep 0.02; done; echo left'
	[ "$(client cat "$home/told")" = told ]
	((SECONDS - began < 8))
}

@test "with --linger it goes on, and the tunnel as long as it does" {
	says left --linger -- sh -c 'setsid sh -c "while ! [ -e stop ]; do sleep 0.1; done
		curl -sS http://10.77.0.1/ >page" </dev/null >/dev/null 2>&1 & echo left'
	done_by subu --json status
	[ "$(json '[(t["state"], t["inside"] > 0) for t in v]')" = "[('up', True)]" ]
	as_user touch stop
	soon as_user grep -q Hello page
	soon unchanged
}

# --- what it has, and has not

@test "it has no capability, can gain none, and has three descriptors" {
	local root

	exec {extra}</etc/passwd
	for root in '' --root; do
		done_by subu run $root --config vpn.conf grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
		[ "$(awk '{ print $2 }' <<<"$output" | uniq)" = $'0000000000000000\n1\n2' ] || complain "rights"
		says $'0\n1\n2' $root -- sh -c 'ls /proc/$$/fd; true'
	done
	exec {extra}<&-
}

@test "it sees lo and the tunnel, and no other network" {
	says $'lo\nsubu_0' ls /sys/class/net
	done_by subu run --config vpn.conf ip -br link
	[ "$(awk '{ print $1 }' <<<"$output" | xargs)" = 'lo subu_0' ]
	done_by subu run --config vpn.conf ip -br address
	[ "$(awk '{ $2 = ""; print }' <<<"$output" | xargs)" = \
		'lo 127.0.0.1/8 ::1/128 subu_0 10.77.0.2/32 fd77::2/128' ] || complain "other addresses"
	done_by sh -c 'cd /sys/class && subu run --config ~/vpn.conf ls net'
	[ "$output" = $'lo\nsubu_0' ] || complain "the machine's, by the current folder"
}

@test "it cannot change the tunnel's network" {
	forbidden 'not permitted' ip link set subu_0 mtu 1300
	forbidden 'not permitted' ip link set lo down
	forbidden 'not permitted' ip link add more type dummy
	forbidden 'not permitted' ip address add 10.9.9.9/32 dev subu_0
	forbidden 'not permitted' ip route del default
	forbidden 'not permitted' ip route add 10.8.0.0/16 dev lo
	forbidden 'not permitted' ip -6 rule add prio 5 lookup local
	forbidden 'not permitted' /usr/sbin/nft flush ruleset
	forbidden 'ermission denied' sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	forbidden 'not permitted' ip tuntap add dev other mode tun
}

@test "a user namespace of its own gives it no power over the tunnel's" {
	local inside

	for inside in 'ip link set lo down' 'ip route del default' '/usr/sbin/sysctl -w net.ipv4.ip_forward=1'; do
		ends 2 unshare -Ur sh -c "id -u >&2; $inside; exit 2"
		[[ $stderr == 0$'\n'*@(not permitted|permission denied)* ]] || complain "allowed: $inside"
	done
	for inside in /run/subu /etc/resolv.conf; do
		ends 32 unshare -Urm umount "$inside"
	done
}

@test "it may have process namespaces and user namespaces of its own" {
	says 1 unshare -Urpf --mount-proc sh -c 'ls /proc | grep -c "^1$"'
}

@test "it finds none of our processes, and enters none" {
	says '1 2' sh -c 'ls /proc | grep "^[0-9]*$" | sort -n | head -n 2 | xargs'
	forbidden 'not permitted' nsenter --net=/proc/self/ns/net true
	forbidden 'ermi' nsenter --target 1 --net true
	forbidden 'not permitted' strace -qq -p 1
	forbidden 'ermission denied' cat /proc/1/environ
	says alive sh -c 'kill -KILL 1; sleep 0.1; echo alive'
}

@test "a current folder in /proc is that of its own processes" {
	local script='ls -d [0-9]* | sort -n | head -n 2 | xargs'

	done_by sh -c "cd /proc && subu run --config ~/vpn.conf sh -c '$script'"
	[ "$output" = '1 2' ] || complain "the processes outside"
	done_by sh -c 'cd /proc/sys/net && subu run --config ~/vpn.conf -- sh -c "pwd; ls -d ipv4"'
	[ "$output" = $'/proc/sys/net\nipv4' ]
}

@test "it does not see the folders with the keys" {
	as_user subu -q profile import vpn.conf
	says "" --config vpn.conf -- find "$home/.config/subu" "$runtime" -mindepth 1
	forbidden 'No such file' cat "$home/.config/subu/profiles/vpn.conf"
	forbidden 'Read-only' touch "$runtime/more"
	for folder in "$home/.config/subu/profiles" "$runtime"; do
		done_by sh -c "cd $folder && subu run --config ~/vpn.conf ls . .."
		[[ $output != *.conf* && $output != *run@* && $output != *lock* ]] || complain "from $folder"
	done
}

# --- other tunnels

@test "an endpoint of IPv6 alone" {
	conf vpn.conf 3 '[2001:db8::1]:51820'
	fetch http://10.77.0.1/
	[[ $(server wg show wg0 endpoints) == *'[2001:db8::2]'* ]]
}

@test "several servers, each for its own networks" {
	server wireguard-go wg1 >/dev/null 2>&1
	(umask 077 && wg genkey >"$BATS_TEST_TMPDIR/other.key")
	server wg set wg1 listen-port 51821 private-key "$BATS_TEST_TMPDIR/other.key" \
		peer "$(as_user sed -n 's/PrivateKey = //p' vpn.conf | wg pubkey)" allowed-ips 10.77.0.2/32
	server ip address add 10.78.0.1/24 dev wg1
	server ip link set wg1 up
	server ip rule add from 10.78.0.1 lookup 78
	server ip route add default dev wg1 table 78
	as_user sed -i 's|^AllowedIPs.*|AllowedIPs = 10.77.0.0/24|' vpn.conf
	as_user tee -a vpn.conf >/dev/null <<-END
		[Peer]
		PublicKey = $(wg pubkey <"$BATS_TEST_TMPDIR/other.key")
		AllowedIPs = 10.78.0.0/24
		Endpoint = 192.0.2.1:51821
	END
	fetch http://10.77.0.1/
	done_by subu run --config vpn.conf ping -q -c 1 -W 5 10.78.0.1
	server ip link del wg1
}

@test "MTU and Table = off" {
	says 1420 cat /sys/class/net/subu_0/mtu
	conf vpn.conf 4 '' 'MTU = 1300' 'DNS = 10.77.0.1' 'Table = off'
	says 1300 cat /sys/class/net/subu_0/mtu
	says "" ip route
	ends 7 curl -s --max-time 5 http://10.77.0.1/
}

@test "two tunnels at once" {
	conf one.conf 5
	conf two.conf 6
	as_user sh -c 'for name in one two; do
			subu run --config $name.conf -- sh -c "touch $name.in
				while ! [ -e one.in -a -e two.in ]; do sleep 0.05; done
				ip -br -4 address show dev subu_0; curl -sS http://10.77.0.1/" >$name.out 2>&1 &
		done; wait'
	[[ $(client cat "$home/one.out") == *' 10.77.0.5/32 '*Hello* ]]
	[[ $(client cat "$home/two.out") == *' 10.77.0.6/32 '*Hello* ]]
}

@test "the command begins when the tunnel is up, and not when it does not come up" {
	conf held.conf 7 '' 'ListenPort = 40002' 'DNS = 10.77.0.1'
	conf vpn.conf 8 '' 'ListenPort = 40002' 'DNS = 10.77.0.1'
	as_user subu run --config held.conf sh -c 'touch held; sleep 50' &
	soon client test -e "$home/held"
	for _ in 1 2 3 4 5; do
		fails 125 "port 40002 of ListenPort is in use on this machine" \
			subu run --config vpn.conf touch ran
		client test ! -e "$home/ran" || complain "it has begun"
	done
	client pkill -U "$user" -x sleep
	wait
	conf vpn.conf 8
	for _ in 1 2 3 4 5; do
		done_by subu run --config vpn.conf ip -6 route get 2001:db8::99
		[[ "$output" == *' dev subu_0 '*' src fd77::8 '* ]] || complain "it is not up"
	done
}

# injected CALL FAULT STATUS TEXT [TIMES]: a start in which a system call has the fault (strace).
injected()
{
	for _ in $(seq "${5:-1}"); do
		fails "$3" "$4" env ASAN_OPTIONS=detect_leaks=0 \
			timeout 20 strace -f -b execve -qq -o /dev/null -e trace="$1" \
			-e inject="$1:$2" subu run --config vpn.conf touch ran
	done
	client test ! -e "$home/ran" || complain "it has begun"
	soon no_process_left
}

no_process_left()
{
	client sh -c '! pgrep -x subu >/dev/null'
}

# Nobody but the engine asks for epoll, or accepts.
@test "an engine that fails says why, not those who miss it" {
	injected epoll_create1 error=EMFILE 125 'cannot wait for packets: Too many open files' 8
	injected accept4 signal=KILL:when=1 125 'the engine of subu_0 was killed by signal 9' 4
	injected accept4 signal=KILL:when=2 125 'the engine of subu_0 was killed by signal 9' 4
}

@test "a start that fails ends whole, with one sentence" {
	injected pidfd_open error=EPERM 125 'Operation not permitted' 4
	injected seccomp error=ENOMEM:when=1 125 'cannot filter system calls: Cannot allocate memory' 4
}

# A tunnel that lingers has the number of a process that has gone: it may come again.
@test "a number that a tunnel has already is no hindrance" {
	as_user subu run --linger --config vpn.conf -- sh -c 'sleep 20 >/dev/null 2>&1 &'
	conf other.conf 8
	client tee /mnt/again.py >/dev/null <<-'END'
		import glob, os, sys
		wanted = int(glob.glob(sys.argv[1] + "/run@*")[0].split("@")[1])
		while True:
		    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
		        last.write(str(wanted - 1))
		    child = os.fork()
		    if child == 0 and os.getpid() != wanted:
		        os._exit(0)
		    if child == 0:
		        os.execvp(sys.argv[2], sys.argv[2:])
		    status = os.waitpid(child, 0)[1]
		    if child == wanted:
		        sys.exit(os.waitstatus_to_exitcode(status))
	END
	run --separate-stderr client timeout 20 python3 /mnt/again.py "$runtime" \
		env -i --chdir "$home" HOME="$home" XDG_RUNTIME_DIR="$home/run" PATH=/mnt/bin:/usr/bin \
		setpriv --reuid "$user" --regid "$user" --clear-groups -- \
		subu run --config other.conf echo inside
	[ "$status$output$stderr" = 0inside ] || complain "it does not begin"
	client pkill -U "$user" -x sleep
	soon no_process_left
}

@test "without another process namespace it says which limit there is" {
	fails 125 'a limit user.max_pid_namespaces is reached' \
		unshare --user --map-current-user --keep-caps \
		sh -c 'echo 0 >/proc/sys/user/max_pid_namespaces
			exec setpriv --ambient-caps=-all --inh-caps=-all subu run --config vpn.conf true'
}

# stopped_at_starts ROUNDS: stops the group of a starting subu at any moment, and continues subu alone.
stopped_at_starts()
{
	client tee /mnt/stopped.py >/dev/null <<-'END'
		import os, random, signal, subprocess, sys, time
		for i in range(int(sys.argv[1])):
		    subu = subprocess.Popen(["subu", "run", "--config", "vpn.conf", "true"],
		                            preexec_fn=os.setpgrp)
		    time.sleep(random.uniform(0, 0.012))
		    os.killpg(subu.pid, signal.SIGTSTP)
		    time.sleep(0.05)
		    subu.send_signal(signal.SIGCONT)
		    try:
		        if subu.wait(10) != 0:
		            sys.exit("round %d: status %d" % (i, subu.returncode))
		    except subprocess.TimeoutExpired:
		        os.killpg(subu.pid, signal.SIGKILL)
		        sys.exit("round %d: it stays stopped" % i)
	END
	as_user python3 /mnt/stopped.py "$1"
}

@test "a start that is stopped goes on when subu alone is continued" {
	stopped_at_starts 40
}

@test "twenty commands at once in one tunnel that is up" {
	as_user subu -q profile import vpn.conf
	done_by subu up vpn
	as_user sh -c 'for i in $(seq 20); do
			subu run --profile vpn curl -sS --max-time 20 http://10.77.0.1/ >$i.out 2>&1 &
		done; wait'
	[ "$(client sh -c "cat $home/*.out" | sort | uniq -c | xargs)" = \
		'20 Hello from the other end of the tunnel.' ]
	done_by subu down vpn
}

# --- what is refused

@test "what only root may have, or another has, is refused" {
	conf vpn.conf 7 '' 'FwMark = 5'
	fails 125 "FwMark asks for packets that only root may mark" subu run --config vpn.conf true
	conf vpn.conf 7 '' 'ListenPort = 40001' 'DNS = 10.77.0.1'
	conf other.conf 8 '' 'ListenPort = 40001' 'DNS = 10.77.0.1'
	fetch http://10.77.0.1/
	try sh -c 'subu run --config vpn.conf -- sh -c "touch in; while ! [ -e stop ]; do sleep 0.05; done" &
		while ! [ -e in ]; do sleep 0.05; done; subu run --config other.conf true
		status=$?; touch stop; wait; exit $status'
	[ "$status" -eq 125 ] || complain "not 125"
	one_sentence "port 40001 of ListenPort is in use on this machine: take the line away"
}

@test "a broken .conf is refused with its line" {
	as_user sed -i 's/^Address.*/Address = 10.77.0.300/' vpn.conf
	fails 125 "vpn.conf:3:" subu run --config vpn.conf true
	as_user sh -c ': >vpn.conf'
	fails 125 "vpn.conf" subu run --config vpn.conf true
}

@test "a .conf that nothing could pass through is refused" {
	local own

	own=$(client sed -n 's/^PrivateKey = //p' "$home/vpn.conf" | wg pubkey)
	as_user sed -i "s|^PublicKey.*|PublicKey = $own|" vpn.conf
	for _ in 1 2 3; do
		fails 125 "the public key of a peer is the tunnel's own" \
			subu run --config vpn.conf touch ran
	done
	fails 125 "the public key of a peer is the tunnel's own" \
		subu -n run --config vpn.conf touch ran
	as_user sh -c 'sed -n "/^\[Peer/,\$p" vpn.conf >peer; cat peer >>vpn.conf'
	fails 125 "vpn.conf:10: PublicKey: this peer has a [Peer] section already" \
		timeout 10 subu run --config vpn.conf touch ran
	conf vpn.conf 2
	as_user sed -i '/^Address/d' vpn.conf
	fails 125 "vpn.conf: [Interface] has no Address" subu run --config vpn.conf touch ran
	fails 125 "vpn.conf: [Interface] has no Address" subu -n run --config vpn.conf touch ran
	client test ! -e "$home/ran" || complain "it has begun"
	fails 0 "no tunnel is up" subu status
}

@test "without words for the tunnel it is the only profile" {
	fails 125 "through which tunnel? --config FILE names a WireGuard .conf" subu run true
	fails 125 "there is no profile nosuch" subu run --profile nosuch true
	as_user subu -q profile import vpn.conf
	done_by subu run true
	as_user subu -q profile import vpn.conf other
	fails 125 "through which tunnel? there are 2 profiles" subu run true
}

@test "--dry-run says what would be done, and does nothing" {
	done_by subu --dry-run run --config vpn.conf touch new
	[[ $output == *subu_0* ]] || complain "no plan"
	[ -z "$(client find "$home/new" 2>/dev/null)" ]
}
