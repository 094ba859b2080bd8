# run and up as root: the same words, with rights that the command does not get.
#
#	 client                                       server
#	+-----------------------------------+        +---------------------------+
#	| # subu run, # sudo subu run       |        |                           |
#	|   +-----------------------------+ |        |                           |
#	|   | lo, subu_0 10.77.0.2 =======|=|========|== wg0 10.77.0.1 (a page)  |
#	|   |   $ command                 | |        |                           |
#	|   +-----------------------------+ |        |                           |
#	|  up0 192.0.2.2 -------------------|--------|- up0 192.0.2.1            |
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
	export SUBU anchor unshared group hierarchy server_key user home runtime
}

teardown_file()
{
	machines_end
}

setup()
{
	export HOME=/mnt/root
	unset SUDO_UID SUDO_GID XDG_CONFIG_HOME XDG_RUNTIME_DIR
	client sh -c 'rm -rf /mnt/root; mkdir -m 700 /mnt/root'
	conf vpn.conf 2
	conf=$home/vpn.conf
	client sh -c "mkdir -p -m 700 /run/subu/tunnels; : >/run/subu/tunnels/lock"
	before=$(everything)
}

teardown()
{
	unchanged
}

everything()
{
	snapshot
}

# says TEXT OPTION-OR-COMMAND...: what subu run prints; it may warn of root.
says()
{
	try subu -q run --config "$conf" "${@:2}"
	[ "$status" -eq 0 ] || complain "failed: ${*:2}"
	[ "$output" = "$1" ] || complain "not: $1"
}

@test "a page, as root, as who called sudo, and as root again with --root" {
	says 'Hello from the other end of the tunnel.' curl -sS --max-time 10 http://10.77.0.1/
	says 0:0 sh -c 'echo $(id -u):$(id -g)'
	export SUDO_UID=$user SUDO_GID=$user
	says "$user:$user walker" sh -c 'echo $(id -u):$(id -g) $(whoami)'
	says 'Hello from the other end of the tunnel.' curl -sS --max-time 10 http://10.77.0.1/
	says 0:0 --root -- sh -c 'echo $(id -u):$(id -g)'
	SUDO_UID=x fails 125 'SUDO_UID in the environment is' subu run --config "$conf" true
}

@test "root's command has no capability, and no power over the tunnel" {
	local root word

	for root in '' --root; do
		try subu -q run $root --config "$conf" grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
		[ "$(awk '{ print $2 }' <<<"$output" | uniq)" = $'0000000000000000\n1\n2' ] || complain "rights"
		for word in 'ip link set lo down' 'ip route del default' 'umount /run/subu' 'mount -t tmpfs t /mnt' \
			'nsenter --net=/run/netns/server true' 'strace -qq -p 1' \
			'sh -c "echo 1 >/proc/sys/net/ipv4/ip_forward"'; do
			try subu -q run $root --config "$conf" -- sh -c "$word || exit 3"
			[ "$status" -eq 3 ] || complain "allowed: $word"
		done
		says $'lo\nsubu_0' $root -- ls /sys/class/net
		says '' $root -- find /run/subu /run/wireguard /sys/fs/bpf -mindepth 1
	done
}

@test "its processes are its own: none outside are seen, nor left" {
	says '1 2' sh -c 'ls /proc | grep "^[0-9]*$" | sort -n | head -n 2 | xargs'
	says '' sh -c 'setsid sleep 300 >/dev/null 2>&1 &'
	client sh -c '! pgrep -fx "sleep 300"'
}

@test "up, status, run and down; the tunnel is root's, and no sub-user's" {
	client subu -q profile import "$conf"
	client subu -q up vpn
	done_by subu --json status vpn
	[ "$(json '(v["state"], v["inside"])')" = "('up', 0)" ]
	try subu -q run --profile vpn curl -sS --max-time 10 http://10.77.0.1/
	[ "$output" = 'Hello from the other end of the tunnel.' ]
	environment=()
	caller=as_user fails 1 'no tunnel vpn is up' subu status vpn
	client test ! -e "$home/run/subu/vpn"
	[ "$(client ls /run/netns)" = server ]
	done_by subu down vpn
}

@test "the mark that only root may set is set on what leaves" {
	local marked

	conf vpn.conf 2 '' 'DNS = 10.77.0.1' 'FwMark = 77'
	client nft -f - <<-'END'
		table inet count {
			chain out { type filter hook output priority 0; meta mark 77 udp dport 51820 counter; }
		}
	END
	says 'Hello from the other end of the tunnel.' curl -sS --max-time 10 http://10.77.0.1/
	marked=$(client nft list ruleset | sed -n 's/.*packets \([0-9]*\).*/\1/p')
	client nft delete table inet count
	[ "$marked" -gt 2 ]
}

@test "the kernel's WireGuard is taken where it is there, else the engine" {
	local backend=engine

	! kernel_has_wireguard || backend=kernel
	client subu -q profile import "$conf"
	client subu -q up vpn
	done_by subu --json status vpn
	client subu -q down vpn
	[ "$(json 'v["backend"]')" = "$backend" ]
}

@test "killed, it leaves nothing that the next call does not take away" {
	local name

	client subu -q profile import "$conf"
	runtime=/run/subu/tunnels
	for name in supervisor anchor; do
		client subu -q up vpn
		client kill -KILL "$(part "$name" vpn)"
		soon no_subu
		client subu -q status 2>/dev/null
	done
}

no_subu()
{
	! client pgrep -x subu >/dev/null
}
