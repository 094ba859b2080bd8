# The demo is a test too: it ends with a status of its own when anything is not as it says.

@test "the demo does what it says" {
	run tests/demo "$SUBU"
	echo "$output"
	[ "$status" -eq 0 ]
}
