# exec: what a command is inside, and how it ends.
#
#	 client                                  server
#	+---------------------------+           +---------------------------------+
#	| ns-subu_0: lo, subu_0     |           |                                 |
#	|   $ command     ==========|===========|== wg0 10.77.0.1 (a page, names) |
#	+---------------------------+           +---------------------------------+
#
# shellcheck disable=SC2016,SC2034,SC2154 # $$ is another shell's; lib.bash has the names
load lib

setup()
{
	machines init
	client subu -q create alice web
}

teardown()
{
	machines_end
}

# ends STATUS COMMAND...: the status of subu exec subu_0 -- COMMAND.
ends()
{
	try subu exec subu_0 -- "${@:2}"
	[ "$status" -eq "$1" ] || complain "not $1: ${*:2}"
}

# says TEXT OPTION-OR-COMMAND...: what subu exec prints.
says()
{
	done_by subu exec "${@:2}"
	[ "$output" = "$1" ] || complain "not: $1"
}

@test "the status is the command's own, or 128 and the signal" {
	ends 0 true
	ends 1 false
	ends 255 sh -c 'exit 255'
	for signal in 1 2 9 11 15; do
		ends $((128 + signal)) sh -c "kill -$signal \$\$"
	done
}

@test "125 when subu fails, 126 when it cannot be run, 127 when it is not there" {
	before=$(everything)
	refused 125 "there is no sub-user subu_9" subu exec subu_9 -- true
	refused 125 "usage: subu exec [-u USER] SUBU -- CMD" subu exec subu_0
	refused 125 "usage: subu exec" subu exec -u
	refused 125 "exec has no option '-x'" subu exec -x subu_0 -- true
	refused 125 "there is no account 'nosuch'" subu exec -u nosuch subu_0 -- true
	refused 126 "cannot run '/etc/passwd': Permission denied" subu exec subu_0 -- /etc/passwd
	refused 126 "cannot run '/etc'" subu exec subu_0 -- /etc
	refused 127 "cannot run 'no-such-command': no such command in PATH" \
		subu exec subu_0 -- no-such-command
	refused 127 "cannot run '/no/such': no such file" subu exec subu_0 -- /no/such
	client ip netns del ns-subu_0
	before=
	refused 125 "ns-subu_0" subu exec subu_0 -- true
}

@test "words, environment, folder and input come through" {
	says $'<a b><><--json><--><-u><\n>' subu_0 -- printf '<%s>' 'a b' '' --json -- -u $'\n'
	done_by env COLOUR=red subu exec subu_0 -- sh -c 'echo $COLOUR'
	[ "$output" = red ]
	done_by sh -c 'cd /usr/share && subu exec subu_0 -- pwd'
	[ "$output" = /usr/share ]
	done_by sh -c 'echo word | subu exec subu_0 -- cat'
	[ "$output" = word ]
}

@test "who it is: -u, else the sub-user's account, else who called sudo, else the caller" {
	client subu -q create alice mail --user daemon
	says 0 subu_0 -- id -u
	says 1 subu_1 -- id -u
	says 65534 -u nobody subu_0 -- id -u
	says 65534 -u nobody subu_1 -- id -u
	export SUDO_UID=65534 SUDO_GID=8
	says 65534:8 subu_0 -- sh -c 'echo $(id -u):$(id -g)'
	says 1:1 subu_1 -- sh -c 'echo $(id -u):$(id -g)'
	says 2:2 -u bin subu_0 -- sh -c 'echo $(id -u):$(id -g)'
	says "$(id -G daemon)" -u daemon subu_0 -- id -G
	says 'Uid: 65534 65534 65534 65534' subu_0 -- sh -c 'echo $(grep Uid: /proc/self/status)'
}

@test "what sudo says must be ids of accounts" {
	before=$(everything)
	for id in x -1 0x0 '' 4294967295 99999999999 ' 0'; do
		SUDO_UID=$id refused 125 "SUDO_UID in the environment is" subu exec subu_0 -- true
	done
	SUDO_UID=54321 refused 125 "54321" subu exec subu_0 -- true
	SUDO_UID=1 SUDO_GID=54321 refused 125 "54321" subu exec subu_0 -- true
}

@test "it has no capability, no descriptor but three, and can gain nothing" {
	exec {extra}</etc/passwd
	for account in root nobody; do
		done_by subu exec -u "$account" subu_0 -- grep -E '^(Cap|NoNewPrivs)' /proc/self/status
		[ "$(awk '{ print $2 }' <<<"$output" | sort -u)" = $'0000000000000000\n1' ]
		says $'0\n1\n2' -u "$account" subu_0 -- sh -c 'ls /proc/$$/fd; true'
	done
	exec {extra}<&-
	ends 1 sh -c 'ip link set lo up 2>/dev/null || exit 1'
	ends 32 sh -c 'mount -t tmpfs tmpfs /mnt 2>/dev/null || exit 32'
}

@test "it sees its own network and no other" {
	says lo subu_0 -- ls /sys/class/net
	says "" subu_0 -- ip route show table all
	ends 7 curl -s --max-time 1 http://192.0.2.1/
	ends 7 curl -s --max-time 1 'http://[2001:db8::1]/'
}

