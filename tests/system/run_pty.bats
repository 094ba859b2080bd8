# `subu run` at a terminal: job control, signals and what is left of them, as a user without root.
#
#	terminal (a script that types, and reads)
#	  └─ bash -i, dash -i or a script
#	       └─ subu run ── tunnel to 127.0.0.1:9, where nobody answers
#	            └─ the command
#
# The prompt is the last status in brackets. Nothing is echoed. ^Z waits a moment: a shell that it meets
# in the middle of vfork() for its next command cannot stop until that one goes on.
#
# shellcheck disable=SC2016 # $ is another shell's
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2154 # bats sets output
load lib

bash=(bash --norc --noprofile --noediting -i)

setup()
{
	user=61235
	while getent passwd "$user" >/dev/null; do
		user=$((user + 1))
	done
	home=$BATS_TEST_TMPDIR/home
	terminal=$BATS_TEST_DIRNAME/terminal
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR"
	install -D -m 755 "${SUBU:-$BATS_TEST_DIRNAME/../../build/src/subu}" \
		"$BATS_TEST_TMPDIR/bin/subu"
	install -d -m 700 -o "$user" -g "$user" "$home" "$home/run"
	cat >"$BATS_TEST_TMPDIR/vpn.conf" <<-END
		[Interface]
		PrivateKey = $(wg genkey)
		Address = 10.77.0.2/32
		DNS = 10.77.0.1
		[Peer]
		PublicKey = $(wg genkey | wg pubkey)
		AllowedIPs = 0.0.0.0/0
		Endpoint = 127.0.0.1:9
	END
	chmod 644 "$BATS_TEST_TMPDIR/vpn.conf"
	as_user subu -q profile import "$BATS_TEST_TMPDIR/vpn.conf"
	counter
}

# No tunnel may be left, and nobody inside.
teardown()
{
	soon nothing_left
}

nothing_left()
{
	! pgrep -U "$user" >/dev/null
}

