# Profiles, as a user who is not root and has nothing but a home.
#
# profiles/ has configurations as providers, routers and people make them, with keys made for them;
# those of the parser's own tests are imported too.
#
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2016,SC2034,SC2154 # `subu ...` stands in sentences; lib.bash has the names
load lib
load crash

secrets=(uDUe7EhB0XLVNd+omAt6fucXMZu+l6oxsbhISXW5Vmo= QIFP4T9vLEB2UzPfr704ALWXK6oXu0XPeENIqqOU90M=)

setup()
{
	user=61234
	while getent passwd "$user" >/dev/null; do
		user=$((user + 1))
	done
	home=$BATS_TEST_TMPDIR/home
	folder=$home/.config/subu/profiles
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR"
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "${SUBU:-$BATS_TEST_DIRNAME/../../build/src/subu}" "$BATS_TEST_TMPDIR/bin/subu"
	install -d -m 700 -o "$user" -g "$user" "$home"
	umask 077
}

# client COMMAND...: as the user, with no more in the environment than a login has.
client()
{
	env -i HOME="$home" PATH="$BATS_TEST_TMPDIR/bin:/usr/bin:/bin" \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}" "${environment[@]}" setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@" 3>&-
}

# everything: all that the user has.
everything()
{
	(cd "$home" && find . -printf '%p %y %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort)
}

# file NAME: a file of the user's from stdin, which others cannot read.
file()
{
	cat >"$home/$1"
	chown "$user" "$home/$1"
}

# source_of NAME: one of profiles/, as a file of the user's, in `source`.
source_of()
{
	source=$home/$1.conf
	file "$1.conf" <"$BATS_TEST_DIRNAME/profiles/good-$1.conf"
}

imported()
{
	source_of "$1"
	done_by subu profile import "$source"
}

# editor: EDITOR is a script of these lines, which has the file as $1.
editor()
{
	{ echo '#!/bin/bash'; cat; } >"$BATS_TEST_TMPDIR/editor"
	chmod 755 "$BATS_TEST_TMPDIR/editor"
	environment=(EDITOR="$BATS_TEST_TMPDIR/editor")
}

# same FILE NAME: the profile has the bytes of the file.
same()
{
	cmp "$1" "$folder/$2.conf" || complain "$2 is not as it should be"
}

# no_secret: nothing of what was said last is a good piece of a key.
no_secret()
{
	python3 -c '
import os, sys
said = os.environ["said"]
pieces = [key[i:i + 21] for key in sys.argv[1:] for i in range(len(key) - 20)]
sys.exit(any(piece in said for piece in pieces))' "${secrets[@]}" || complain "a secret is in this"
}

# quietly_kept: the folder has no other files than profiles.
quietly_kept()
{
	! find "$folder" -name '.*' ! -path "$folder" | grep . || complain "files are left over"
}

@test "good configurations are kept byte for byte, 0600 in 0700" {
	local source name fault count=0

	for source in "$BATS_TEST_DIRNAME"/{profiles,../unit/conf}/good-*.conf; do
		name=$(basename "$source" .conf)
		fault=
		grep -qiE '^\s*address\s*=\s*[0-9]' "$source" || fault='[Interface] has no Address'
		[ "$name" != good-ipv6-small-mtu ] || fault='1279 is too small for IPv6'
		cp "$source" "$home/source.conf"
		chown "$user" "$home/source.conf"
		try subu profile import "$home/source.conf" "$name"
		said=$output$stderr no_secret
		if [ -n "$fault" ]; then
			[ "$status" -eq 1 ] || complain "$name is taken"
			one_sentence "$fault"
			[ ! -e "$folder/$name.conf" ] || complain "$name is kept"
			continue
		fi
		[ "$status" -eq 0 ] || complain "$name is not taken"
		if grep -qE '^(Pre|Post)(Up|Down)|^SaveConfig' "$source"; then
			[[ $stderr == *'lines with PreUp'*'runs no commands'* ]] || complain "$name: no warning"
		else
			[ -z "$stderr" ] || complain "$name: a warning"
		fi
		same "$source" "$name"
		[ "$(stat -c '%a %u' "$folder/$name.conf")" = "600 $user" ] || complain "$name: its mode"
		count=$((count + 1))
	done
	[ "$count" -ge 22 ]
	[ "$(stat -c %a "$home/.config" "$home/.config/subu" "$folder" | sort -u)" = 700 ]
	quietly_kept
	done_by subu --json profile list
	[ "$(json 'len(v)')" -eq "$count" ]
	[ "$(json '[p for p in v if p["fault"]]')" = '[]' ]
	[ "$(json '[p["profile"] for p in v] == sorted(p["profile"] for p in v)')" = True ]
}

@test "bad configurations are refused with their line, and nothing is kept" {
	local source name count=0

	file first.conf <"$BATS_TEST_DIRNAME/profiles/good-mullvad.conf"
	done_by subu profile import "$home/first.conf"
	for source in "$BATS_TEST_DIRNAME"/{profiles,../unit/conf}/bad-*.conf; do
		name=$(basename "$source")
		file "$name" <"$source"
		before=$(everything)
		refused 1 "$home/$name:" subu profile import "$home/$name"
		said=$stderr no_secret
		count=$((count + 1))
	done
	[ "$count" -ge 45 ]
	before=
	cp "$BATS_TEST_DIRNAME"/profiles/bad-*.conf "$home"
	chown "$user" "$home"/*
	refused 1 "bad-amnezia.conf:4: 'Jc' is not a key" subu profile import "$home/bad-amnezia.conf"
	refused 1 "bad-placeholder.conf:2: PrivateKey" subu profile import "$home/bad-placeholder.conf"
	refused 1 "bad-own-key.conf: the public key of a peer is the tunnel's own" \
		subu profile import "$home/bad-own-key.conf"
	refused 1 "bad-no-port.conf:8: Endpoint: 'nl42.example.com' is not HOST:PORT" \
		subu profile import "$home/bad-no-port.conf"
	refused 1 "bad-merged.conf:9: AllowedIPs: 0.0.0.0/0 belongs to the peer of line 6" \
		subu profile import "$home/bad-merged.conf"
}

@test "what is no file" {
	client mkfifo "$home/pipe.conf"
	client mkdir "$home/folder.conf"
	client truncate -s 2M "$home/large.conf"
	refused 1 "cannot open $home/none.conf" subu profile import "$home/none.conf"
	refused 1 "is not a regular file" timeout 10 subu profile import "$home/pipe.conf"
	refused 1 "is not a regular file" subu profile import "$home/folder.conf"
	refused 1 "large.conf is too large: 1048576 bytes are the most" subu profile import \
		"$home/large.conf"
	refused 1 "standard input is too large" subu profile import - large <"$home/large.conf"
}

@test "standard input" {
	source_of mullvad
	umask 0
	done_by subu profile import - from-stdin <"$source"
	same "$source" from-stdin
	[ "$(stat -c %a "$folder/from-stdin.conf")" = 600 ]
	[ "$(stat -c %a "$folder")" = 700 ]
	refused 2 "standard input has no name" subu profile import - <"$source"
	refused 1 "standard input:1: there is no [Interface]" subu profile import - empty </dev/null
	client sh -c 'cat "$1" | (sleep 0.2; cat) | subu profile import - piped' sh "$source"
	same "$source" piped
}

@test "names" {
	source_of mullvad
	each 2 "is no name for the profile: letters" subu profile import "$source" -- a/b .. a..b .x \
		-x 'a b' a:b '*' $'a\nb' é
	each 2 "the name of the profile is empty" subu profile import "$source" -- ""
	each 2 "33 characters, 32 is the most" subu profile import "$source" -- \
		"$(printf 'a%.0s' {1..33})"
	cp -p "$source" "$home/my tunnel.conf"
	refused 2 "give a NAME after the file" subu profile import "$home/my tunnel.conf"
	cp -p "$source" "$home/plain"
	done_by subu profile import "$home/plain"
	same "$source" plain
	done_by subu profile import "$source" "$(printf 'a%.0s' {1..32})"
	done_by subu profile import "$source" a.b.conf
	same "$source" a.b.conf
	for verb in show edit delete; do
		each 2 "is no name for the profile" subu profile "$verb" -- ../plain .x /etc/passwd
		refused 1 "there is no profile nosuch: \`subu profile list\`" subu profile "$verb" nosuch
	done
}

@test "one that is there is not replaced" {
	imported mullvad
	file other.conf <"$BATS_TEST_DIRNAME/profiles/good-proton.conf"
	refused 1 'there is a profile mullvad already: give another name, or `subu profile delete mullvad`' \
		subu profile import "$home/other.conf" mullvad
	refused 1 "there is a profile mullvad already" subu --dry-run profile import "$home/other.conf" \
		mullvad
}

@test "a warning when others can read the original" {
	source_of mullvad
	chmod 640 "$source"
	try subu profile import "$source"
	[ "$status" -eq 0 ]
	[[ $stderr == "subu: warning: $source, which holds a private key, is readable by others"* ]] ||
		complain "no warning"
	done_by subu --quiet profile import "$source" other
	[ "$output" = other ]
	[ "$(stat -c %a "$folder/mullvad.conf")" = 600 ]
}

@test "list shows endpoints and addresses, and faults without failing" {
	done_by subu profile list
	[ "${#lines[@]}" -eq 1 ]
	[ ! -e "$home/.config" ]
	imported site-to-site
	imported ipv6-only
	done_by subu profile list
	[[ ${lines[0]} =~ ^Name\ +Endpoint\ +Addresses\ +State$ ]]
	[[ ${lines[1]} =~ ^ipv6-only\ +\[2001:db8::66\]:51820\ +2001:db8:42::7/128\ +down$ ]]
	[[ ${lines[2]} =~ ^site-to-site\ +203.0.113.9:51821,\ 203.0.113.77:51821\ +10.100.0.1/30\ +down$ ]]
	echo "PrivateKey ${secrets[0]}" >"$folder/broken.conf"
	echo x | tee "$folder/no profile.conf" "$folder/copy.conf~" "$folder/.hidden.conf" \
		"$folder/readme" >/dev/null
	cp "$source" "$folder/open.conf"
	chown "$user" "$folder"/*
	cp "$source" "$folder/roots.conf"
	chmod 644 "$folder/open.conf" "$folder/roots.conf"
	done_by subu profile list
	[ "${#lines[@]}" -eq 6 ]
	[[ ${lines[0]} =~ Fault$ ]]
	[[ ${lines[1]} =~ ^broken\ +-\ +-\ +down\ +.*/broken.conf:1:\ .*\ is\ not\ a\ key\ that ]]
	[[ $output =~ open\ .*chmod\ 600\ it ]]
	[[ $output =~ roots\ .*belongs\ to\ user\ 0 ]]
	[[ ${lines[5]} =~ ^site-to-site\ .*\ -$ ]]
	said=$output no_secret
	done_by subu --json profile list
	[ "$(json '[p["profile"] for p in v if p["fault"]]')" = "['broken', 'open', 'roots']" ]
	[ "$(json 'v[4]["endpoints"]')" = "['203.0.113.9:51821', '203.0.113.77:51821']" ]
	done_by subu profile delete --yes broken
	refused 1 "others may read or write $folder/open.conf: chmod 600 it" subu profile show open
	done_by subu profile delete --yes open
}

