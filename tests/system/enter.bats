# enter/: what a command finds inside, and what the machine outside does not notice.
#
#	the machine ── (nothing) ── NETNS: lo, and what a test puts there
#
# A control group of the machine has the same name, and each command joins it but for those that say
# otherwise.
#
# Tests that need another /etc or /run than the machine's own run on a stage: a mount namespace with
# copies of both, shared as a systemd machine's mounts are. For the program the stage is the machine.

# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2154 # bats sets stderr and stderr_lines
# shellcheck disable=SC2016 # what stands in single quotes is for a shell inside or on the stage

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	DRIVER=$(realpath "${SUBU_BUILD:-build}/tests/system/enter-driver")
	NETNS=enter-$$-$BATS_TEST_NUMBER
	WORK=$BATS_TEST_TMPDIR
	HIERARCHY=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	export DRIVER NETNS WORK HIERARCHY
	ip netns add "$NETNS"
	ip -n "$NETNS" link set lo up
	mkdir "$HIERARCHY/$NETNS"
	before=$(mounts)
}

teardown()
{
	ip netns del "$NETNS"
	for _ in {1..100}; do # who was killed leaves the group a moment later
		find "$HIERARCHY/$NETNS" -depth -type d -exec rmdir {} + 2>/dev/null && return
		sleep 0.05
	done
	return 1
}

# All but other tests' namespaces, which come and go.
mounts()
{
	grep -v ' /run/netns/' /proc/self/mountinfo
}

inside()
{
	"$DRIVER" -g "$NETNS" "$NETNS" "$@"
}

# Runs the script on its stdin on a stage, which has a user "guest" with two groups more.
stage()
{
	timeout 120 unshare --mount --propagation private bash -eu -c '
		trap "kill \$(jobs -p) 2>/dev/null || true" EXIT
		inside() { "$DRIVER" -g "$NETNS" "$NETNS" "$@"; }
		mkdir "$WORK/etc"
		cp -a /etc/. "$WORK/etc"
		mount --bind "$WORK/etc" /etc
		mount --rbind /run/netns /mnt
		mount -t tmpfs tmpfs /run
		mkdir /run/netns
		mount --move /mnt /run/netns
		mount -t tmpfs tmpfs /mnt
		mount --make-rshared /
		rm -rf /etc/netns
		mkdir -p "/etc/netns/$NETNS"
		rm -f /etc/resolv.conf
		echo "nameserver 10.77.0.53" >/etc/resolv.conf
		printf "passwd: files\nhosts: resolve [!UNAVAIL=return] dns\ngroup: files\n" \
			>/etc/nsswitch.conf
		echo "guest:x:4242:4242::/:/bin/sh" >>/etc/passwd
		printf "guest:x:4242:\nguests:x:4243:guest\nmore:x:4244:guest\n" >>/etc/group
		cat /proc/self/mountinfo >"$WORK/before"
		'"$(cat)"'
		cat /proc/self/mountinfo | diff "$WORK/before" -'
}

# What the script prints, and nothing else, is the text; it succeeds.
stage_prints()
{
	run --separate-stderr stage
	echo "$output"
	echo "$stderr" >&2
	[ "$status" -eq 0 ]
	[ "$output" = "$1" ]
}

# Inside fails with the status, one sentence that holds the text, and no output.
fails()
{
	echo "$status: $output: $stderr"
	[ "$status" -eq "$1" ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *"$2"* ]]
}

# --- identity

@test "root stays root with its groups" {
	run inside id
	[ "$output" = "$(env -i "$(command -v setpriv)" --init-groups --reuid 0 --regid 0 id)" ]
}

@test "an account comes with its groups" {
	stage_prints "4242 4242 4242 4243 4244" <<-'END'
		echo $("$DRIVER" -u guest "$NETNS" sh -c "id -u; id -g; id -G")
	END
}

@test "who called sudo is who runs" {
	stage_prints "4242:4242 4242:4243 0:0 0:0" <<-'END'
		a=$(SUDO_UID=4242 inside sh -c "id -u; echo :; id -g" | tr -d "\n")
		b=$(SUDO_UID=4242 SUDO_GID=4243 inside sh -c "id -u; echo :; id -g" | tr -d "\n")
		c=$(SUDO_UID=0 SUDO_GID=0 inside sh -c "id -u; echo :; id -g" | tr -d "\n")
		d=$(SUDO_UID=4242 "$DRIVER" -u root "$NETNS" sh -c "id -u; echo :; id -g" | tr -d "\n")
		echo "$a $b $c $d"
	END
}

@test "an account that is not there is named" {
	run --separate-stderr "$DRIVER" -u no-such-user "$NETNS" true
	fails 125 "there is no account 'no-such-user' on this machine"
	SUDO_UID=1234567 run --separate-stderr inside true
	fails 125 "user id 1234567 has no account"
	SUDO_UID=root run --separate-stderr inside true
	fails 125 "SUDO_UID in the environment is 'root'"
	SUDO_UID=65534 SUDO_GID=1234567 run --separate-stderr inside true
	fails 125 "there is no group with id 1234567"
}

@test "the set-user-ID bit is refused" {
	stage_prints "125" <<-'END'
		cp "$DRIVER" /mnt/driver
		chmod 4755 /mnt/driver
		status=0
		setpriv --reuid 4242 --regid 4242 --clear-groups \
			/mnt/driver -u root "$NETNS" id 2>"$WORK/error" || status=$?
		grep -q "set-user-ID" "$WORK/error"
		echo $status
	END
}

@test "nobody's caller gets no further than its own rights" {
	# Opened by root: nobody may not even look into the folder that this was built in.
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups \
		bash -c 'exec /proc/self/fd/9 "$@"' driver "$NETNS" id 9<"$DRIVER"
	fails 125 "Operation not permitted"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups \
		bash -c 'exec /proc/self/fd/9 "$@"' driver -u root "$NETNS" id 9<"$DRIVER"
	fails 125 "only root can run a command as 'root'"
}

