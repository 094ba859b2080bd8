# Several at once, and one that is interrupted: they wait for each other, and nothing is half done.
#
#	 client
#	+----------------------------------------+
#	| ns-subu_0 … ns-subu_19: lo, subu_M      |   a server that is not there
#	+----------------------------------------+
#
# shellcheck disable=SC2016,SC2034,SC2154 # $i is another shell's; lib.bash has the names
load lib
load crash

setup()
{
	machines init
}

teardown()
{
	machines_end
}

@test "twenty creates at once: twenty ids, and all are there" {
	done_by bash -c 'for i in {1..20}; do subu -q create alice web$i & done; wait'
	[ "$(sort -u <<<"$output" | wc -l)" -eq 20 ]
	[ "$(client ip netns list | grep -c '^ns-subu_')" -eq 20 ]
	[ "$(client subu list | grep -c ' alice ')" -eq 20 ]
	done_by subu doctor
	done_by bash -c 'for i in {0..19}; do subu -q remove subu_$i & done; wait'
	[ "$(client subu list | wc -l)" -eq 1 ]
	[ "$(client ls /run/netns)" = server ]
}

@test "one name for many at once: one gets it" {
	try bash -c 'for i in {1..10}; do subu -q create alice web 2>/dev/null & done; wait'
	[ "${#lines[@]}" -eq 1 ]
	[ "$(client subu list | grep -c alice)" -eq 1 ]
	done_by subu doctor
}

@test "attach, exec, list, set, reconcile and doctor at once" {
	client subu -q WG global 10.77.0.0/24
	for i in 0 1 2 3; do
		sub_user alice "web$i"
		client subu -q WG create 192.0.2.1:51820
		client subu -q WG server_provided_public_key "WG_$i" "$(wg genkey | wg pubkey)"
	done
	try bash -c 'for i in 0 1 2 3; do
			subu -q attach WG subu_$i WG_$i &
			subu -q network up subu_$i &
			subu -q reconcile &
			subu -q list >/dev/null &
			subu -q exec subu_$i -- true &
			subu -q WG set WG_$i mtu 1300 &
		done; wait'
	grep -v '^subu: note: ' <<<"$stderr" | grep . && complain "somebody failed"
	done_by subu reconcile
	done_by subu doctor
	[ "$(client wg show interfaces | wc -w)" -eq 4 ]
}

@test "the other waits, and says so on a terminal" {
	client flock "$SUBU_DB.lock" sleep 2 &
	soon locked
	done_by script -qec 'subu create alice web' /dev/null
	[[ $output == *'waiting for another subu'*'subu_0 is alice:web'* ]]
	wait $!
}

locked()
{
	! client flock -n "$SUBU_DB.lock" true
}

@test "Ctrl-C in the middle of attach leaves all or nothing" {
	client subu -q WG global 10.77.0.0/24
	client subu -q WG create 192.0.2.1:51820
	client subu -q WG server_provided_public_key WG_0 "$(wg genkey | wg pubkey)"
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q detach WG subu_0
	began=$(traces)
	for n in 1 3 5 7 9 11; do
		interrupt signal=INT sendto "$n" subu attach WG subu_0 WG_0
		agree
		! attached || client subu -q detach WG subu_0
		diff <(echo "$began") <(traces) || complain "something is left"
	done
}

@test "a command that cannot finish takes back what it did" {
	client subu -q WG global 10.77.0.0/24
	client subu -q WG create 192.0.2.1:51820
	client subu -q WG set WG_0 dns 10.77.0.1
	sub_user alice web
	before=$(everything)
	for n in 2 4 6 8 10 12 14; do
		interrupt error=ENOMEM sendto "$n" subu attach WG subu_0 WG_0
		if [ "$status" -eq 0 ]; then
			client subu -q detach WG subu_0
			break
		fi
		[ "$status" -eq 1 ] || complain "not status 1"
		one_sentence "Cannot allocate memory"
		done_by subu reconcile
		done_by subu doctor
		unchanged
	done
	[ "$n" -gt 6 ]
}
