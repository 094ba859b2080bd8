# tests/run itself, on suites made for the purpose: what must count as failed does.

setup()
{
	top=$(realpath "$BATS_TEST_DIRNAME/../..")
	suite=$BATS_TEST_TMPDIR/suite
	mkdir "$suite"
}

# program NAME: an executable of the fake suite, its text from stdin.
program()
{
	{ echo '#!/bin/bash'; cat; } >"$suite/$1"
	chmod +x "$suite/$1"
}

tests_run()
{
	run "$top/tests/run" -b "$BATS_TEST_TMPDIR/build" "$suite"
	echo "$output"
}

# total TEXT: the last line is TEXT, and the status agrees with it.
total()
{
	[ "${lines[-1]}" = "$1" ]
	case $1 in
	0\ passed* | *[1-9]\ failed | *0\ failed\ *) [ "$status" -eq 1 ] ;;
	*) [ "$status" -eq 0 ] ;;
	esac
}

@test "what passes is added up over programs" {
	program one <<<'printf "1..2\nok 1 - a\nok 2 - b\n"'
	program two <<<'printf "ok 1 - a\n1..1\n"'
	tests_run
	total '3 passed, 0 failed'
}

@test "a failed test is named with what it said" {
	program one <<<'printf "1..2\nok 1 - a\nnot ok 2 - b\n# because\n"; exit 1'
	tests_run
	total '1 passed, 1 failed'
	[[ $output == *'not ok 2 - b'*'# because'* ]]
}

@test "a skipped test is a failed one" {
	program one <<<'printf "1..2\nok 1 - a\nok 2 - b # skip no root\n"'
	tests_run
	total '1 passed, 1 failed'
}

@test "a program that skips everything has failed" {
	program one <<<'printf "1..0 # SKIP nothing here\n"'
	tests_run
	total '0 passed, 1 failed'
}

@test "a crash half way has failed" {
	program one <<<'printf "1..2\nok 1 - a\n"; kill -SEGV $$'
	tests_run
	total '1 passed, 2 failed'
}

@test "a crash after the last test has failed" {
	program one <<<'printf "1..1\nok 1 - a\n"; kill -SEGV $$'
	tests_run
	total '1 passed, 1 failed'
	[[ $output == *'ended with status 139'* ]]
}

@test "a crash before the plan has failed, and its last words are shown" {
	program one <<<'echo "cannot open the door" >&2; exit 3'
	tests_run
	total '0 passed, 1 failed'
	[[ $output == *'cannot open the door'* ]]
}

@test "silence has failed" {
	program one <<<':'
	tests_run
	total '0 passed, 1 failed'
}

@test "tests without a plan have failed" {
	program one <<<'echo "ok 1 - a"'
	tests_run
	total '1 passed, 1 failed'
}

@test "more tests than planned have failed" {
	program one <<<'printf "1..1\nok 1 - a\nok 2 - b\n"'
	tests_run
	total '2 passed, 1 failed'
}

@test "bailing out has failed" {
	program one <<<'printf "1..1\nok 1 - a\nBail out! no more\n"'
	tests_run
	total '1 passed, 1 failed'
}

@test "a program that does not end is ended" {
	program one <<<'printf "1..1\nok 1 - a\n"; sleep 60'
	TEST_LIMIT=1 tests_run
	total '1 passed, 1 failed'
	[[ $output == *'ran for longer than 1 s'* ]]
}

@test "a program that cannot be run has failed" {
	echo text >"$suite/one"
	tests_run
	total '0 passed, 1 failed'
}

@test "a suite without programs has failed, whatever else passed" {
	program one <<<'printf "1..1\nok 1 - a\n"'
	run "$top/tests/run" -b "$BATS_TEST_TMPDIR/build" "$suite" "$BATS_TEST_TMPDIR/none"
	total '1 passed, 1 failed'
}

@test "an unknown suite has failed" {
	run "$top/tests/run" -b "$BATS_TEST_TMPDIR/build" nonsense
	total '0 passed, 1 failed'
}

@test "no suite at all is a wrong use" {
	run "$top/tests/run"
	[ "$status" -eq 2 ]
}