@test "show hides what is secret, unless it is asked for" {
	local source name

	for source in "$BATS_TEST_DIRNAME"/profiles/good-*.conf; do
		name=$(basename "$source" .conf)
		file "$name.conf" <"$source"
		client subu -q profile import "$home/$name.conf"
		client subu profile show "$name" >"$BATS_TEST_TMPDIR/shown"
		said=$(cat "$BATS_TEST_TMPDIR/shown") no_secret
		diff -a <(grep -avi 'privatekey\|presharedkey' "$source" | sed 's/\t# Q.*//') \
			<(grep -av '(hidden)' "$BATS_TEST_TMPDIR/shown")
		[ "$(wc -l <"$source")" -eq "$(wc -l <"$BATS_TEST_TMPDIR/shown")" ]
		client subu profile show "$name" --secrets | cmp - "$source"
		done_by subu --json profile show "$name"
		said=$output no_secret
		[ "$(json 'v["profile"]')" = "$name" ]
		[ "$(json 'v["file"]')" = "$folder/$name.conf" ]
		[ "$(json '"(hidden)" in v["text"]')" = True ]
		done_by subu --json profile show "$name" --secrets
		[ "$(json 'v["text"] == open("'"$source"'", newline="").read()')" = True ]
	done
	refused 2 "usage: subu profile show NAME [--secrets]" subu profile show --secrets
	refused 2 "usage: subu profile show NAME [--secrets]" subu profile show a b
}

