# What the crash suites share: a command is killed on its way into each system call that changes
# anything, one after the other until it gets through. Whatever came of it, `reconcile` brings
# database and kernel to agree, and the machine back to where it was.
#
# A suite may choose other calls. strace counts each call of each process on its own, and lets go of the engine when it is executed.
#
# shellcheck disable=SC2016,SC2154 # $processes is another shell's; bats sets status and output

# Reaches out of the process: to the kernel, to other processes, to the file system.
changes=(sendto mount umount2 unlink mkdir link clone ioctl bind write pidfd_send_signal exit_group)

# Of these every fourth is enough: SQLite's own tests hold the database to its word.
few=(pwrite64 fdatasync ftruncate)

# a_tunnel_to_nobody: WG_0, complete, to a server that is not there.
a_tunnel_to_nobody()
{
	client subu -q WG global 10.77.0.0/24
	client subu -q WG create 192.0.2.1:51820
	client subu -q WG server_provided_public_key WG_0 "$(wg genkey | wg pubkey)"
	client subu -q WG set WG_0 dns 10.77.0.1
}

# interrupt HOW CALL N COMMAND...: runs it, with signal=NAME or error=NAME at its Nth such call. No
# search for leaks: it cannot be traced.
interrupt()
{
	ASAN_OPTIONS=detect_leaks=0 try timeout 60 strace -f -b execve -qq -o /dev/null \
		-e trace="$2" -e inject="$2:$1:when=$3" "${@:4}"
}

# traces: what there is on the client of ours.
traces()
{
	client bash -c "$(declare -f groups_and_pins)"'
		processes=$(ps -e -o comm=); sort <<<"$processes"
		ls -A /run/netns /run/wireguard /run/subu
		groups_and_pins'
}

# agree: reconcile works, finds nothing to do when it is run again, and doctor is content.
agree()
{
	done_by subu reconcile
	done_by subu reconcile
	! grep -v ': nothing to do$' <<<"$output" | grep . || complain "reconcile went on"
	done_by subu doctor
}

# kill_at_every STRIDE CALL COMMAND...: before each try `given` makes the state that the command
# starts from, and after it `taken_back` the one before that. Prints how often it was killed.
kill_at_every()
{
	local n through

	for ((n = 1; ; n += $1)); do
		given
		interrupt signal=KILL "$2" "$n" "${@:3}"
		through=$status
		[ "$through" -eq 0 ] || [ "$through" -eq 137 ] || complain "neither killed nor done"
		agree
		taken_back
		diff <(echo "$began") <(traces) || complain "left by a kill at $2 number $n"
		[ "$through" -ne 0 ] || break
		kills=$((kills + 1))
	done
}

crash()
{
	local call kills=0 began

	given
	taken_back
	began=$(traces)
	for call in "${changes[@]}"; do
		kill_at_every 1 "$call" "$@"
	done
	for call in "${few[@]}"; do
		kill_at_every 4 "$call" "$@"
	done
	echo "# killed $kills times: $*" >&3
	[ "$kills" -gt 10 ]
}

# there subu_N: is it in the database?
there()
{
	client subu info "$1" >/dev/null 2>&1
}

attached()
{
	[ "$(dump | grep -c '^INSERT INTO links')" -gt 0 ]
}