@test "no capability, none to be gained, for anyone" {
	for user in root nobody; do
		run "$DRIVER" -u "$user" "$NETNS" cat /proc/self/status
		[ "$(grep -c '^Cap.*:.0000000000000000$' <<<"$output")" -eq 5 ]
		grep -q '^NoNewPrivs:.1$' <<<"$output"
		run "$DRIVER" -u "$user" "$NETNS" ip link set lo down
		[ "$status" -ne 0 ]
		run "$DRIVER" -u "$user" "$NETNS" unshare --mount true
		[ "$status" -ne 0 ]
	done
}

# --- what the command is given

@test "only the standard descriptors are open" {
	run inside ls /proc/self/fd
	[ "${lines[*]}" = "0 1 2 3" ] # and the folder that ls reads
}

@test "signals are as a new session has them, but for what was ignored on purpose" {
	signals() { tee /dev/stderr | grep -E '^Sig(Blk|Ign):' | tr -d '\n'; }

	run env --default-signal --block-signal=USR1,TERM --ignore-signal=PIPE,USR2,CHLD \
		"$DRIVER" "$NETNS" cat /proc/self/status
	[ "$(signals <<<"$output")" = \
		$'SigBlk:\t0000000000000000SigIgn:\t0000000000000000' ]
	run env --default-signal --ignore-signal=HUP,INT,QUIT "$DRIVER" "$NETNS" cat /proc/self/status
	[ "$(signals <<<"$output")" = \
		$'SigBlk:\t0000000000000000SigIgn:\t0000000000000007' ]
}

@test "environment, umask and current folder are kept" {
	umask 027
	cd "$WORK"
	mkdir private
	chmod 700 private
	run env -i A=1 'B= two ' PATH="$PATH" "$DRIVER" -u nobody "$NETNS" \
		"$(command -v env)"
	[ "$output" = "$(env -i A=1 'B= two ' PATH="$PATH" "$(command -v env)")" ]
	[ "$("$DRIVER" -u nobody "$NETNS" sh -c umask)" = 0027 ]
	cd private # which the user may not enter
	[ "$("$DRIVER" -u nobody "$NETNS" readlink /proc/self/cwd)" = "$WORK/private" ]
	rmdir "$WORK/private"
	[ "$("$DRIVER" -u nobody "$NETNS" readlink /proc/self/cwd)" = "$WORK/private (deleted)" ]
}

@test "the exit status is the command's" {
	run inside true
	[ "$status" -eq 0 ]
	run inside sh -c 'exit 3'
	[ "$status" -eq 3 ]
	run bash -c '"$DRIVER" "$NETNS" sh -c "kill -TERM \$\$"; exit $?'
	[ "$status" -eq $((128 + 15)) ]
	run bash -c '"$DRIVER" "$NETNS" sh -c "kill -KILL \$\$"; exit $?'
	[ "$status" -eq $((128 + 9)) ]
}

@test "what cannot be run is said in one sentence" {
	run -127 --separate-stderr inside no-such-command
	fails 127 "cannot run 'no-such-command': no such command in PATH"
	run -127 --separate-stderr inside ./no-such-command
	fails 127 "cannot run './no-such-command': no such file"
	run --separate-stderr inside /etc/passwd
	fails 126 "cannot run '/etc/passwd': Permission denied"
	run --separate-stderr inside /etc
	fails 126 "cannot run '/etc': Permission denied"
	# A folder in PATH that the user may not search hides nothing.
	PATH=$WORK:$PATH run -127 --separate-stderr "$DRIVER" -u nobody "$NETNS" \
		no-such-command
	fails 127 "no such command in PATH"
	run --separate-stderr "$DRIVER" no-such-namespace true
	fails 125 "/run/netns/no-such-namespace"
	run --separate-stderr "$DRIVER" ../netns/"$NETNS" true
	fails 125 "network namespace"
}

# --- name resolution

@test "resolv.conf names the tunnel's servers" {
	run "$DRIVER" -u nobody -d "10.77.0.1, 2001:db8::1, corp.example" "$NETNS" cat /etc/resolv.conf
	[ "$output" = $'nameserver 10.77.0.1\nnameserver 2001:db8::1\nsearch corp.example' ]
}

@test "a namespace without servers asks nobody's" {
	run inside cat /etc/resolv.conf
	[ "$status" -eq 0 ]
	run grep -v '^#' <<<"$output"
	[ "$status" -eq 1 ]
	run "$DRIVER" -d corp.example "$NETNS" grep nameserver /etc/resolv.conf
	[ "$status" -eq 1 ]
}

@test "files of /etc/netns cover those of /etc, resolv.conf when the tunnel has no servers" {
	stage_prints "nameserver 10.77.0.2 nameserver 10.77.0.1 10.9.9.9 own ok" <<-'END'
		echo "nameserver 10.77.0.2" >"/etc/netns/$NETNS/resolv.conf"
		echo "10.9.9.9 own" >"/etc/netns/$NETNS/hosts"
		printf "hosts: resolve\nnetworks: dns\n" >"/etc/netns/$NETNS/nsswitch.conf"
		echo $(inside cat /etc/resolv.conf; "$DRIVER" -d 10.77.0.1 "$NETNS" cat /etc/resolv.conf
			inside cat /etc/hosts
			inside sed "s/^hosts: files dns$/ok/;/^networks: dns$/d" /etc/nsswitch.conf)
	END
}

@test "a file of /etc/netns that has nothing to cover is an error" {
	stage_prints "125" <<-'END'
		touch "/etc/netns/$NETNS/no-such.conf"
		status=0
		inside true 2>"$WORK/error" || status=$?
		grep -q "this machine has no /etc/no-such.conf" "$WORK/error"
		[ ! -e /etc/no-such.conf ]
		echo $status
	END
}