@test "no secret leaves by the arguments or the environment of an editor" {
	imported windscribe
	editor <<-'END'
		tr '\0' ' ' </proc/$$/cmdline
		tr '\0' ' ' </proc/$PPID/cmdline
		env
		umask
	END
	done_by subu profile edit windscribe
	said=$output no_secret
	[[ $output == *0077* ]]
}

@test "delete asks on a terminal, and wants --yes without one" {
	imported mullvad
	refused 1 'nobody is there to be asked whether the profile mullvad may go: `subu profile delete mullvad --yes`' \
		subu profile delete mullvad </dev/null
	refused 2 "usage: subu profile delete NAME [--yes]" subu profile delete --yes
	before=$(everything)
	for answer in n '' x; do
		on_terminal "$answer" subu profile delete mullvad
		[ "$status" -eq 1 ] || complain "an answer of '$answer'"
		[[ $output == *'Delete the profile mullvad, with its private key? [y/N]'*'mullvad stays'* ]] ||
			complain "another question"
		unchanged
	done
	on_terminal y subu profile delete mullvad
	[ "$status" -eq 0 ] || complain "an answer of y"
	[ ! -e "$folder/mullvad.conf" ]
	done_by subu profile import "$source"
	done_by subu --json profile rm mullvad --yes
	[ "$(json 'v["removed"]')" = mullvad ]
	[ ! -e "$folder/mullvad.conf" ]
}

