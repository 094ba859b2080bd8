# kill -9 of whoever takes part in a tunnel without root: nothing leaks meanwhile, no process and no
# device of ours is left, and the next call takes away what is.
#
#	 client                                                            server
#	+--------------------------------------------------------+        +---------------------+
#	| session            supervisor                          |        |                     |
#	|  └─ reaper          ├─ anchor (lo, subu_0 10.77.0.2) ==|========|== wg0 10.77.0.1     |
#	|      └─ command     └─ engine                          |        |                     |
#	|                                        up0 192.0.2.2 --|--------|- up0 192.0.2.1      |
#	+--------------------------------------------------------+        +---------------------+
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
	as_user sh -c 'rm -rf $HOME/*.* $HOME/.config'
	conf vpn.conf 2
	as_user subu -q profile import vpn.conf
	before=$(traces)
}

teardown()
{
	client pkill -x tcpdump || true
	client pkill -KILL -U "$user" || true
	client sh -c "rm -rf $home/run; install -d -m 700 -o $user -g $user $home/run"
}

# traces: the user's processes, the client's network, and what is known of tunnels.
traces()
{
	client sh -c "pgrep -U $user -l; ip -br address; ip rule; ip route show table all; ls $runtime 2>/dev/null | grep -vx lock; true"
}

gone()
{
	[ "$(traces)" = "$before" ]
}

# begin OPTION...: a command that pings the server as long as it is there, in the background, as
# `running`; it notes what became of it.
begin()
{
	as_user sh -c "subu run $* sh -c 'touch in.run
			while :; do ping -q -c 1 -W 1 10.77.0.1 >/dev/null 2>&1; sleep 0.1; done'
		echo \$? >status.run" >/dev/null 2>"$BATS_TEST_TMPDIR/said" &
	running=$!
	soon client test -e "$home/in.run"
	capture_start
	soon heard
}

# heard: the command's packets come by outside, as they should.
heard()
{
	captured 'udp port 51820' | grep -q .
}

said()
{
	cat "$BATS_TEST_TMPDIR/said"
}

parent_of()
{
	client ps -o ppid= -p "$1" | tr -d ' '
}

# inmate, reaper, session: the command that runs, and those above it.
inmate()
{
	client pgrep -U "$user" -f '^sh -c touch in.run'
}

reaper()
{
	parent_of "$(inmate)"
}

session()
{
	parent_of "$(reaper)"
}

# finish: the command ends, and so does all that waits for it.
finish()
{
	client kill "$(inmate)"
	wait "$running"
}

# --- a tunnel of one command

@test "run, its session killed: the command is ended, nothing is left" {
	begin --profile vpn
	client kill -KILL "$(session)"
	soon gone
	only_wireguard
	done_by subu -q status
}

@test "run, its reaper killed: the command is ended, and told" {
	begin --profile vpn
	client kill -KILL "$(reaper)"
	wait "$running"
	[ "$(client cat "$home/status.run")" = 137 ] || complain "its status"
	[[ $(said) == *'subu: the command was killed with the process that looks after it'* ]]
	soon gone
	only_wireguard
}

@test "run, its supervisor killed: no network, and the next call cleans up" {
	begin --profile vpn
	client kill -KILL "$(part supervisor)"
	soon lost 'its supervisor was told to end, or was killed'
	finish
	done_by subu -q status
	soon gone
	only_wireguard
}

@test "run, its anchor killed: no network, and it is told" {
	begin --profile vpn
	client kill -KILL "$(part anchor)"
	soon lost 'the process that holds the namespaces was killed'
	finish
	soon reported 'the process that holds the namespaces was killed'
	soon gone
	only_wireguard
}

@test "run, its engine killed: no network, and it is told" {
	begin --profile vpn
	client kill -KILL "$(part engine)"
	soon lost 'the engine of subu_0 was killed by signal 9'
	finish
	soon reported 'the engine of subu_0 was killed by signal 9'
	soon gone
	only_wireguard
}

# lost REASON: the command's terminal has that line, and the command has lo alone.
lost()
{
	[[ $(said) == *'the tunnel has ended, and the command has no network now: '*"$1"* ]] &&
		[ "$(client nsenter -t "$(reaper)" -n ls -1 /proc/sys/net/ipv4/conf | xargs)" = 'all default lo' ]
}

# reported REASON: the next call says what happened, or the command's own has cleaned up already.
reported()
{
	try subu status
	[ "$status" -eq 0 ] && { [[ $stderr == *"$1"* ]] || gone; }
}

# --- a tunnel that stays

@test "up, the parts killed one by one: the next call says why, and up works again" {
	local name

	for name in supervisor anchor engine; do
		done_by subu up vpn
		begin --profile vpn
		client kill -KILL "$(part "$name" vpn)"
		soon lost ''
		finish
		try subu up vpn
		[ "$status" -eq 0 ] || complain "not up again after $name"
		[ "$name" = supervisor ] || [[ $stderr == *'the tunnel vpn had ended by itself: '* ]] ||
			complain "not told of $name"
		done_by subu run --profile vpn ping -q -c 1 -W 5 10.77.0.1
		done_by subu down vpn
		soon gone
		only_wireguard
		client pkill -x tcpdump
		client rm "$home/in.run"
	done
}

@test "up, the session of a command in it killed: the tunnel stays" {
	done_by subu up vpn
	begin --profile vpn
	client kill -KILL "$(session)"
	soon nobody_inside
	done_by subu run --profile vpn ping -q -c 1 -W 5 10.77.0.1
	done_by subu down vpn
	soon gone
}