@test "nsswitch.conf is the machine's but for hosts" {
	stage_prints $'passwd: files\nhosts: files dns\ngroup: files\nnone' <<-'END'
		inside cat /etc/nsswitch.conf
		rm /etc/nsswitch.conf
		inside sh -c "test -e /etc/nsswitch.conf || echo none"
	END
}

@test "the covers are read-only, readable by all and have no other name" {
	stage_prints "644 644 read-only 2" <<-'END'
		umask 077
		echo $("$DRIVER" -u guest "$NETNS" stat -c %a /etc/resolv.conf /etc/nsswitch.conf
			inside sh -c "echo x >>/etc/resolv.conf" 2>/dev/null || echo read-only
			inside cat /proc/self/mountinfo | grep -v " /sys/fs/bpf " | grep -c "tmpfs subu")
	END
}

@test "a symbolic link at /etc/resolv.conf is covered, wherever it leads" {
	stage_prints "nameserver 10.77.0.1 nameserver 10.77.0.1 nameserver 10.77.0.1" <<-'END'
		show() { "$DRIVER" -u guest -d 10.77.0.1 "$NETNS" cat /etc/resolv.conf; }
		mkdir -p /run/systemd/resolve /run/elsewhere
		echo "nameserver 127.0.0.53" | tee /run/systemd/resolve/stub-resolv.conf \
			>/run/elsewhere/resolv.conf
		ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
		one=$(show)
		ln -sf /run/elsewhere/resolv.conf /etc/resolv.conf
		two=$(show)
		ln -sf /run/nowhere/resolv.conf /etc/resolv.conf
		three=$(show)
		[ "$(readlink /etc/resolv.conf)" = /run/nowhere/resolv.conf ]
		[ ! -e /run/nowhere ]
		echo "$one $two $three"
	END
}

@test "the file behind the link may be replaced while a command runs" {
	stage_prints "nameserver 10.77.0.1" <<-'END'
		mkdir /run/elsewhere
		touch /run/elsewhere/resolv.conf
		ln -sf /run/elsewhere/resolv.conf /etc/resolv.conf
		mkfifo "$WORK/ready" "$WORK/go"
		"$DRIVER" -d 10.77.0.1 "$NETNS" \
			sh -c "echo >$WORK/ready; read _ <$WORK/go; cat /etc/resolv.conf" &
		read _ <"$WORK/ready"
		echo "nameserver 10.77.0.53" >/run/elsewhere/new
		mv /run/elsewhere/new /run/elsewhere/resolv.conf
		echo >"$WORK/go"
		wait $!
	END
}

@test "what the machine mounts over resolv.conf while a command runs stays below the cover" {
	stage_prints $'nameserver 10.77.0.1\nnameserver 10.77.0.1' <<-'END'
		echo "nameserver 10.77.0.54" >/mnt/new
		mkfifo "$WORK/ready" "$WORK/go"
		"$DRIVER" -d 10.77.0.1 "$NETNS" \
			sh -c "echo >$WORK/ready; read _ <$WORK/go; cat /etc/resolv.conf
				echo >$WORK/ready; read _ <$WORK/go; cat /etc/resolv.conf" &
		read _ <"$WORK/ready"
		mount --bind /mnt/new /etc/resolv.conf
		echo >"$WORK/go"
		read _ <"$WORK/ready"
		umount /etc/resolv.conf
		echo >"$WORK/go"
		wait $!
	END
}

@test "a machine without resolv.conf is told what to do, and stays without" {
	stage_prints "125" <<-'END'
		rm /etc/resolv.conf
		status=0
		# It ends while /proc is covered, which leak detection reads.
		ASAN_OPTIONS=detect_leaks=0 inside true 2>"$WORK/error" || status=$?
		grep -q "this machine has no /etc/resolv.conf .* an empty file will do" "$WORK/error"
		[ ! -e /etc/resolv.conf ]
		echo $status
	END
}

@test "what is subu's own is covered, and the kernel's settings are read-only, also for root" {
	mkdir -p /run/subu /run/wireguard
	run "$DRIVER" -u root "$NETNS" find /run/subu /run/wireguard -mindepth 1
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run "$DRIVER" -u root "$NETNS" sh -c ': >/run/subu/x'
	[[ $output == *Read-only* ]]
	run "$DRIVER" -u root "$NETNS" sh -c 'echo x >/proc/sys/kernel/core_pattern'
	[[ $output == *Read-only* ]]
	run "$DRIVER" -u root "$NETNS" unshare --user --map-root-user --mount umount /run/subu
	[ "$status" -ne 0 ]
}

@test "the sockets of nscd and systemd-resolved are covered" {
	stage_prints $'outside: asked\ninside: not asked' <<-'END'
		mkdir -p /run/nscd /run/systemd/resolve
		touch /run/systemd/resolve/io.systemd.Resolve
		python3 - /run/nscd/socket "$WORK/asked" <<-'PYTHON' >/dev/null &
			import socket, sys
			server = socket.socket(socket.AF_UNIX)
			server.bind(sys.argv[1])
			server.listen()
			log = open(sys.argv[2], "wb", buffering=0)
			while True:
			    client = server.accept()[0]
			    log.write(client.recv(512))
			    client.close()
		PYTHON
		for i in $(seq 600); do [ -e "$WORK/asked" ] && break; sleep 0.05; done
		chmod 777 /run/nscd/socket
		asked() { if grep -q "$1" "$WORK/asked"; then echo asked; else echo not asked; fi; }
		getent hosts one.invalid >/dev/null || true
		echo "outside: $(asked one.invalid)"
		inside getent hosts two.invalid >/dev/null || true
		echo "inside: $(asked two.invalid)"
		[ -z "$(inside find /run/nscd /var/run/nscd/ /run/systemd/resolve -mindepth 1)" ]
		[ "$(inside touch /run/nscd/socket 2>/dev/null || echo read-only)" = read-only ]
	END
}