# on_terminal ANSWER COMMAND...: into `status` and `output`, with the answer typed at the question.
on_terminal()
{
	output=$(client python3 -c '
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
said, asked = b"", False
try:
    while piece := os.read(terminal, 4096):
        said += piece
        if b"? " in said and not asked:
            asked = True
            os.write(terminal, sys.argv[1].encode() + b"\n")
except OSError:
    pass
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))' "$@") && status=0 || status=$?
}

@test "dry-run changes nothing and says what would be done" {
	source_of mullvad
	before=$(everything)
	done_by subu -n profile import "$source"
	[ "$output" = "would keep $source as the profile mullvad" ]
	unchanged
	done_by subu profile import "$source"
	before=$(everything)
	done_by subu -n profile delete mullvad
	[ "$output" = "would delete $folder/mullvad.conf" ]
	editor <<<'echo edited >>"$1"'
	done_by subu -n --json profile edit mullvad
	[ "$(json 'v["plan"][0]')" = "edit a copy of $folder/mullvad.conf with '$BATS_TEST_TMPDIR/editor'" ]
	unchanged
}

@test "edit replaces the profile by a good text" {
	imported mullvad
	editor <<-'END'
		[ "$(stat -c '%a %F' "$1")" = '600 regular file' ] || exit 9
		[ "$(basename "$1")" = .mullvad.edit.conf ] || exit 8
		sed -i 's/^DNS.*/DNS = 10.64.0.7/' "$1"
		chmod 644 "$1"
	END
	done_by subu profile edit mullvad
	[ "$output" = "mullvad is changed" ]
	sed 's/^DNS.*/DNS = 10.64.0.7/' "$source" >"$BATS_TEST_TMPDIR/expected"
	same "$BATS_TEST_TMPDIR/expected" mullvad
	[ "$(stat -c %a "$folder/mullvad.conf")" = 600 ]
	quietly_kept
	before=$(everything)
	done_by subu profile edit mullvad
	[ "$output" = "mullvad is unchanged" ]
	unchanged
	editor <<<'sed -i "/^DNS/a PostUp = true" "$1"'
	try subu profile edit mullvad
	[ "$status" -eq 0 ]
	[[ $stderr == 'subu: warning: mullvad: 1 lines with PreUp'* ]] || complain "no warning"
	done_by subu --json profile show mullvad
	[[ $(json 'v["text"]') == *'PostUp = true'* ]]
}

