# kill -9 in the middle: a sub-user's namespace is made or removed completely, if late.
#
#	 client
#	+----------------------------------+
#	| ns-subu_N: lo   (alice:web)      |   nothing, or all of this
#	+----------------------------------+
#
# shellcheck disable=SC2317 # crash calls what the tests define
load lib
load crash

setup()
{
	machines init
	before=$(snapshot)
}

teardown()
{
	machines_end
}

remove_all()
{
	local id

	for id in $(client subu list | sed -n 's/^\(subu_[0-9]*\) .*/\1/p'); do
		client subu -q remove "$id"
	done
}

@test "create, killed at every step" {
	given() { :; }
	taken_back() { remove_all; }
	crash subu create alice web
	diff <(echo "$before") <(snapshot)
}

@test "remove, killed at every step" {
	given() { client subu -q create alice web; }
	taken_back() { remove_all; }
	crash subu remove alice:web
	diff <(echo "$before") <(snapshot)
}

@test "reconcile, killed at every step" {
	given()
	{
		client subu -q create alice web
		client subu -q lo up alice:web
		client ip netns del "$(client ip netns list | sed -n 's/^\(ns-subu_[0-9]*\).*/\1/p')"
	}
	taken_back() { remove_all; }
	crash subu reconcile
	diff <(echo "$before") <(snapshot)
}
