# kill -9 in the middle of what is done to forced egress, at the system calls that it is made of.
#
#	 client
#	+------------------------------+
#	| ns-subu_0: lo, subu_0 (WG_0) |   a server that is not there: nobody listens
#	+------------------------------+
#	  /sys/fs/bpf/subu/subu_0, subu/subu_0 in the control groups
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2317 # crash calls and reads what the tests define
load lib
load crash

setup()
{
	AGE=$(realpath "${SUBU_BUILD:-build}/tests/system/age-egress")
	machines init
	a_tunnel_to_nobody
	sub_user alice web
}

teardown()
{
	machines_end
}

# Many of the calls of bpf() only look, so that some of them are enough.
changes=(unlink unlinkat rename mkdir rmdir move_mount)
few=(bpf)

detached()
{
	! attached || client subu -q detach WG subu_0
}

# steered YES|NO: as `list` says.
steered()
{
	done_by subu list
	[[ $(tr -s ' ' <<<"${lines[1]}") == *" $1" ]] || complain "steered: not $1"
}

@test "attach, killed at every step of steering" {
	given() { :; }
	taken_back()
	{
		detached
		! client mountpoint -q /sys/fs/bpf || client umount /sys/fs/bpf
	}
	crash subu attach WG subu_0 WG_0
}

@test "detach, killed at every step of steering" {
	given() { attached || client subu -q attach WG subu_0 WG_0; }
	taken_back() { detached; }
	crash subu detach WG subu_0
}

# What is not steered is all that doctor has to say here.
agree()
{
	done_by subu reconcile
	done_by subu reconcile
	! grep -v ': nothing to do$' <<<"$output" | grep . || complain "reconcile went on"
	try subu doctor
	[ "${#lines[@]}" -le 2 ] || complain "doctor is not content"
	[ "$status" -eq 0 ] || [[ ${lines[1]} == *"could leak: it is not steered"* ]]
}

@test "steer enable, killed at every step" {
	client subu -q attach WG subu_0 WG_0 --no-steer
	given() { :; }
	taken_back() { client subu -q steer disable subu_0; }
	crash subu steer enable subu_0
	steered no
}

@test "steer disable, killed at every step" {
	client subu -q attach WG subu_0 WG_0
	given() { :; }
	taken_back() { client subu -q steer enable subu_0; }
	crash subu steer disable subu_0
	steered yes
}

@test "remove, killed at every step of steering" {
	given()
	{
		there alice:web || sub_user alice web
		attached || client subu -q attach WG alice:web WG_0
	}
	taken_back() { ! there alice:web || client subu -q remove alice:web; }
	crash subu remove alice:web
}

@test "reconcile, killed at every step of an upgrade" {
	client subu -q attach WG subu_0 WG_0
	given() { client "$AGE" subu_0; }
	taken_back() { steered yes; }
	crash subu reconcile
}

@test "reconcile, killed at every step of a change of the layout" {
	client subu -q attach WG subu_0 WG_0
	given() { client "$AGE" subu_0 99; }
	taken_back() { steered yes; }
	crash subu reconcile
}