@test "which editor" {
	imported azire
	mkdir "$BATS_TEST_TMPDIR/my tools"
	editor <<<'echo "# $1" >>"${@: -1}"'
	cp "$BATS_TEST_TMPDIR/editor" "$BATS_TEST_TMPDIR/my tools/edit"
	chmod -R a+rX "$BATS_TEST_TMPDIR/my tools"
	environment=(VISUAL="'$BATS_TEST_TMPDIR/my tools/edit' -w" EDITOR=false)
	done_by subu profile edit azire
	grep -qx '# -w' "$folder/azire.conf"
	environment=(VISUAL= EDITOR='f() { echo "# by EDITOR" >>"$1"; }; f')
	done_by subu profile edit azire
	grep -qx '# by EDITOR' "$folder/azire.conf"
	printf '#!/bin/sh\necho "# by vi" >>"$1"\n' >"$BATS_TEST_TMPDIR/bin/vi"
	chmod 755 "$BATS_TEST_TMPDIR/bin/vi"
	environment=()
	done_by subu profile edit azire
	grep -qx '# by vi' "$folder/azire.conf"
}

@test "edit keeps a text that is wrong, and goes on with it" {
	imported mullvad
	editor <<<'sed -i "s/^DNS.*/DNS = 10.64.0.256/" "$1"'
	before=$(everything)
	fails 1 "the profile mullvad is as it was, and your text is kept for the next \`subu profile edit mullvad\`: $folder/.mullvad.edit.conf:5: DNS: '10.64.0.256'" \
		subu profile edit mullvad
	same "$source" mullvad
	said=$stderr no_secret
	grep -q 10.64.0.256 "$folder/.mullvad.edit.conf"
	editor <<<'sed -i "s/256/255/" "$1"'
	try subu profile edit mullvad
	[ "$status" -eq 0 ] || complain "not done"
	[ "$stderr" = "subu: going on with the text that an earlier edit kept at $folder/.mullvad.edit.conf" ] ||
		complain "nothing about the text that was kept"
	grep -q '^DNS = 10.64.0.255' "$folder/mullvad.conf"
	quietly_kept
}

@test "an editor that fails or is killed changes nothing, and what was changed is kept" {
	imported mullvad
	before=$(everything)
	for fault in 'exit 3' 'kill -KILL $$' 'exit 127'; do
		editor <<<"$fault"
		refused 1 "the profile mullvad is as it was" subu profile edit mullvad
	done
	environment=(EDITOR=nosuch-editor)
	try subu profile edit mullvad
	[ "$status" -eq 1 ]
	[[ $stderr == *"cannot run the editor 'nosuch-editor'"* ]] || complain "another fault"
	unchanged
	editor <<<'sed -i "s/^DNS.*/DNS = 10.64.0.9/" "$1"; kill -TERM $$'
	fails 1 "was ended by signal 15; the profile mullvad is as it was, and what you changed is kept at $folder/.mullvad.edit.conf" \
		subu profile edit mullvad
	same "$source" mullvad
	editor <<<true
	try subu profile edit mullvad
	[ "$output" = "mullvad is changed" ] || complain "the kept text is lost"
	grep -q '^DNS = 10.64.0.9' "$folder/mullvad.conf"
	quietly_kept
}

