# What the suites share: two machines, what is seen of them, and how subu is held to what it says.
#
#	 machine "client"                            machine "server"
#	+--------------------------+                +---------------------------+
#	| ns-subu_0                |                |                           |
#	|   subu_0 10.77.0.2 ======|=== WireGuard ==|=== wg0 10.77.0.1 (a page) |
#	|                          |                |                           |
#	|          up0 192.0.2.2 --|---- a cable ---|-- up0 192.0.2.1           |
#	|              2001:db8::2 |                |       2001:db8::1         |
#	+--------------------------+                +---------------------------+
#
# The machines share a mount namespace, with folders of their own at /run/netns, /run/subu and
# /run/wireguard, and a process namespace. Its first process is the anchor: with it all others end,
# and with them every mount and network namespace, however a test ends.
#
# All that runs on them is in one control group, which is the root of the hierarchy that they see,
# with a BPF file system of their own beside it. The group is what machines_end has to take away.
#
# shellcheck disable=SC2154 # bats sets status, output and stderr
bats_require_minimum_version 1.5.0

# anchor_main HIERARCHY: in the first process of the two machines: makes them, says so, and waits
# for orphans.
anchor_main()
{
	local folder

	set -e
	awk '$3 == "cgroup2" { print $2 }' /proc/self/mounts | tac | xargs umount -l
	mount -t cgroup2 cgroup2 "$1"
	mount -t bpf bpf /sys/fs/bpf
	# The machine's own, which others change meanwhile, not even below ours.
	cut -d ' ' -f 2 /proc/self/mounts | grep '^/run/netns' | sort -r |
		xargs -r umount -l 2>/dev/null || true
	for folder in /run/netns /run/subu /run/wireguard /mnt; do
		mkdir -p "$folder"
		mount -t tmpfs -o mode=755 tmpfs "$folder"
	done
	ip netns add server
	ip link add name up0 type veth peer name up0 netns server
	ip link set lo up
	ip link set up0 addrgenmode none
	ip address add 192.0.2.2/24 dev up0
	ip address add 2001:db8::2/64 dev up0 nodad
	ip link set up0 up
	ip -n server link set lo up
	ip -n server link set up0 addrgenmode none
	ip -n server address add 192.0.2.1/24 dev up0
	ip -n server address add 2001:db8::1/64 dev up0 nodad
	ip -n server link set up0 up
	echo ready
	exec >/dev/null
	sleep infinity &
	while :; do wait; done
}