# dns_server ADDRESS LOG: answers every query with 10.1.2.3 and logs that it was asked.
dns_server()
{
	ip netns exec "$NETNS" python3 - "$1" "$2" <<-'PYTHON' 3>&- &
		import socket, sys
		server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		server.bind((sys.argv[1], 53))
		log = open(sys.argv[2], "w", buffering=1)
		while True:
		    query, peer = server.recvfrom(512)
		    log.write("asked\n")
		    end = query.index(0, 12) + 5
		    a = query[end - 4:end - 2] == b"\0\1"
		    server.sendto(query[:2] + b"\x81\x80\0\1\0" + bytes([a]) + bytes(4) + query[12:end]
		                  + (b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x0a\1\2\3" if a else b""), peer)
	PYTHON
	servers+=($!)
	for _ in $(seq 600); do
		[ -e "$2" ] && return
		sleep 0.05
	done
	return 1
}

@test "a name is asked of the tunnel's server only" {
	servers=()
	ip -n "$NETNS" address add 10.77.0.1/32 dev lo
	ip -n "$NETNS" address add 10.77.0.53/32 dev lo # the machine's own, on the stage
	dns_server 10.77.0.1 "$WORK/tunnel"
	dns_server 10.77.0.53 "$WORK/machine"
	run stage <<-'END'
		"$DRIVER" -u guest -d 10.77.0.1 "$NETNS" getent ahostsv4 name.example
	END
	kill "${servers[@]}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == 10.1.2.3* ]]
	[ -s "$WORK/tunnel" ]
	[ ! -s "$WORK/machine" ]
}

# --- the control group

@test "a command and all that it starts are in the control group" {
	group() { grep '^0:' /proc/self/cgroup; }

	[ "$("$DRIVER" "$NETNS" grep '^0:' /proc/self/cgroup)" = "$(group)" ]
	for user in root nobody; do
		run "$DRIVER" -u "$user" -g "$NETNS" "$NETNS" \
			sh -c 'cat /proc/$$/cgroup; setsid cat /proc/self/cgroup'
		[ "$(grep '^0:' <<<"$output")" = "0::/$NETNS"$'\n'"0::/$NETNS" ]
	done
	[ "$(grep '^0:' /proc/$$/cgroup)" = "$(group)" ]
}

@test "a group that cannot be joined ends it" {
	mkdir "$HIERARCHY/$NETNS"/{one,two}
	echo threaded >"$HIERARCHY/$NETNS/one/cgroup.type" # which makes the other unfit
	run --separate-stderr "$DRIVER" -g "$NETNS/two" "$NETNS" true
	fails 125 "cannot join the control group"
	run --separate-stderr "$DRIVER" -g "$NETNS/three" "$NETNS" true
	fails 125 "cannot open the control group"
}

# The ways out of the group by its name in the folder $1, a line each of those that work; then where
# that led.
leave='
	exec 2>/dev/null
	echo 0 >"$1/cgroup.procs" && echo joined
	echo 0 >"$1/$NETNS/cgroup.procs" && echo joined below
	mkdir "$1/$NETNS/another" && echo made
	mount -o remount,bind,rw "$1" && echo remounted
	umount -l "$1" && echo unmounted
	grep "^0:" /proc/self/cgroup
'

@test "nobody leaves the group, not even root, nor in namespaces of its own" {
	run inside sh -c "$leave" - "$HIERARCHY"
	[ "$output" = "0::/$NETNS" ]
	run "$DRIVER" -u nobody -g "$NETNS" "$NETNS" unshare --user --map-root-user --mount \
		--propagation unchanged sh -c "$leave" - "$HIERARCHY"
	[ "$output" = "0::/$NETNS" ]
	cd "$HIERARCHY"
	run inside sh -c "$leave" - .
	[ "$output" = "0::/$NETNS" ]
	cd "$HIERARCHY/$NETNS"
	run inside sh -c "$leave" - ..
	[ "$output" = "0::/$NETNS" ]
}

@test "the hierarchy is read-only wherever it is mounted, and for those inside only" {
	stage_prints $'ro\nro\nrw' <<-'END'
		mount --bind "$HIERARCHY" /mnt
		cat /proc/self/mountinfo >"$WORK/before"
		for folder in /mnt "$HIERARCHY"; do
			inside sh -c "mkdir $folder/$NETNS/new 2>/dev/null || echo ro"
		done
		mkdir "/mnt/$NETNS/new" && echo rw
	END
}

@test "root in a user namespace of its own cannot uncover anything" {
	python <<-'END'
		hierarchy = os.environ["HIERARCHY"].encode()
		print(call(272, 0x10020000))  # unshare: a user and a mount namespace
		print(call(165, None, hierarchy, None, 0x1020, None))  # mount: bind again, not read-only
		print(call(166, hierarchy, 2), call(166, b"/proc/sys", 2))  # umount, detached
		try:
		    open(hierarchy + b"/cgroup.procs", "w")
		except OSError as error:
		    print(error.strerror)
	END
	[ "${lines[*]}" = "0 EPERM EINVAL EINVAL Read-only file system" ]
}

@test "root starts no process in another group" {
	python <<-'END'
		import struct
		group = os.open(os.environ["HIERARCHY"], os.O_RDONLY)
		# CLONE_INTO_CGROUP, and SIGCHLD at its end
		words = ctypes.create_string_buffer(struct.pack("11Q", 1 << 33, 0, 0, 0, 17, *[0] * 5, group))
		result = call(435, words, 88)
		if result == 0:
		    os._exit(0)
		print(result)
	END
	[ "$output" = ENOSYS ]
}

# --- what is covered

@test "what is pinned in a BPF file system is out of reach" {
	stage_prints $'empty\nempty\nempty /mnt/bpf\nempty /mnt/bpf\nthere' <<-'END'
		mkdir /mnt/bpf
		mount -t bpf bpf /mnt/bpf
		mount -t bpf bpf /sys/fs/bpf
		mkdir -p /mnt/bpf/subu/subu_0 /sys/fs/bpf/subu/subu_0
		cat /proc/self/mountinfo >"$WORK/before"
		for folder in /mnt/bpf /sys/fs/bpf; do
			inside sh -c "ls -A $folder; mkdir $folder/x 2>/dev/null || echo empty"
		done
		cd /mnt/bpf/subu/subu_0
		inside sh -c "ls -A . ..; rmdir ../subu_0 2>/dev/null || echo empty \$(pwd -P)" |
			grep -v "^[./]*:\|^$\|^bpf$"
		"$DRIVER" -u guest "$NETNS" sh -c "echo empty \$(pwd -P)"
		rmdir /mnt/bpf/subu/subu_0 && echo there
	END
}

@test "a current folder below a cover is no way around it" {
	stage_prints $'/run/subu\n/run/subu\n/run/subuX (deleted)\n/proc/sys/net/ipv4\nread-only' <<-'END'
		mkdir -p /run/subu/deep/deeper /run/subu/deleted /run/subuX
		echo secret >/run/subu/secret
		cd /run/subu/deep/deeper
		inside sh -c "cat ../../secret 2>/dev/null; pwd -P"
		cd /run/subu/deleted
		rmdir /run/subu/deleted
		inside sh -c "cat ../secret 2>/dev/null; pwd -P"
		cd /run/subuX
		rmdir /run/subuX
		inside readlink /proc/self/cwd
		cd /proc/sys/net/ipv4
		inside pwd -P
		cd /proc/sys/kernel
		inside sh -c "echo core >core_pattern" 2>/dev/null || echo read-only
	END
}

# --- system calls

# python [USER]: runs the script on stdin inside, as root or the user, with call(NUMBER, WORD...): a
# system call by its number on x86-64, as a process of 64 bits passes its words; the result, or the
# name of the error.
python()
{
	local script

	script=$(cat <<-'END'
		import ctypes, errno, os
		syscall = ctypes.CDLL(None, use_errno=True).syscall
		syscall.restype = ctypes.c_long
		def call(*words):
		    result = syscall(*[ctypes.c_uint64(w) if isinstance(w, int) else w for w in words])
		    return result if result >= 0 else errno.errorcode[ctypes.get_errno()]
	END
		cat)
	run "$DRIVER" -u "${1:-root}" -g "$NETNS" "$NETNS" python3 -c "$script"
	echo "$status: $output"
}

@test "sockets are of the families that something holds to the tunnel, and of no other" {
	# With flags that no socket has the kernel answers EINVAL whatever the family.
	for user in root nobody; do
		python "$user" <<-'END'
			families = list(range(2000)) + [1 << bit | low for bit in range(64) for low in (0, 2, 40)]
			for number in 41, 53:  # socket, socketpair
			    for family in families:
			        allowed = family & 0xffffffff in (1, 2, 10, 16, 17, 38)
			        if call(number, family, 0x10, 0, 0) != ("EINVAL" if allowed else "EAFNOSUPPORT"):
			            print(number, family)
			for family in 2, 10, 2 | 1 << 32:
			    for protocol in 256, 256 | 1 << 32:
			        print(call(41, family, 0x10, protocol))
			print(call(41, 2, 0x10, 262), call(41, 16, 0x10, 256), call(41, 1, 0x10, 256))
		END
		[ "$status" -eq 0 ]
		[ "$(sort <<<"$output" | uniq -c | xargs)" = "1 EINVAL EINVAL EINVAL 6 EPROTONOSUPPORT" ]
	done
}

@test "the sockets that are left work" {
	python nobody <<-'END'
		import socket
		for family in socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK:
		    socket.socket(family, socket.SOCK_DGRAM)
		socket.socketpair()
		socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)  # Multipath TCP
	END
	[ "$status" -eq 0 ]
}

@test "io_uring, clone3 and request_key are not there, and threads and children are" {
	python <<-'END'
		import subprocess, threading
		print(*[call(number, 1, 0, 0, 0, 0) for number in (425, 426, 427, 435, 249)])
		thread = threading.Thread(target=lambda: print("thread"))
		thread.start()
		thread.join()
		print(subprocess.run(["echo", "child"], stdout=subprocess.PIPE, text=True).stdout, end="")
	END
	[ "${lines[*]}" = "ENOSYS ENOSYS ENOSYS ENOSYS ENOSYS thread child" ]
}

@test "nothing is typed into the caller's terminal" {
	python <<-'END'
		tty, other = os.openpty()
		letter = ctypes.create_string_buffer(b"x")
		for high in 0, 1 << 32, 1 << 63:
		    print(call(16, tty, high | 0x5412, letter), call(16, tty, high | 0x541c, letter))
		print(os.get_terminal_size(tty) is not None)
	END
	[ "${lines[*]}" = "EPERM EPERM EPERM EPERM EPERM EPERM True" ]
}

@test "a program for another ABI is ended, and its caller sees why" {
	# getpid() as i386 and as x32 have it
	python <<-'END'
		import mmap
		code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
		code.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")
		print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())
	END
	[ "$status" -eq $((128 + 31)) ]
	[ -z "$output" ]
	python <<<'print(call(0x40000000 + 39))'
	[ "$status" -eq $((128 + 31)) ]
	[ -z "$output" ]
}