@test "a signal from the terminal is the editor's" {
	imported mullvad
	editor <<-'END'
		trap 'sed -i "s/^DNS.*/DNS = 10.64.0.8/" "$1"' INT
		kill -INT 0
	END
	done_by setsid -w subu profile edit mullvad
	grep -q '^DNS = 10.64.0.8' "$folder/mullvad.conf"
}

@test "a change by somebody else meanwhile is not overwritten unseen" {
	imported mullvad
	file theirs <"$BATS_TEST_DIRNAME/profiles/good-proton.conf"
	editor <<-END
		[ -e "$home/done" ] || cp "$home/theirs" "$folder/mullvad.conf"
		touch "$home/done"
		sed -i 's/^DNS.*/DNS = 10.64.0.9/' "\$1"
	END
	fails 1 "the profile mullvad was changed by somebody else while you edited it, and stays so: your text is kept at $folder/.mullvad.edit.conf" \
		subu profile edit mullvad
	same "$home/theirs" mullvad
	try subu profile edit mullvad
	[ "$output" = "mullvad is changed" ] || complain "not replaced"
	sed 's/^DNS.*/DNS = 10.64.0.9/' "$source" | cmp - "$folder/mullvad.conf"
	quietly_kept
}

@test "a change between two edits is not overwritten unseen" {
	imported mullvad
	file theirs <"$BATS_TEST_DIRNAME/profiles/good-proton.conf"
	editor <<<'echo wrong >>"$1"'
	fails 1 "your text is kept" subu profile edit mullvad
	client cp "$home/theirs" "$folder/mullvad.conf"
	editor <<<'sed -i /wrong/d "$1"; echo "# mine" >>"$1"'
	try subu profile edit mullvad
	[ "$status" -eq 1 ] || complain "it is replaced"
	[[ $stderr == *"was changed by somebody else"* ]] || complain "another fault"
	same "$home/theirs" mullvad
	editor <<<'rm "$(dirname "$1")/mullvad.conf"; echo "# mine" >>"$1"'
	try subu profile edit mullvad
	[[ $stderr == *"was deleted while you edited it: your text is kept at"* ]] ||
		complain "another fault"
	[ ! -e "$folder/mullvad.conf" ]
	done_by subu profile import "$folder/.mullvad.edit.conf" again
	grep -qx '# mine' "$folder/again.conf"
}

@test "while it is edited, a profile is nobody else's to edit or delete" {
	imported mullvad
	client mkfifo "$home/begun" "$home/go"
	editor <<-END
		echo >"$home/begun"
		read -r _ <"$home/go"
		sed -i 's/^DNS.*/DNS = 10.64.0.9/' "\$1"
	END
	client timeout 60 subu profile edit mullvad >"$BATS_TEST_TMPDIR/said" &
	first=$!
	read -r _ <"$home/begun"
	refused 1 "the profile mullvad is being edited by another subu" timeout 10 subu profile edit mullvad
	refused 1 "the profile mullvad is being edited by another subu" timeout 10 subu profile delete mullvad --yes
	done_by subu profile import "$source" other
	echo >"$home/go"
	wait "$first"
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "mullvad is changed" ]
	done_by subu profile delete mullvad --yes
	quietly_kept
}

