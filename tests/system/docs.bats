# What is written agrees with what there is.

# verbs: the first word of each row of the program's own tables, those of WG and profile with that
# before them.
verbs()
{
	local owner

	"$SUBU" usage | sed -nE 's/^  ([a-zA-Z]+).*/\1/p'
	for owner in WG profile; do
		"$SUBU" help "$owner" | sed -nE "s/^  ($owner [a-z_]+).*/\1/p"
	done
}

@test "the manual has every verb and every option" {
	local page=$BATS_TEST_TMPDIR/page words

	tr -d '*' <docs/man/subu.1.scd >"$page"
	[ "$(verbs | wc -l)" -gt 20 ]
	{ verbs; "$SUBU" help options | sed -nE 's/^  ([a-z].*)/\1/p'; } | while read -r words; do
		awk -v words="$words" 'index($0, words) == 1 { found = 1 } END { exit !found }' "$page" ||
			{ echo "has no entry in the manual: $words"; false; }
	done
}

# offered WORD...: what bash offers behind these words of the command line, on one line.
offered()
{
	local -a COMPREPLY COMP_WORDS=(subu "$@" '')
	local COMP_CWORD=$(($# + 1))

	_subu
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | xargs
}

# completed WORD...: the same, a line each, options left out.
completed()
{
	offered "$@" | tr ' ' '\n' | grep -v ^-
}

@test "the completion offers every verb, and no other" {
	# shellcheck source=/dev/null # it is checked with the scripts
	source dist/completion/subu
	diff <(completed) <(verbs | sed 's/ .*//' | sort -u)
	diff <(completed WG) <(verbs | sed -n 's/^WG //p' | sort -u)
	diff <(completed profile) <(verbs | sed -n 's/^profile //p' | sort -u)
}

@test "the completion knows profiles, and the options of run as far as the command" {
	# shellcheck source=/dev/null # it is checked with the scripts
	source dist/completion/subu
	subu() { "$SUBU" "$@"; }
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR
	cp tests/system/profiles/good-mullvad.conf "$BATS_TEST_TMPDIR/first.conf"
	subu profile import "$BATS_TEST_TMPDIR/first.conf"
	[ "$(completed up)" = first ]
	[ "$(completed run --profile)" = first ]
	[ "$(completed run --linger --profile)" = first ]
	[ "$(offered run --config first.conf)" = '-- --config --linger --profile --root' ]
	[ "$(offered run --root)" = '-- --config --linger --profile --root' ]
	for words in 'run --config' 'run --profile first curl' 'run -- curl --profile' 'run curl'; do
		# shellcheck disable=SC2086 # words
		[ -z "$(offered $words)" ] || { echo "offered behind $words"; false; }
	done
}

@test "the session of the README is that of subu example" {
	diff <(sed -n 's/^    \(subu .*\)/\1/p' README.md) <("$SUBU" example | grep '^subu ')
}

@test "the help fits into 100 columns, whatever the topic" {
	local topic

	for topic in '' WG options files exit $("$SUBU" usage | sed -nE 's/^  ([a-z]+).*/\1/p'); do
		# shellcheck disable=SC2086 # no topic, no word
		"$SUBU" help $topic >>"$BATS_TEST_TMPDIR/help"
	done
	run grep -E '^.{101}' "$BATS_TEST_TMPDIR/help"
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "the design names every file of the house" {
	local file

	for file in src/*/*.c; do
		file=$(basename "$file" .c)
		grep -qE "\`$file\`" docs/design.md || { echo "not in docs/design.md: $file"; false; }
	done
}