@test "what works without privilege works inside: tracing, filters and namespaces of one's own" {
	[ "$("$DRIVER" -u nobody "$NETNS" strace -f -o /dev/null sh -c 'echo $((1 + 1))')" = 2 ]
	[ "$("$DRIVER" -u nobody "$NETNS" strace -qq -o /dev/null -e inject=getppid:retval=77 \
		python3 -c 'import os; print(os.getppid())')" = 77 ]
	run "$DRIVER" -u nobody "$NETNS" unshare --user --map-root-user --net ip -o link
	[[ $output == *lo* ]]
	python nobody <<-'END'
		import struct
		allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000))
		program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)))
		print(call(317, 1, 0, program))  # seccomp
		print([line.split()[1] for line in open("/proc/self/status") if "Seccomp_filters" in line])
	END
	[ "${lines[*]}" = "0 ['2']" ]
}

# --- other processes

# What of another process of the account is within reach: python3 reach.py [PID SOCKET BUFFER], as
# $WORK/target says them; without words, of a child of its own. A line, "NAME OUTCOME", for each.
# reach_files makes both programs.
reach_files()
{
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" 2>/dev/null || true
	cat >"$WORK/target.py" <<-'END'
		import ctypes, os, signal, socket, sys
		ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1))  # to Yama: anybody may trace
		udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		buffer = ctypes.create_string_buffer(b"secret")
		print(os.getpid(), udp.fileno(), ctypes.addressof(buffer), flush=True)
		sys.stdin.read()
	END
	cat >"$WORK/reach.py" <<-'END'
		import ctypes, errno, os, struct, subprocess, sys
		syscall = ctypes.CDLL(None, use_errno=True).syscall
		syscall.restype = ctypes.c_long
		def call(*words):
		    words = [ctypes.c_uint64(w) if isinstance(w, int) else w for w in words]
		    result = syscall(*words)
		    if result < 0:
		        raise OSError(ctypes.get_errno(), "")
		    return result
		if len(sys.argv) == 1:
		    child = subprocess.Popen(
		        [sys.executable, os.path.dirname(sys.argv[0]) + "/target.py"],
		        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
		    sys.argv += child.stdout.readline().split()
		pid, fd, address = map(int, sys.argv[1:])
		bytes_ = ctypes.create_string_buffer(6)
		def vector(address):
		    return ctypes.create_string_buffer(struct.pack("QQ", address, 6))
		def memory(number):
		    call(number, pid, vector(ctypes.addressof(bytes_)), 1, vector(address), 1, 0)
		def pidfd():
		    call(438, os.pidfd_open(pid), fd, 0)
		def trace():
		    call(101, 0x4206, pid, 0, 0)  # PTRACE_SEIZE
		    os.kill(pid, 0)
		    call(101, 0x4207, pid, 0, 0)  # PTRACE_INTERRUPT
		    os.waitpid(pid, 0x40000000)
		    call(101, 17, pid, 0, 0)  # PTRACE_DETACH
		def proc(name, use):
		    return name, lambda: use(f"/proc/{pid}/{name}")
		def enter(path):
		    os.close(os.open(path, os.O_RDONLY))
		def read(path):
		    with open(path, "rb", buffering=0) as file:
		        file.seek(address if path.endswith("mem") else 0)
		        file.read(1)
		for name, way in [
		        ("pidfd_getfd", pidfd), ("process_vm_readv", lambda: memory(310)),
		        ("process_vm_writev", lambda: memory(311)), ("ptrace", trace),
		        proc("root", os.listdir), proc("cwd", os.listdir), proc(f"fd/{fd}", os.readlink),
		        proc("ns/net", os.readlink), proc("ns/user", enter), proc("mem", read),
		        proc("environ", read), proc("exe", os.readlink)]:
		    try:
		        way()
		        print(name, "works")
		    except OSError as error:
		        print(name, errno.errorcode[error.errno])
	END
}

