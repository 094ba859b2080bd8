# kill -9 in the middle: a tunnel is plugged in or not, with its engine or without.
#
#	 client
#	+------------------------------+
#	| ns-subu_0: lo, subu_0 (WG_0) |   a server that is not there: nobody listens
#	+------------------------------+
#
# shellcheck disable=SC2016,SC2030,SC2031,SC2317 # other shells; crash calls what the tests define
load lib
load crash

setup()
{
	machines init
	a_tunnel_to_nobody
	sub_user alice web
	before=$(snapshot)
}

teardown()
{
	machines_end
}

detached()
{
	! attached || client subu -q detach WG subu_0
}

@test "attach, killed at every step" {
	given() { :; }
	taken_back() { detached; }
	crash subu attach WG subu_0 WG_0
	diff <(echo "$before") <(snapshot)
}

@test "detach, killed at every step" {
	given()
	{
		attached || client subu -q attach WG subu_0 WG_0
		client subu -q network up subu_0
	}
	taken_back()
	{
		detached
		client subu -q network down subu_0
	}
	given
	taken_back
	before=$(snapshot)
	crash subu detach WG subu_0
	diff <(echo "$before") <(snapshot)
}

# Nothing slows it down here, and nothing shields the engine from writing to nobody.
@test "attach, killed while its engine starts" {
	for delay in 0 0 0 0 0.002 0.004 0.006 0.008 0.01 0.015 0.02; do
		client bash -c 'env --default-signal=PIPE subu -q attach WG subu_0 WG_0 & pid=$!
			while [ ! -S /run/wireguard/subu_0.sock ]; do :; done
			sleep "$0"
			kill -9 "$pid"
			wait "$pid"' "$delay" >/dev/null 2>&1 || :
		agree
		detached
	done
	diff <(echo "$before") <(snapshot)
}
