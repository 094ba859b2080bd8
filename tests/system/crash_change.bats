# kill -9 in the middle of what is done to a sub-user that has its tunnel.
#
#	 client
#	+------------------------------+
#	| ns-subu_N: lo, subu_0 (WG_0) |   a server that is not there: nobody listens
#	+------------------------------+
#
# shellcheck disable=SC2317 # crash calls what the tests define
load lib
load crash

setup()
{
	machines init
	a_tunnel_to_nobody
	before=$(snapshot)
}

teardown()
{
	machines_end
}

with_tunnel()
{
	sub_user alice web
	client subu -q attach WG alice:web WG_0
	client subu -q option set alice:web default-route on
}

without()
{
	! client subu info alice:web >/dev/null 2>&1 || client subu -q remove alice:web
}

@test "remove, killed at every step" {
	given()
	{
		with_tunnel
		client subu -q network up alice:web
	}
	taken_back() { without; }
	crash subu remove alice:web
	diff <(echo "$before") <(snapshot)
}

@test "network up, killed at every step" {
	with_tunnel
	given() { client subu -q network down alice:web; }
	taken_back() { client subu -q network down alice:web; }
	crash subu network up alice:web
	without
	diff <(echo "$before") <(snapshot)
}

@test "WG set, killed at every step" {
	with_tunnel
	client subu -q network up alice:web
	given() { client subu -q WG set WG_0 mtu 1420 allowed-ips 0.0.0.0/0 endpoint 192.0.2.1:1; }
	taken_back() { given; }
	crash subu WG set WG_0 mtu 1300 allowed-ips 10.0.0.0/8,11.0.0.0/8 endpoint 192.0.2.1:2
	without
	diff <(echo "$before") <(snapshot)
}
