# What becomes of a tunnel whose `up` does not come to its end, and what a command finds of the
# runtime folder: by a user who is not root. No server answers: nothing here needs one.
#
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2016,SC2154 # $1 is another shell's; lib.bash has the names
load lib

setup()
{
	user=62345
	while getent passwd "$user" >/dev/null || pgrep -u "$user" >/dev/null; do
		user=$((user + 1))
	done
	home=$BATS_TEST_TMPDIR/home
	runtime=$home/run
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR"
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "${SUBU:-$BATS_TEST_DIRNAME/../../build/src/subu}" "$BATS_TEST_TMPDIR/bin/subu"
	install -d -m 700 -o "$user" -g "$user" "$home" "$runtime"
	as_user sh -c 'umask 077; cat >silent.conf; subu profile import silent.conf' <<-END
		[Interface]
		PrivateKey = $(wg genkey)
		Address = 10.77.0.2/32
		[Peer]
		PublicKey = $(wg genkey | wg pubkey)
		AllowedIPs = 0.0.0.0/0
		Endpoint = 127.0.0.1:9
	END
}

teardown()
{
	pkill -KILL -u "$user" || true
}

# as_user COMMAND...: in the user's home, with the TUN device that distributions give to all.
as_user()
{
	env -i --chdir "$home" HOME="$home" XDG_RUNTIME_DIR="$runtime" \
		PATH="$BATS_TEST_TMPDIR/bin:/usr/bin:/bin" \
		unshare -m --propagation private sh -c '
			mount -t tmpfs -o mode=755 tmpfs /dev/net
			mknod -m 666 /dev/net/tun c 10 200
			exec setpriv --reuid "$0" --regid "$0" --clear-groups -- "$@"' "$user" "$@" 3>&-
}

# up_begins SECONDS: up waits in the background, for so long at the most; its process, the first that
# the user has, is `up`.
up_begins()
{
	as_user subu up silent --timeout "$1" 2>"$home/up.stderr" &
	soon is_up
	up=$(pgrep -o -u "$user")
}

is_up()
{
	as_user subu status silent 2>/dev/null | grep -q '^State  *up$'
}

has_gone()
{
	! kill -0 "$1" 2>/dev/null
}

is_empty()
{
	! pgrep -u "$user" >/dev/null && [ "$(ls "$runtime/subu")" = lock ]
}

@test "an up that is ended while it waits for the server leaves nothing" {
	local signal

	for signal in TERM KILL; do
		up_begins 60
		kill -"$signal" "$up"
		soon is_empty
	done
}

@test "an up that fails takes no tunnel away but its own" {
	local first

	up_begins 1
	first=$up
	kill -STOP "$first"
	as_user subu down silent
	up_begins 60
	sleep 1.1
	kill -CONT "$first"
	soon has_gone "$first"
	is_up
	as_user subu down silent
	soon is_empty
}

@test "a current folder below a cover is no way around it, however its path is written" {
	local path

	up_begins 60
	as_user ln -s run "$home/link"
	for path in "$runtime/" "$home//run" "$home/link"; do
		run --separate-stderr as_user sh -c '
			cd run/subu/silent && ls engine.sock >&2 &&
			XDG_RUNTIME_DIR=$1 subu run --config ../../../silent.conf -- ls -A . ..' - "$path"
		[ "$status" -eq 0 ]
		[[ $stderr == *engine.sock* ]]
		[[ $output != *engine.sock* && $output != *silent* ]]
	done
}