# Starts a process of nobody's outside, and sets target_pid and the words of it for reach.py.
outsider()
{
	reach_files
	mkfifo "$WORK/go"
	(cd / && exec setpriv --reuid nobody --regid nogroup --clear-groups \
		/usr/bin/python3 "$WORK/target.py") <>"$WORK/go" >"$WORK/target" 3>&- &
	target_pid=$!
	for _ in {1..200}; do
		[ -s "$WORK/target" ] && break
		sleep 0.05
	done
	read -ra target <"$WORK/target"
}

# reaches OUTCOME: what the last run said is of 12 ways, each with that outcome (an expression).
reaches()
{
	echo "$status: $output"
	[ "$status" -eq 0 ]
	[ "$(wc -l <<<"$output")" -eq 12 ]
	[ "$(grep -cE " ($1)\$" <<<"$output")" -eq 12 ]
}

as_nobody()
{
	(cd / && setpriv --reuid nobody --regid nogroup --clear-groups "$@")
}

@test "other processes of its account are not a command's to use" {
	outsider
	run as_nobody /usr/bin/python3 "$WORK/reach.py" "${target[@]}"
	reaches works
	run "$DRIVER" -u nobody "$NETNS" python3 "$WORK/reach.py" "${target[@]}"
	reaches 'EPERM|EACCES'
	run "$DRIVER" -u nobody "$NETNS" unshare --user --map-root-user \
		python3 "$WORK/reach.py" "${target[@]}"
	kill "$target_pid"
	reaches 'EPERM|EACCES'
}

@test "it uses those that it started, and they are seen and used from outside" {
	reach_files
	run "$DRIVER" -u nobody "$NETNS" python3 "$WORK/reach.py"
	reaches works
	run "$DRIVER" -u nobody "$NETNS" sh -c \
		"gdb -batch -nx -ex run -ex bt --args sh -c 'kill -ABRT \$\$' 2>&1"
	[[ $output == *SIGABRT* ]]
	mkfifo "$WORK/go"
	"$DRIVER" -u nobody "$NETNS" python3 "$WORK/target.py" <>"$WORK/go" >"$WORK/target" 3>&- &
	for _ in {1..200}; do
		[ -s "$WORK/target" ] && break
		sleep 0.05
	done
	read -ra target <"$WORK/target"
	run as_nobody /usr/bin/python3 "$WORK/reach.py" "${target[@]}"
	kill %%
	reaches works
}

@test "it sees other processes, and sends them signals" {
	outsider
	run "$DRIVER" -u nobody "$NETNS" ps -o pid=,user= -p "${target[0]}"
	[ "$(xargs <<<"$output")" = "${target[0]} nobody" ]
	"$DRIVER" -u nobody "$NETNS" kill -TERM "${target[0]}"
	status=0
	wait "$target_pid" || status=$?
	[ "$status" -eq $((128 + 15)) ]
}