@test "it is in the sub-user's control group, for good, and the pins are out of reach" {
	client mkdir -p "$hierarchy/subu/subu_0" /sys/fs/bpf/subu/subu_0
	for account in root nobody; do
		says 0::/subu/subu_0 -u "$account" subu_0 -- grep ^0: /proc/self/cgroup
		says 0::/subu/subu_0 -u "$account" subu_0 -- \
			sh -c 'echo 0 2>/dev/null >"$0/cgroup.procs"; setsid grep ^0: /proc/self/cgroup' \
			"$hierarchy"
		says "" -u "$account" subu_0 -- ls -A /sys/fs/bpf
	done
	[ -z "$(client cat "$hierarchy/subu/subu_0/cgroup.procs")" ]
	client test -e /sys/fs/bpf/subu/subu_0
}

@test "without its control group nothing runs, where there are no groups at all something does" {
	client find "$hierarchy/subu" -depth -type d -delete
	fails 125 'subu_0 has no control group' subu exec subu_0 -- true
	done_by subu reconcile subu_0
	says 0::/subu/subu_0 subu_0 -- grep ^0: /proc/self/cgroup
	client umount "$hierarchy"
	says inside subu_0 -- echo inside
}

@test "a socket of the network outside is no standard input, output or error" {
	done_by python3 - <<-'END'
		import socket, subprocess
		for fd in "stdin", "stdout":
		    words = ["subu", "exec", "subu_0", "--", "true"]
		    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, **{fd: socket.socket()})
		    print(done.returncode, done.stderr.split(":")[1].split(" is ")[0])
		here, there = socket.socketpair()
		print(subprocess.run(["subu", "exec", "subu_0", "--", "cat"], stdin=subprocess.DEVNULL,
		                     stdout=there, stderr=there).returncode)
	END
	[ "$output" = $'125  standard input\n125  standard output\n0' ]
}

@test "what no barrier holds cannot be asked for: other sockets, io_uring, the terminal's input" {
	done_by subu exec -u nobody subu_0 -- python3 -c '
import ctypes, errno, fcntl, os, socket
def name(call):
    try:
        return call()
    except OSError as error:
        return errno.errorcode[error.errno]
print(name(lambda: socket.socket(40, socket.SOCK_STREAM)), name(lambda: socket.socket(31, 3)))
print(ctypes.CDLL(None, use_errno=True).syscall(425, 1, 0), errno.errorcode[ctypes.get_errno()])
print(name(lambda: fcntl.ioctl(os.openpty()[0], 0x5412, b"x")))'
	[ "$output" = $'EAFNOSUPPORT EAFNOSUPPORT\n-1 ENOSYS\nEPERM' ]
}

@test "the machine's mounts stay as they are" {
	before=$(everything)
	done_by subu exec subu_0 -- grep -c . /proc/self/mounts
	unchanged
}

@test "no DNS: the machine's servers are not asked" {
	says 0 subu_0 -- sh -c 'grep -c ^nameserver /etc/resolv.conf || true'
	done_by subu exec subu_0 -- grep ^hosts: /etc/nsswitch.conf
	[ "$(tr -s '\t ' ' ' <<<"$output")" = 'hosts: files dns' ]
}

@test "/etc/netns/ns-subu_N serves where the tunnel has no DNS, and not where it has" {
	private_etc
	client mkdir -p /etc/netns/ns-subu_0
	client sh -c 'echo "nameserver 198.51.100.1" >/etc/netns/ns-subu_0/resolv.conf'
	client sh -c 'echo "192.0.2.99 by-file" >/etc/netns/ns-subu_0/hosts'
	says 'nameserver 198.51.100.1' subu_0 -- cat /etc/resolv.conf
	says '192.0.2.99 by-file' subu_0 -- cat /etc/hosts
	server_key=$(wg genkey | wg pubkey)
	client subu -q WG global 10.77.0.0/24
	client subu -q WG create 192.0.2.1:51820
	client subu -q WG set WG_0 dns 10.77.0.1,fd77::1,corp.example
	client subu -q attach WG subu_0 WG_0
	done_by subu exec subu_0 -- grep -v '^#' /etc/resolv.conf
	[[ $output == *'nameserver 10.77.0.1'*'nameserver fd77::1'* ]]
	[[ $output == *'search corp.example'* && $output != *198.51.100.1* ]]
	says '192.0.2.99 by-file' subu_0 -- cat /etc/hosts
}

@test "services that would answer for the machine are covered" {
	client mount -t tmpfs tmpfs /run
	client mkdir -p /run/netns /run/nscd /run/systemd/resolve
	client touch /run/nscd/socket /run/systemd/resolve/io.systemd.Resolve
	client subu -q reconcile
	says "" subu_0 -- find /run/nscd /run/systemd/resolve -type f
}

@test "names and pings go through the tunnel, without privileges" {
	client subu -q remove subu_0
	server_start
	server "$BATS_TEST_DIRNAME/name_server" 10.77.0.1 10.77.0.1 "$BATS_TEST_TMPDIR/names" \
		>/dev/null 2>&1 &
	tunnel_to 192.0.2.1:51820
	client subu -q create alice web
	client subu -q WG set WG_0 dns 10.77.0.1
	client subu -q attach WG subu_1 WG_0
	client subu -q option set subu_1 default-route on
	client subu -q network up subu_1
	done_by subu exec -u nobody subu_1 -- getent ahostsv4 page.example
	[[ $output == 10.77.0.1* ]]
	done_by subu exec -u nobody subu_1 -- curl -sS --max-time 20 http://page.example/
	[[ $output == Hello* ]]
	grep -qx page.example "$BATS_TEST_TMPDIR/names"
	done_by subu exec -u nobody subu_1 -- ping -n -c 1 -W 10 10.77.0.1
}
