# What subu says about itself, and how it takes words that are wrong. There is no picture: nothing
# here gets as far as a network.
#
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
load lib

setup()
{
	machines init
}

teardown()
{
	machines_end
}

@test "what needs no root and no database: usage, help, example, version" {
	export SUBU_DB=$BATS_TEST_TMPDIR/none.db
	as_nobody subu
	[ "$status" -eq 0 ]
	[[ $output == 'usage: subu [--db FILE] [--json] [--quiet] [--dry-run] VERB'* ]]
	local usage=$output
	done_by subu usage
	[ "$output" = "$usage" ]
	for words in help -h --help; do
		as_nobody subu $words
		[[ $output == *'usage: subu '*'Exit status'* ]] || complain "subu $words"
	done
	for words in version -V --version; do
		done_by subu $words
		[[ $output =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || complain "subu $words"
	done
	done_by subu --json version
	json 'v["version"]'
	done_by subu example
	[[ $output == *'subu create'*'subu exec'*'subu remove'* ]]
}

@test "every verb and topic has its help" {
	export SUBU_DB=$BATS_TEST_TMPDIR/none.db
	done_by subu usage
	mapfile -t verbs < <(sed -n 's/^  \([a-z]\+\) .*/\1/p' <<<"$output")
	for verb in "${verbs[@]}"; do
		done_by subu "$verb" --help
		[[ $output == "usage: subu $verb"* ]] || complain "$verb --help"
		done_by subu help "$verb"
		[[ $output == "usage: subu $verb"* ]] || complain "help $verb"
	done
	done_by subu help WG
	mapfile -t verbs < <(sed -n 's/^  WG \([a-z_]\+\) .*/\1/p' <<<"$output")
	for verb in "${verbs[@]}"; do
		done_by subu wg "$verb" --help
		[[ $output == "usage: subu WG $verb"* ]] || complain "WG $verb --help"
		done_by subu help WG "$verb"
	done
	for topic in options files exit; do
		done_by subu help $topic
		[ -n "$output" ]
	done
	refused 2 "there is no help on 'weather'" subu help weather
}

@test "exit status 2 for wrong words, 1 for what could not be" {
	refused 2 "there is no verb 'frobnicate'" subu frobnicate
	refused 2 "there is no option '--frobnicate'" subu --frobnicate list
	refused 2 "--db wants the path" subu list --db
	refused 2 "a word is missing" subu create alice
	refused 2 "too many words" subu list all
	refused 2 "a word is missing: usage: subu WG VERB" subu WG
	refused 2 "WG has no 'frobnicate'" subu wg frobnicate
	refused 2 "'FISH' cannot be attached" subu attach FISH subu_0 WG_0
	refused 1 "there is no sub-user subu_7" subu info subu_7
	refused 1 "there is no tunnel WG_7" subu WG info WG_7
}