@test "no namespace is entered, not even its own" {
	for user in root nobody; do
		python "$user" <<-'END'
			for name in "net", "user", "mnt", "pid":
			    print(call(308, os.open("/proc/self/ns/" + name, os.O_RDONLY), 0))
			print(call(308, os.pidfd_open(os.getpid()), 0x40000000))
		END
		[ "$status" -eq 0 ]
		[ "${lines[*]}" = "EPERM EPERM EPERM EPERM EPERM" ]
	done
}

# ordinary COMMAND...: does inside, by way of the command, what a domain may hinder.
ordinary='
	set -eu
	cd "$(mktemp -d)"
	mkdir one two one/folder
	echo text >one/file
	mv one/file two/file
	ln two/file one/link
	mv one/folder two
	[ "$(cat one/link)" = text ]
	mkfifo fifo
	ln -s fifo link
	sleep 60 &
	kill $!
	wait $! || [ $? -eq 143 ]
	timeout 60 true
	rm -r "$PWD"
	echo all done
'

@test "files are moved and linked across folders, and children ended, as ever" {
	for user in root nobody; do
		run "$DRIVER" -u "$user" "$NETNS" sh -c "$ordinary"
		[ "${lines[-1]}" = "all done" ]
	done
}

@test "a user namespace of its own may mount, from Linux 6.12 on" {
	run "$DRIVER" -u nobody "$NETNS" unshare --user --map-root-user --mount \
		sh -c 'mount -t tmpfs tmpfs /mnt && : >/mnt/x && umount /mnt && echo mounted'
	echo "$output"
	if [ "$(printf '%s\n' 6.12 "$(uname -r)" | sort -V | head -n 1)" = 6.12 ]; then
		[ "$output" = mounted ]
	else
		[[ $output != *mounted* ]]
	fi
}

@test "a shell inside controls its jobs" {
	cat >"$WORK/jobs" <<-'END'
		sleep 0.5 3>&- &
		kill -STOP %1
		sleep 0.2
		jobs -s
		bg %1
		wait %1
		echo $?
	END
	run timeout 20 script -qec "cat '$WORK/jobs' | '$DRIVER' -u nobody $NETNS bash -m" /dev/null
	echo "$output"
	[[ $output == *Stopped* ]]
	[[ ${lines[-1]} == 0* ]]
}

# Two commands in one sub-user: the first serves at the address, the second connects.
talk()
{
	mkfifo "$WORK/ready$1"
	"$DRIVER" -u nobody -g "$NETNS" "$NETNS" python3 -c '
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1].replace("@", "\0"))
server.listen()
print("ready", flush=True)
server.settimeout(20)
server.accept()[0].send(b"heard")' "$2" >"$WORK/ready$1" 3>&- &
	read -r _ <"$WORK/ready$1"
	run "$DRIVER" -u nobody -g "$NETNS" "$NETNS" python3 -c '
import errno, socket, sys
client = socket.socket(socket.AF_UNIX)
try:
    client.connect(sys.argv[1].replace("@", "\0"))
    print(client.recv(9).decode())
except OSError as error:
    print(errno.errorcode[error.errno])' "$2"
	kill %% 2>/dev/null || true
	echo "$1: $output"
}

@test "two commands talk by sockets in the file system, by abstract ones until Linux 6.12" {
	folder=$(as_nobody mktemp -d)
	talk 1 "$folder/socket"
	rm -r "$folder"
	[ "$output" = heard ]
	talk 2 "@$NETNS"
	if [ "$(printf '%s\n' 6.12 "$(uname -r)" | sort -V | head -n 1)" = 6.12 ]; then
		[ "$output" = EPERM ]
	else
		[ "$output" = heard ]
	fi
}

# injected FAULT COMMAND...: as nobody inside, where landlock_create_ruleset() has the fault (strace).
injected()
{
	local fault=$1

	shift
	env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null \
		-e "inject=landlock_create_ruleset:$fault" "$DRIVER" -u nobody "$NETNS" "$@"
}

@test "without Landlock it goes inside all the same" {
	outsider
	for error in ENOSYS EOPNOTSUPP; do
		run injected "error=$error" python3 "$WORK/reach.py" "${target[@]}"
		reaches works
	done
	kill "$target_pid"
}

@test "where a domain may not do without a right to files, they are moved and linked all the same" {
	outsider
	run injected retval=2:when=1 python3 "$WORK/reach.py" "${target[@]}"
	kill "$target_pid"
	reaches 'EPERM|EACCES'
	run injected retval=2:when=1 sh -c "$ordinary"
	[ "${lines[-1]}" = "all done" ]
	run injected retval=2:when=1 unshare --user --map-root-user --mount true
	[ "$status" -ne 0 ]
}

@test "a domain that cannot be entered ends it" {
	run --separate-stderr injected error=ENOMEM:when=1 true
	fails 125 "cannot tell what Landlock can do"
	run --separate-stderr injected error=EPERM:when=2 true
	fails 125 "cannot make the command's Landlock ruleset"
	export ASAN_OPTIONS=detect_leaks=0
	run --separate-stderr strace -f -qq -o /dev/null -e inject=landlock_add_rule:error=ENOMEM \
		-e inject=landlock_create_ruleset:retval=2:when=1 "$DRIVER" -u nobody "$NETNS" true
	fails 125 "cannot add to the command's Landlock ruleset"
	run --separate-stderr strace -f -qq -o /dev/null -e inject=landlock_restrict_self:error=E2BIG \
		"$DRIVER" -u nobody "$NETNS" true
	fails 125 "cannot put the command into a Landlock domain"
}

# --- the standard descriptors

# given SCRIPT: runs it in the namespace, with run(fd=SOCKET...): the command's status with that
# socket there, and with pipes else, and what it said on stderr.
given()
{
	local script

	script=$(cat <<-'END'
		import os, socket, subprocess
		def run(**three):
		    command = [os.environ["DRIVER"], os.environ["NETNS"], "echo", "output"]
		    three = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | three
		    done = subprocess.run(command, **three, text=True)
		    return done.returncode, done.stderr
	END
		cat)
	run ip netns exec "$NETNS" python3 -c "$script"
	echo "$output"
}