# as_user COMMAND...: who can open /dev/net/tun, as distributions have it.
as_user()
{
	(cd "$home" && env -i HOME="$home" XDG_RUNTIME_DIR="$home/run" TERM=dumb PS1='[$?] ' \
		PATH="$BATS_TEST_TMPDIR/bin:/usr/bin:/bin" "${prefix[@]}" \
		unshare --mount --propagation private sh -c '
			mount -t tmpfs -o mode=755 tmpfs /dev/net
			mknod -m 666 /dev/net/tun c 10 200
			exec "$@"' sh setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@" 3>&-)
}

# at_terminal COMMAND...: does what stdin says (see terminal) at a terminal with COMMAND.
at_terminal()
{
	prefix=("$terminal")
	run as_user "$@"
	prefix=()
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

# at_shells: the same with bash and with dash.
at_shells()
{
	local steps
	steps=$(cat)
	at_terminal "${bash[@]}" <<<"$steps"
	at_terminal dash -i <<<"$steps"
}

# counter: a command that says which signals it gets, each as often as it does.
counter()
{
	cat >"$BATS_TEST_TMPDIR/bin/counter" <<-'END'
		#!/usr/bin/python3
		import os, signal, sys
		names = sys.argv[1:]
		for name in names:
		    signal.signal(signal.Signals["SIG" + name],
		                  lambda number, frame: os.write(1, b"<%d>" % number))
		os.write(1, b"counting\n")
		while True:
		    signal.pause()
	END
	chmod 755 "$BATS_TEST_TMPDIR/bin/counter"
}

@test "Ctrl-C ends the command, and the shell goes on" {
	at_shells <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; exec sleep 100'
		< here
		^ C
		< [130]
		> echo still "there"
		< still there
		> exit
		end
	END
}

@test "Ctrl-C ends the loop around it" {
	at_shells <<-'END'
		< [0]
		> for i in 1 2 3; do subu run -- sh -c 'echo here; exec sleep 100'; done
		< here
		^ C
		< [130]
		> echo still "there"
		< still there
		> exit
		end
	END
}

@test "Ctrl-backslash ends it too" {
	at_shells <<-'END'
		< [0]
		> ulimit -c 0; subu run -- sh -c 'echo here; exec sleep 100'
		< here
		^ \
		< [131]
		> exit
		end
	END
}

@test "Ctrl-Z stops it as one job, fg and bg continue it, and a read in the background stops it" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; read line; echo "got $line"; exit 7'
		< here
		pause 0.3
		^ Z
		< Stopped
		< [148]
		> jobs
		< [1]+  Stopped
		< [0]
		> fg
		pause 0.5
		^ Z
		< Stopped
		< [148]
		> bg
		< [0]
		pause 1
		> jobs
		< [1]+  Stopped
		< [0]
		> jobs -s | grep -c subu
		< 1
		> fg
		pause 1
		! Stopped
		> text
		< got text
		< [7]
		> exit
		end
	END
}

@test "stopped and continued in dash" {
	at_terminal dash -i <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; read line; echo "got $line"; exit 7'
		< here
		pause 0.3
		^ Z
		< Stopped
		< [148]
		> jobs
		< Stopped
		> fg
		pause 1
		! Stopped
		> text
		< got text
		< [7]
		> exit
		end
	END
}

@test "a job that ends in the background leaves the shell its terminal" {
	at_shells <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; sleep 2; echo done; exit 3'
		< here
		pause 0.3
		^ Z
		< Stopped
		> bg
		< done
		pause 3
		> echo "still" there
		< still there
		> exit
		end
	END
}

@test "a command in raw mode stops itself in each way, once it has put the terminal in order" {
	for way in 'kill -TSTP 0' 'kill -TSTP $$' 'kill -STOP $$'; do
		cat >"$BATS_TEST_TMPDIR/bin/editor" <<-END
			#!/bin/sh
			stty raw -echo
			trap 'echo again' CONT
			echo ready
			head -c 1 >/dev/null
			stty sane -echo
			$way
			stty raw -echo
			echo resumed
			head -c 1 >/dev/null
			stty sane -echo
			exit 5
		END
		chmod 755 "$BATS_TEST_TMPDIR/bin/editor"
		at_terminal "${bash[@]}" <<-'END'
			< [0]
			> subu run -- editor
			< ready
			pause 0.3
			^ Z
			< Stopped
			< [148]
			> stty -a
			< icanon
			< [0]
			> fg
			< again
			< resumed
			pause 1
			! Stopped
			! again
			pause 0.3
			^ Z
			< [5]
			> exit
			end
		END
	done
}

@test "a command that ignores what is typed goes on, and so does the session" {
	at_shells <<-'END'
		< [0]
		> subu run -- sh -c 'trap "" TSTP INT QUIT; echo here; read line; echo "got $line"; exit 7'
		< here
		^ C
		pause 0.3
		^ Z
		^ \
		pause 1
		! Stopped
		> text
		< got text
		< [7]
		> exit
		end
	END
}

@test "a shell inside has job control, and its end gives the terminal back" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- env PS1='in[$?] ' bash --norc --noediting -i
		< in[0]
		! job control
		! process group
		> cat
		pause 0.5
		^ Z
		< Stopped
		< in[148]
		> fg
		pause 0.5
		> words
		< words
		^ C
		< in[130]
		> exit 9
		< [9]
		> echo still "there"
		< still there
		> exit
		end
	END
}

@test "a shell inside suspends itself, and is continued in the foreground" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- env PS1='in[$?] ' bash --norc --noediting -i
		< in[0]
		> suspend
		< Stopped
		< [148]
		> jobs
		< Stopped
		< [0]
		> fg
		< in[0]
		> sleep 100
		pause 0.5
		^ Z
		< in[148]
		> fg
		pause 0.5
		^ C
		< in[130]
		> suspend
		< Stopped
		< [148]
		> fg
		< in[
		> exit 9
		< [9]
		> exit
		end
	END
}