@test "many imports at once: of one name one is kept, of many names all" {
	local i

	for i in {1..12}; do
		sed "s/^DNS.*/DNS = 10.64.0.$i/" "$BATS_TEST_DIRNAME/profiles/good-mullvad.conf" |
			file "number$i.conf"
	done
	for i in {1..12}; do
		{ client subu profile import "$home/number$i.conf" one 2>/dev/null &&
			echo "$i" >>"$BATS_TEST_TMPDIR/won"; } || true &
		client subu -q profile import "$home/number$i.conf" >/dev/null &
	done
	wait
	[ "$(wc -l <"$BATS_TEST_TMPDIR/won")" -eq 1 ]
	same "$home/number$(cat "$BATS_TEST_TMPDIR/won").conf" one
	for i in {1..12}; do
		same "$home/number$i.conf" "number$i"
	done
	quietly_kept
}

# killed_at_every CALL COMMAND...: the command is killed on its way into each such call until it gets
# through; `given` goes before each try, and `whole` is what must be true after it.
killed_at_every()
{
	local n

	for ((n = 1; ; n++)); do
		given
		interrupt signal=KILL "$1" "$n" "${@:2}"
		[ "$status" -eq 0 ] || [ "$status" -eq 137 ] || complain "neither killed nor done"
		whole || complain "half a profile after a kill at $1 number $n"
		[ "$status" -ne 0 ] || break
		kills=$((kills + 1))
	done
}

@test "import, killed at every step: all of it or nothing" {
	local kills=0

	source_of mullvad
	given() { rm -rf "$home/.config"; }
	whole()
	{
		[ ! -e "$folder/mullvad.conf" ] || cmp "$source" "$folder/mullvad.conf" || return 1
		client subu -q profile import "$source" mullvad >/dev/null 2>&1 || true
		client subu -q profile import "$source" next >/dev/null || return 1
		cmp "$source" "$folder/mullvad.conf" && cmp "$source" "$folder/next.conf" && quietly_kept
	}
	for call in mkdir openat flock write fsync linkat unlinkat exit_group; do
		killed_at_every "$call" subu profile import "$source"
	done
	echo "# killed $kills times" >&3
	[ "$kills" -gt 15 ]
}

@test "edit, killed at every step: the old text or the new" {
	local kills=0

	imported mullvad
	editor <<<'sed -i "s/^DNS.*/DNS = 10.64.0.9/" "$1"'
	sed 's/^DNS.*/DNS = 10.64.0.9/' "$source" >"$BATS_TEST_TMPDIR/new"
	given()
	{
		rm -rf "$home/.config"
		client subu -q profile import "$source" >/dev/null
	}
	whole()
	{
		cmp -s "$source" "$folder/mullvad.conf" || cmp "$BATS_TEST_TMPDIR/new" "$folder/mullvad.conf" ||
			return 1
		client subu -q profile edit mullvad >/dev/null || return 1
		cmp "$BATS_TEST_TMPDIR/new" "$folder/mullvad.conf" && quietly_kept
	}
	for call in flock write fsync linkat renameat unlinkat fchmod wait4 exit_group; do
		killed_at_every "$call" subu profile edit mullvad
	done
	echo "# killed $kills times" >&3
	[ "$kills" -gt 15 ]
}

@test "delete, killed at every step, is finished by the next" {
	local kills=0

	source_of mullvad
	given()
	{
		rm -rf "$home/.config"
		client subu -q profile import "$source" >/dev/null
		touch "$folder/.mullvad.edit.conf" "$folder/.mullvad.base"
		chown "$user" "$folder"/.mullvad*
	}
	whole()
	{
		[ ! -e "$folder/mullvad.conf" ] || client subu -q profile delete mullvad --yes >/dev/null
		! find "$folder" -type f | grep .
	}
	for call in unlinkat fsync write; do
		killed_at_every "$call" subu profile delete mullvad --yes
	done
	[ "$kills" -ge 5 ]
}

@test "a disk that is full leaves what there was" {
	imported mullvad
	editor <<<'echo "# more" >>"$1"'
	before=$(everything)
	for call in write fsync; do
		interrupt error=ENOSPC "$call" 1 subu profile import "$source" next
		[ "$status" -eq 1 ] || complain "done all the same"
		[[ $stderr == *"cannot write $folder/next.conf: No space left on device"* ]] ||
			complain "another fault"
		unchanged
	done
}

