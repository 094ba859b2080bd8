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

# completed WORD...: what bash offers behind these words of the command line, options left out.
completed()
{
	local -a COMPREPLY COMP_WORDS=(subu "$@" '')
	local COMP_CWORD=$(($# + 1))

	_subu
	printf '%s\n' "${COMPREPLY[@]}" | grep -v ^- | sort
}

@test "the completion offers every verb, and no other" {
	# shellcheck source=/dev/null # it is checked with the scripts
	source dist/completion/subu
	diff <(completed) <(verbs | sed 's/ .*//' | sort -u)
	diff <(completed WG) <(verbs | sed -n 's/^WG //p' | sort -u)
	diff <(completed profile) <(verbs | sed -n 's/^profile //p' | sort -u)
}

@test "the session of the README is that of subu example" {
	diff <(sed -n 's/^    \(subu .*\)/\1/p' README.md) <("$SUBU" example | grep '^subu ')
}

@test "the help fits into 100 columns, whatever the topic" {
	local topic

	for topic in '' WG options files status $("$SUBU" usage | sed -nE 's/^  ([a-z]+).*/\1/p'); do
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