@test "a shell inside a script gives the terminal back to the script" {
	cat >"$BATS_TEST_TMPDIR/bin/outer" <<-'END'
		#!/bin/sh
		subu run -- env PS1='in[$?] ' bash --norc --noediting -i
		echo "ended $?"
		read line
		echo "got $line"
	END
	chmod 755 "$BATS_TEST_TMPDIR/bin/outer"
	at_shells <<-'END'
		< [0]
		> outer
		< in[0]
		> exit 9
		< ended 9
		> text
		< got text
		< [0]
		> exit
		end
	END
}

@test "a shell without job control: what is typed ends the command and the script" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> sh -c 'subu run -- sh -c "echo here; exec sleep 100"; echo after'
		< here
		^ C
		< [130]
		! after
		> exit
		end
	END
}

@test "the window's size is right inside, and its change is told once" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c 'stty size; exec counter WINCH'
		< 24 80
		< counting
		size 30 100
		< <28>
		pause 1
		! <28>
		^ C
		< [130]
		> subu run -- stty size
		< 30 100
		> exit
		end
	END
}

@test "a signal to subu reaches the command once, whoever sends it and to whom" {
	for signal in TERM HUP USR1 INT WINCH CONT; do
		number=$(kill -l "$signal")
		at_terminal "${bash[@]}" <<-END
			< [0]
			> subu run -- counter $signal &
			< counting
			> kill -$signal \$!
			< <$number>
			pause 0.5
			! <$number>
			> sh -c "kill -$signal \$!"
			< <$number>
			pause 0.5
			! <$number>
			> kill -$signal -\$!
			< <$number>
			pause 0.5
			! <$number>
			> setsid sh -c "kill -$signal -\$!"
			< <$number>
			pause 0.5
			! <$number>
			> kill -QUIT \$!
			pause 3
			> exit
			end
		END
	done
}

@test "a script sends its own subu a signal" {
	run as_user bash -c 'subu run -- sh -c "echo here; exec sleep 100" >here &
		until grep -q here here; do sleep 0.1; done
		kill $!; wait $!; echo "ended $?"'
	[ "$output" = "ended 143" ] || { echo "$output"; return 1; }
}

@test "timeout ends it, from its group and from another" {
	run -124 as_user timeout 2 subu run -- sleep 100
	run -124 as_user timeout --foreground 2 subu run -- sleep 100
	run -124 as_user setsid -w timeout --foreground 2 subu run -- sleep 100
}

@test "the terminal's end is the command's and the tunnel's" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; exec sleep 100'
		< here
		hangup
		end
	END
	soon nothing_left
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; exec sleep 100'
		< here
		pause 0.3
		^ Z
		< Stopped
		hangup
		end
	END
	soon nothing_left
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- env PS1='in[$?] ' bash --norc --noediting -i
		< in[0]
		> sleep 100
		pause 0.5
		hangup
		end
	END
	soon nothing_left
	at_terminal subu run -- bash --norc --noediting -i <<-'END'
		< [0]
		> sleep 100
		pause 0.5
		hangup
		end
	END
}

@test "nohup outlives the terminal" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> nohup subu run -- sh -c 'echo here; sleep 5; echo late >late' &
		< ignoring input
		pause 2
		hangup
		end
	END
	[ ! -e "$home/late" ]
	soon test -e "$home/late"
}

@test "without a terminal: what stops itself goes on when subu is continued" {
	as_user setsid sh -c 'subu run -- sh -c "echo here >here; kill -STOP \$\$; echo on >on" &
		echo $! >pid; wait $!; echo $? >status' </dev/null >"$BATS_TEST_TMPDIR/said" 2>&1 &
	soon test -s "$home/here"
	sleep 1
	[ ! -e "$home/on" ]
	kill -CONT "$(cat "$home/pid")"
	soon test -s "$home/status"
	[ "$(cat "$home/on" "$home/status")" = $'on\n0' ]
}