@test "symbolic links in the folder are not followed" {
	imported mullvad
	file victim <<<precious
	client ln -s "$home/victim" "$folder/link.conf"
	client ln -s "$home/nowhere" "$folder/dangling.conf"
	client mkfifo "$folder/pipe.conf"
	each 1 "link.conf is a symbolic link, not a file: move it away" subu profile show -- link
	each 1 "link.conf is a symbolic link" subu profile edit -- link
	refused 1 "there is a profile link already" subu profile import "$source" link
	refused 1 "there is a profile dangling already" subu profile import "$source" dangling
	[ ! -e "$home/nowhere" ]
	done_by timeout 10 subu profile list
	[ "$(grep -c 'is a symbolic link' <<<"$output")" -eq 2 ]
	[ "$(grep -c 'is not a regular file' <<<"$output")" -eq 1 ]
	client ln -s "$home/victim" "$folder/.new"
	done_by subu profile import "$source" next
	[ ! -L "$folder/.new" ]
	same "$source" next
	editor <<<'echo edited >>"$1"'
	client ln -s "$home/victim" "$folder/.mullvad.base"
	fails 1 "your text is kept" subu profile edit mullvad
	[ -f "$folder/.mullvad.base" ] && [ ! -L "$folder/.mullvad.base" ]
	client ln -sf "$home/victim" "$folder/.next.edit.conf"
	refused 1 ".next.edit.conf is a symbolic link" subu profile edit next
	done_by subu profile delete link --yes
	done_by subu profile delete pipe --yes
	[ "$(cat "$home/victim")" = precious ]
	client mv "$folder" "$home/elsewhere"
	client ln -s "$home/elsewhere" "$folder"
	for verb in list "show mullvad" "import $source third"; do
		# shellcheck disable=SC2086 # words
		refused 1 "$folder must be a folder, and no symbolic link to one" subu profile $verb
	done
}

@test "folders that others can write to are refused" {
	imported mullvad
	for place in "$folder" "${folder%/*}"; do
		chmod g+w "$place"
		for verb in list "show mullvad" "import $source third" "delete mullvad --yes" "edit mullvad"; do
			# shellcheck disable=SC2086 # words
			refused 1 "others may write to the folder $place: chmod go-w it" subu profile $verb
		done
		chmod g-w "$place"
	done
}

@test "another user's folder is refused, and root makes none there" {
	imported mullvad
	for other in root $((user + 1)); do
		chmod 711 "$home" "$home/.config" "$home/.config/subu"
		user_was=$user
		user=$other
		for verb in list "show mullvad" "import - third" "delete mullvad --yes" "edit mullvad"; do
			# shellcheck disable=SC2086 # words
			refused 1 "the folder $home/.config/subu belongs to user $user_was and must be your own" \
				subu profile $verb <"$BATS_TEST_DIRNAME/profiles/good-proton.conf"
		done
		user=$user_was
	done
	environment=(XDG_CONFIG_HOME="$home/new")
	user=root
	refused 1 "root makes no folder $home/new in one of user $user_was" subu profile import - third \
		<"$BATS_TEST_DIRNAME/profiles/good-proton.conf"
}

@test "XDG_CONFIG_HOME, HOME, and neither" {
	source_of mullvad
	environment=(XDG_CONFIG_HOME="$home/other")
	done_by subu profile import "$source"
	cmp "$source" "$home/other/subu/profiles/mullvad.conf"
	[ ! -e "$home/.config" ]
	environment=(XDG_CONFIG_HOME=other)
	cd "$home"
	done_by subu profile list
	[ "${#lines[@]}" -eq 1 ]
	environment=(HOME=)
	refused 1 "there is no folder for your configuration: user id $user has no account" subu profile list
}