# Makes the machines, and a database on the client when called with `init`.
machines()
{
	local ready

	SUBU=${SUBU:-$(realpath "$BATS_TEST_DIRNAME/../../build/src/subu")}
	export SUBU_DB=$BATS_TEST_TMPDIR/subu.db PATH=${SUBU%/*}:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
	mkfifo "$BATS_TEST_TMPDIR/ready"
	hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	if [ -z "$hierarchy" ]; then
		echo "no machines: no control groups of version 2 are mounted here"
		return 1
	fi
	group=$hierarchy/machines-$$-$BATS_TEST_NUMBER
	mkdir "$group"
	in_group setpriv --pdeathsig KILL unshare --mount --pid --net --cgroup --fork --kill-child \
		--mount-proc bash -c "$(declare -f anchor_main); anchor_main $hierarchy" \
		>"$BATS_TEST_TMPDIR/ready" 2>&1 3>&- &
	unshared=$!
	read -r ready <"$BATS_TEST_TMPDIR/ready"
	if [ "$ready" != ready ]; then
		echo "no machines: $ready"
		return 1
	fi
	anchor=$(pgrep -P "$unshared")
	[ "${1:-}" != init ] || client subu -q init k3x9qa
}

machines_end()
{
	[ -z "${unshared:-}" ] || kill -KILL "$unshared"
	wait "$unshared" 2>/dev/null || true
	[ ! -d "${group:-}" ] || soon group_removed
}

# A process that was killed leaves its group a moment later.
group_removed()
{
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
}

# in_group COMMAND...: becomes the command, in the machines' control group. 0 is the caller.
in_group()
{
	echo 0 >"$group/cgroup.procs"
	exec "$@"
}

# client COMMAND..., server COMMAND...: run it there.
client()
{
	(in_group nsenter --target "$anchor" --mount --pid --net --cgroup -- "$@") 3>&-
}

server()
{
	client nsenter --net=/run/netns/server -- "$@"
}

# inside N COMMAND...: in the namespace of subu_N, as root and without subu.
inside()
{
	client nsenter --net="/run/netns/ns-subu_$1" -- "${@:2}"
}

# A WireGuard that is not ours, with a page at 10.77.0.1 and at fd77::1.
server_start()
{
	local key=$BATS_TEST_TMPDIR/server.key page=$BATS_TEST_TMPDIR/page

	(umask 077 && wg genkey >"$key")
	server_key=$(wg pubkey <"$key")
	server wireguard-go wg0 >"$BATS_TEST_TMPDIR/wireguard-go.log" 2>&1
	server wg set wg0 listen-port 51820 private-key "$key"
	server ip address add 10.77.0.1/24 dev wg0
	server ip address add fd77::1/64 dev wg0 nodad
	server ip link set wg0 up
	mkdir "$page"
	echo 'Hello from the other end of the tunnel.' >"$page/index.html"
	server busybox httpd -p 10.77.0.1:80 -h "$page"
	server busybox httpd -p '[fd77::1]:80' -h "$page"
}

# tunnel_to ENDPOINT [POOL]: a tunnel of the next id to the server, which knows of it.
tunnel_to()
{
	local id key addresses

	client subu -q WG global "${2:-10.77.0.0/24}"
	id=$(client subu -q WG create "$1")
	client subu -q WG server_provided_public_key "$id" "$server_key"
	output=$(client subu --json WG info "$id")
	key=$(json 'v["public_key"]')
	addresses=$(json '",".join(v["addresses"])')
	server wg set wg0 peer "$key" allowed-ips "$addresses"
}

kernel_has_wireguard()
{
	client ip link add probe type wireguard 2>/dev/null && client ip link del probe
}

# sub_user OWNER NAME: one whose tunnel our engine is to run, also where the kernel has WireGuard.
sub_user()
{
	client subu -q create "$1" "$2"
	client subu -q option set "$1:$2" backend engine
}

# tunnel_up: a sub-user with a tunnel to the server, all of it up and the default route there.
tunnel_up()
{
	server_start
	tunnel_to 192.0.2.1:51820
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q option set subu_0 default-route on
	client subu -q network up subu_0
}

# page [CURL-OPTION...]: fetches the server's page from inside subu_0.
page()
{
	done_by subu exec subu_0 -- curl -sS --max-time 20 "$@" http://10.77.0.1/
	[ "$output" = 'Hello from the other end of the tunnel.' ] || complain "another page"
}

# private_etc: the client gets an /etc that the test may change.
private_etc()
{
	client cp -a /etc /mnt/etc
	client mount --bind /mnt/etc /etc
}

# All that subu must leave as it was, on the client.
snapshot()
{
	client bash -c "$(declare -f snapshot_of_namespace groups_and_pins snapshot_here); snapshot_here"
}

# The control groups and what is pinned in the BPF file system.
groups_and_pins()
{
	find "$(awk '$3 == "cgroup2" { print $2 }' /proc/self/mounts)" /sys/fs/bpf -mindepth 1 \
		\( -type d -o -path '/sys/fs/bpf/*' \) | sort
}

snapshot_of_namespace()
{
	echo "$1:"
	nsenter --net="$2" ip -d -batch - <<<$'address\nroute show table all\nrule' |
		sed 's/ \(forever\|[0-9]*sec\)//g'
	nsenter --net="$2" ip -6 -batch - <<<$'route show table all\nrule'
	nsenter --net="$2" nft list ruleset
}

snapshot_here()
{
	local name processes

	processes=$(ps -e -o comm=)
	sort <<<"$processes"
	snapshot_of_namespace "the client" /proc/self/ns/net
	for name in /run/netns/ns-subu_*; do
		[ ! -e "$name" ] || snapshot_of_namespace "$name" "$name"
	done
	sysctl -a --pattern '^net\.ipv[46]\.(conf|ip_forward|ping)' 2>/dev/null
	ls /run/netns
	find /run/wireguard /run/subu ! -name '*lock*' ! -name '*.log' | sort
	groups_and_pins
	cut -d ' ' -f 2- /proc/self/mounts
	cat /etc/resolv.conf
}

# The database, as text.
dump()
{
	[ ! -e "$SUBU_DB" ] || sqlite3 -readonly "$SUBU_DB" .dump 2>&1 || sha256sum "$SUBU_DB"
}

# complain TEXT: what was wrong, with all that the command said; fails.
complain()
{
	printf '%s\n' "$1" "status: $status" "stdout: $output" "stderr: $stderr"
	return 1
}

# try COMMAND...: on the client, or by `caller`, into `status`, `output` and `stderr`. For bats, 127
# is a mistake in the test, unless it is told so.
try()
{
	run ${expected:+"-$expected"} --separate-stderr "${caller:-client}" "$@"
}

# done_by COMMAND...: it ends with 0 and says nothing on stderr.
done_by()
{
	try "$@"
	[ "$status" -eq 0 ] || complain "failed: $*"
	[ -z "$stderr" ] || complain "spoke on stderr: $*"
}

# one_sentence TEXT: what was said last is one sentence on stderr with TEXT in it, and no answer.
one_sentence()
{
	if [ -n "$output" ]; then
		complain "there is an answer"
	elif [ "${#stderr_lines[@]}" -ne 1 ]; then
		complain "not one line on stderr"
	elif [[ $stderr != 'subu: '*"$1"* ]]; then
		complain "does not say: subu: ... $1"
	fi
}

# everything: the database and the client.
everything()
{
	dump
	snapshot
}

# unchanged: since `before` was set, nothing of all that subu must leave alone.
unchanged()
{
	diff <(echo "$before") <(everything) || complain "something has changed"
}

# fails STATUS TEXT COMMAND...: it ends with STATUS and one sentence that has TEXT in it.
fails()
{
	local expected=

	[ "$1" -ne 127 ] || expected=127
	try "${@:3}"
	[ "$status" -eq "$1" ] || complain "not status $1: ${*:3}"
	one_sentence "$2"
}

# refused STATUS TEXT COMMAND...: and nothing has changed, since `before` was set if it was.
refused()
{
	local before=${before:-$(everything)}

	fails "$@"
	unchanged
}

# each STATUS TEXT COMMAND... -- VALUE...: with every VALUE at the end of COMMAND it is refused.
each()
{
	local before=${before:-$(everything)} command=() value

	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	for value; do
		fails "${command[@]}" "$value"
	done
	unchanged
}

# json FILTER: the one JSON document in `output`, through a Python expression on the value v.
json()
{
	python3 -c 'import json, sys; v = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1" \
		<<<"$output"
}

# as_nobody COMMAND...: on the client, with the program where nobody can reach it.
as_nobody()
{
	client cp -u "$SUBU" /mnt/subu
	PATH=/mnt:$PATH try setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
}

# user_start: "walker", an ordinary user of the client, who has nothing but a home and the TUN device
# that distributions give to all. `caller=as_user` has the rest of this file ask for that one.
user_start()
{
	user=61234
	while getent passwd "$user" >/dev/null; do
		user=$((user + 1))
	done
	home=/mnt/home runtime=/mnt/home/run/subu
	client install -d -m 700 -o "$user" -g "$user" "$home" "$home/run"
	client install -D "$SUBU" /mnt/bin/subu
	client mount -t tmpfs -o mode=755 tmpfs /dev/net
	client mknod -m 666 /dev/net/tun c 10 200
	client cp /etc/passwd /etc/group /mnt
	echo "walker:x:$user:$user::$home:/bin/sh" | client tee -a /mnt/passwd >/dev/null
	echo "walker:x:$user:" | client tee -a /mnt/group >/dev/null
	client mount --bind /mnt/passwd /etc/passwd
	client mount --bind /mnt/group /etc/group
}

# as_user COMMAND...: on the client, in the user's home, with the environment of a login and what is
# in `environment`, for a minute at most.
as_user()
{
	client env -i --chdir "$home" HOME="$home" XDG_RUNTIME_DIR="$home/run" \
		PATH=/mnt/bin:/usr/bin:/bin "${environment[@]}" \
		timeout --foreground 60 setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@"
}

# conf FILE NUMBER [ENDPOINT [INTERFACE-LINE...]]: a .conf of the user's, as 10.77.0.NUMBER and
# fd77::NUMBER, to the server, which knows of it; without lines of its own it has DNS = 10.77.0.1.
conf()
{
	local key interface=$(printf '%s\n' "${@:4}")

	key=$(wg genkey)
	as_user sh -c "umask 077; cat >$1" <<-END
		[Interface]
		PrivateKey = $key
		Address = 10.77.0.$2/32, fd77::$2/128
		${interface:-DNS = 10.77.0.1}
		[Peer]
		PublicKey = $server_key
		AllowedIPs = 0.0.0.0/0, ::/0
		Endpoint = ${3:-192.0.2.1:51820}
	END
	server wg set wg0 peer "$(wg pubkey <<<"$key")" allowed-ips "10.77.0.$2/32,fd77::$2/128"
}

# part NAME [TUNNEL]: the number of the tunnel's supervisor, anchor or engine. Without TUNNEL it is the
# one of a command that runs.
part()
{
	local record

	record=$(client sh -c "cat $runtime/${2:-run@*}/record.json")
	output=$record
	if [ "$1" = engine ]; then
		client pgrep -P "$(json 'v["supervisor"]')" | grep -vx "$(json 'v["anchor"]')"
	else
		json "v['$1']"
	fi
}

# capture_start: from here on all is kept that the client's own network sends and hears.
capture_start()
{
	capture=$BATS_TEST_TMPDIR/outside.pcap
	client tcpdump -i any -U --immediate-mode -w - >"$capture" 2>/dev/null &
	soon test -s "$capture"
}

# captured FILTER: packets of that kind (pcap-filter(7)), up to a mark that is made now.
captured()
{
	local mark=mark-$RANDOM$RANDOM

	client bash -c "echo $mark >/dev/udp/127.0.0.9/9"
	soon grep -aq "$mark" "$capture"
	tcpdump -nr "$capture" "($1) and not host 127.0.0.9" 2>/dev/null
}

# only_wireguard: of all that, nothing but datagrams to the server and back, and there are some. Not
# counted is what the kernel says by itself: ARP, neighbour discovery, groups, and that nobody is at the
# port any more to which the server still sends.
only_wireguard()
{
	local wireguard='(udp port 51820 and (host 192.0.2.1 or host 2001:db8::1))'
	local kernel='(arp or ip6 proto 0 or (icmp6 and ip6[40] >= 133 and ip6[40] <= 136) or
		(icmp[0] == 3 and icmp[1] == 3 and icmp[28:2] == 51820) or
		(icmp6 and ip6[40] == 1 and ip6[41] == 4 and ip6[88:2] == 51820))'

	captured "not $wireguard and not $kernel" |
		grep . && complain "this is seen outside"
	captured "$wireguard" | grep -q . || complain "nothing is seen outside"
}

# soon COMMAND...: it succeeds within ten seconds.
soon()
{
	local until=$((SECONDS + 10))

	until "$@"; do
		((SECONDS < until)) || { echo "not within ten seconds: $*"; return 1; }
		sleep 0.1
	done
}