@test "with all its descriptors elsewhere it stops all the same" {
	at_shells <<-'END'
		< [0]
		> subu run -- sh -c 'echo here >here; exec sleep 100' </dev/null >out 2>&1
		pause 2
		^ Z
		< Stopped
		< [148]
		> cat here; rm here
		< here
		> kill %1; fg >/dev/null
		< [143]
		> exit
		end
	END
}

@test "a pipeline is one job" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; cat; exit 3' | sed 's/^/=/' | cat; echo "${PIPESTATUS[*]}"
		pause 2
		> one
		pause 0.5
		^ Z
		< Stopped
		> jobs
		< Stopped
		> fg
		pause 0.5
		> two
		^ D
		< =here
		< =one
		< =two
		> exit
		end
	END
}

@test "two at once in one shell" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; read line; echo "first $line"; exit 5'
		< here
		pause 0.3
		^ Z
		< Stopped
		< [148]
		> subu run -- sh -c 'echo here; read line; echo "second $line"; exit 6'
		< here
		pause 0.3
		^ Z
		< Stopped
		< [148]
		> fg %1
		> a
		< first a
		< [5]
		> fg %2
		> b
		< second b
		< [6]
		> exit
		end
	END
}

@test "a terminal that stops who writes in the background" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> stty tostop; set +m; set -m
		> subu run -- sh -c 'sleep 1; echo written; exit 4' &
		pause 4
		! written
		> jobs
		< Stopped
		> fg
		< written
		< [4]
		> exit
		end
	END
}

@test "what is stopped and then killed has the status of its end" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; exec sleep 100'
		< here
		pause 0.3
		^ Z
		< Stopped
		> kill %1
		> fg
		< [143]
		> subu run -- sh -c 'echo here; exec sleep 100'
		< here
		pause 0.3
		^ Z
		< Stopped
		> kill -KILL %1
		pause 1
		> jobs
		< Killed
		> exit
		end
	END
}

@test "the session itself is stopped and continued" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c 'echo here; read line; echo "got $line"; exit 7' &
		< here
		pause 1
		> jobs
		< Stopped
		> kill -CONT $!; sleep 1; jobs; echo aga"in"
		< again
		> fg
		pause 1
		! Stopped
		> text
		< got text
		< [7]
		> subu run -- sh -c 'echo here; sleep 3; read line; echo "got $line"; exit 8' &
		< here
		> kill -STOP $!
		pause 4
		> jobs; echo aga"in"
		< Stopped
		< again
		> fg
		pause 1
		! Stopped
		> text
		< got text
		< [8]
		> exit
		end
	END
}

@test "what a signal leaves, in a script" {
	run as_user sh -c '
		trap : TERM
		subu run -- sh -c "kill -TERM \$\$"; echo $?
		subu run -- sh -c "kill -KILL \$\$"; echo $?
		subu run -- sh -c "kill -USR1 \$\$"; echo $?
		subu run -- sh -c "trap \"exit 9\" TERM; kill -TERM 0"; echo $?
		subu run -- yes | head -n 1
		subu run -- sh -c "trap - PIPE; yes; echo \$? >&2" | head -n 1'
	[ "$output" = $'143\n137\n138\n9\ny\ny\n141' ] || { echo "$output"; return 1; }
}

@test "a daemon that keeps the terminal is ended, also when it does not want to" {
	at_terminal "${bash[@]}" <<-'END'
		< [0]
		> subu run -- sh -c '(trap "" TERM HUP INT; sleep 100; sleep 100) & (sleep 100 &) ; exit 4'
		< [4]
		> pgrep -U "$(id -u)" -c sleep
		< 0
		< [1]
		> exit
		end
	END
}

@test "two hundred runs, eight at once: each has its own status" {
	run as_user bash -c '
		for round in $(seq 25); do
			pids=()
			for at in $(seq 8); do
				subu run -- sh -c "exit $((round * 8 + at - 8))" &
				pids+=($!)
			done
			for at in $(seq 8); do
				wait "${pids[at - 1]}"
				[ $? = $((round * 8 + at - 8)) ] || echo "$round $at: another status"
			done
		done'
	[ -z "$output" ] || { echo "$output"; return 1; }
}