nobody_inside()
{
	output=$(as_user subu --json status vpn)
	[ "$(json '(v["state"], v["inside"])')" = "('up', 0)" ]
}

@test "two calls of up at once: one tunnel, and one is told" {
	try sh -c 'subu up vpn >1.out 2>&1 & one=$!; subu up vpn >2.out 2>&1 & two=$!
		wait $one; a=$?; wait $two; echo $((a + $?))'
	[ "$output" = 1 ] || complain "not one of them"
	grep -q 'the tunnel vpn is up already' <(client sh -c "cat $home/*.out")
	[ "$(client pgrep -U "$user" -xc subu)" -eq 3 ] || complain "other processes"
	done_by subu down vpn
	gone
}

@test "up and down, killed at random moments" {
	local i

	for i in {1..25}; do
		try timeout -s KILL "0.0$((RANDOM % 90 + 10))" subu up vpn
		try timeout -s KILL "0.0$((RANDOM % 90 + 10))" subu down vpn
	done
	as_user subu -q status
	try subu down vpn
	soon gone
	done_by subu up vpn
	done_by subu down vpn
	soon gone
}

# --- what may be found in the runtime folder

# record NAME SUPERVISOR START: of a tunnel that is up in a folder.
record()
{
	as_user sh -c "mkdir -p -m 700 $runtime/$1; cat >$runtime/$1/record.json" <<-END
		{"name": "$1", "profile": "", "supervisor": $2, "supervisor_start": $3, "anchor": $2,
		 "anchor_start": $3, "backend": "engine", "since": 1, "addresses": "10.77.0.2/32",
		 "dns": "", "source": "", "fingerprint": ""}
	END
}

@test "a number that another process has by now is not taken for ours, nor sent a signal" {
	local start

	as_user sleep 55 &
	soon client pgrep -U "$user" -x sleep
	other=$(client pgrep -U "$user" -x sleep)
	start=$(client cut -d ' ' -f 22 "/proc/$other/stat")
	before=$(traces)
	record old "$other" $((start - 1))
	fails 1 "no tunnel old is up" subu down old --force
	soon gone
	record old "$other" $((start - 1))
	done_by subu --json status
	[ "$output" = '[]' ] || complain "it is listed"
	# Nor with its own start time, for it does not hold the lock.
	record old "$other" "$start"
	done_by subu --json status
	[ "$output" = '[]' ] || complain "it is listed"
	client kill -0 "$other"
	client kill "$other"
}

@test "a tunnel whose lock another process holds is not signalled under a number of another time" {
	local start

	as_user sleep 55 &
	soon client pgrep -U "$user" -x sleep
	other=$(client pgrep -U "$user" -x sleep)
	start=$(client cut -d ' ' -f 22 "/proc/$other/stat")
	record old "$other" $((start - 1))
	as_user python3 -c 'import fcntl, sys, time
lock = open(sys.argv[1], "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", file=open(sys.argv[2], "w"))
time.sleep(50)' "$runtime/old/lock" "$home/held" &
	soon client test -e "$home/held"
	done_by subu --json status
	[ "$(json 'len(v)')" = 1 ] || complain "it is not listed"
	try subu down old --force
	client kill -0 "$other"
	# With its own start time it is taken for the supervisor: the check is not blind.
	record old "$other" "$start"
	try subu down old --force
	soon ended "$other"
	client pkill -KILL -U "$user" || true
	as_user subu -q status
	soon gone
}

ended()
{
	! client kill -0 "$1" 2>/dev/null
}

@test "rubbish in the runtime folder is no tunnel, and is taken away where subu could have made it" {
	local text

	as_user mkdir -p -m 700 "$runtime" mine.d
	as_user bash -c "echo precious >mine.d/file; cd $runtime; mkdir empty random links 'a b'
		head -c 100000 /dev/urandom >random/record.json; ln -s /etc/passwd links/log
		ln -s /etc links/record.json; mkfifo links/engine.sock; echo x >file; ln -s $home/mine.d link"
	record liar 1 1
	as_user mv "$runtime/liar" "$runtime/name"
	done_by subu --json status
	[ "$output" = '[]' ] || complain "a tunnel"
	[ "$(client ls "$runtime")" = $'file\nlink\nlock' ] || complain "not cleaned up"
	[ "$(client cat "$home/mine.d/file")" = precious ]
	for text in '' '{' '{}' '[]' null '{"name": 5}' '{"name": "made"}'; do
		as_user sh -c "mkdir $runtime/made; echo '$text' >$runtime/made/record.json"
		done_by subu --json status
		[ "$output" = '[]' ] || complain "a tunnel of $text"
	done
	fails 1 "no tunnel link is up" subu down link
	done_by subu up vpn
	done_by subu down vpn
}

@test "a runtime folder that is another's, open to others or a link is refused" {
	client rm -rf "$runtime"
	client install -d -m 755 "$runtime"
	fails 125 "the folder $runtime belongs to user 0 and must be your own" subu run true
	client rmdir "$runtime"
	as_user install -d -m 777 "$runtime"
	fails 1 "others may write to the folder $runtime" subu up vpn
	as_user rmdir "$runtime"
	as_user ln -s "$home" "$runtime"
	fails 1 "no symbolic link" subu status
	as_user rm "$runtime"
}