@test "a socket of the network outside is no standard descriptor" {
	given <<-'END'
		names = {"stdin": "standard input", "stdout": "standard output", "stderr": "standard error"}
		for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_NETLINK, socket.SOCK_RAW),
		                     (socket.AF_INET6, socket.SOCK_DGRAM), (socket.AF_PACKET, socket.SOCK_RAW)):
		    for fd, name in names.items():
		        status, text = run(**{fd: socket.socket(family, kind)})
		        if status == 0 or fd != "stderr" and name + " is a socket" not in text:
		            print(family, fd, status, text)
		with socket.create_server(("127.0.0.1", 0)) as server:
		    here = socket.create_connection(server.getsockname())
		    status, _ = run(stderr=server.accept()[0])
		    print(status, here.recv(1000).decode(), end="")
	END
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == '125 enter-driver: standard error is a socket'*'`cat | subu exec ... | cat`' ]]
}

@test "pipes, files, terminals and UNIX sockets are" {
	given <<-'END'
		here, there = socket.socketpair()
		tty, other = os.openpty()
		print(run(stdin=there, stdout=there, stderr=there), here.recv(100))
		print(run(stdin=other, stdout=other, stderr=other), os.read(tty, 100))
		print(run(), run(stdin=subprocess.DEVNULL))
	END
	[ "${lines[0]}" = "(0, None) b'output\\n'" ]
	[ "${lines[1]}" = "(0, None) b'output\\r\\n'" ]
	[ "${lines[2]}" = "(0, '') (0, '')" ]
}

# --- network and mounts

@test "an ordinary user can ping" {
	ip netns exec "$NETNS" sh -c 'echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range'
	run "$DRIVER" -u nobody "$NETNS" ping -c 1 -W 5 127.0.0.1
	echo "$output"
	[ "$status" -eq 0 ]
	run "$DRIVER" -u nobody "$NETNS" ping -c 1 -W 5 ::1
	[ "$status" -eq 0 ]
}

@test "/sys/class/net shows the namespace's devices" {
	ip -n "$NETNS" link add inner type veth peer name other
	run inside ls /sys/class/net
	[ "${lines[*]}" = "inner lo other" ]
	cd /sys/class/net
	run inside ls
	[ "${lines[*]}" = "inner lo other" ]
	[ "$(inside readlink /proc/self/cwd)" = /sys/class/net ]
}

@test "a current folder of a device that is not inside becomes /sys" {
	ip link add "enter$$" type veth peer name "retne$$"
	cd "/sys/class/net/enter$$/queues"
	run inside readlink /proc/self/cwd
	cd /
	ip link delete "enter$$"
	[ "$output" = /sys ]
}

@test "what is mounted below /sys stays" {
	# The BPF file system has a cover of its own.
	below() { grep -v ' /sys/fs/bpf ' | awk '$5 ~ "^/sys/" { print $3, $4, $5 }' | sort -u; }

	[ -n "$(mounts | below)" ]
	[ "$(inside cat /proc/self/mountinfo | below)" = "$(mounts | below)" ]
	[ "$(inside stat -f -c %i /sys/fs/cgroup)" = "$(stat -f -c %i /sys/fs/cgroup)" ]
	[ "$(inside ls /sys/fs/cgroup)" = "$(ls /sys/fs/cgroup)" ]
}

@test "a read-only /sys stays read-only" {
	stage_prints "ro" <<-'END'
		mount -o remount,bind,ro /sys
		cat /proc/self/mountinfo >"$WORK/before"
		inside awk '$5 == "/sys" { split($6, option, ","); mode = option[1] } END { print mode }' \
			/proc/self/mountinfo
	END
}

@test "the machine mounts and unmounts for those inside too, and not the reverse" {
	stage_prints "seen" <<-'END'
		mkdir /mnt/disk
		mkfifo "$WORK/ready" "$WORK/go"
		inside sh -c "echo >$WORK/ready; read _ <$WORK/go; test -e /mnt/disk/file && echo seen
			echo >$WORK/ready; read _ <$WORK/go; ! test -e /mnt/disk/file" &
		read _ <"$WORK/ready"
		mount -t tmpfs tmpfs /mnt/disk
		touch /mnt/disk/file
		echo >"$WORK/go"
		read _ <"$WORK/ready"
		umount /mnt/disk
		echo >"$WORK/go"
		wait $!
	END
}

@test "the machine's mounts are as before" {
	inside true
	"$DRIVER" -u nobody -d 10.77.0.1 "$NETNS" true
	run -127 inside no-such-command
	[ "$(mounts)" = "$before" ]
}

@test "twenty at once" {
	pids=()
	for i in $(seq 20); do
		"$DRIVER" -u nobody -d "10.77.0.$i" "$NETNS" \
			sh -c 'sleep 0.2; grep -qx "nameserver $0" /etc/resolv.conf && exit "$1"' \
			"10.77.0.$i" "$i" 3>&- &
		pids+=($!)
	done
	for i in $(seq 20); do
		status=0
		wait "${pids[i - 1]}" || status=$?
		[ "$status" -eq "$i" ]
	done
	[ "$(mounts)" = "$before" ]
}

@test "killed at any instant it leaves nothing behind" {
	for i in $(seq 40); do
		"$DRIVER" -g "$NETNS" "$NETNS" sleep 60 3>&- &
		pid=$!
		sleep "0.00$((i % 10))"
		kill -KILL "$pid"
		wait "$pid" || true
	done
	[ "$(mounts)" = "$before" ]
	[ -z "$(ip netns pids "$NETNS")" ]
	[ -z "$(cat "$HIERARCHY/$NETNS/cgroup.procs")" ]
}
