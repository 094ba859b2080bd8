# A tunnel in a sub-user, run by our engine, to a server that is not ours: what it is made of, and
# what goes through it.
#
#	 client                                  server
#	+---------------------------+           +---------------------------+
#	| ns-subu_0                 |           |                           |
#	|   lo                      |           |                           |
#	|   subu_0 10.77.0.2  ======|===========|== wg0 10.77.0.1 (a page)  |
#	|                           |           |       fd77::1   (the same)|
#	|  up0 192.0.2.2, 2001:db8::2 --------- up0 192.0.2.1, 2001:db8::1  |
#	+---------------------------+           +---------------------------+
#
# shellcheck disable=SC2154 # lib.bash has the names
load lib

setup()
{
	machines init
}

teardown()
{
	machines_end
}

# statistic NAME: of the tunnel's only peer, as subu says.
statistic()
{
	done_by subu --json WG info WG_0
	json "v['peers'][0]['$1']"
}

@test "attach makes the device as documented, and touches no route of the main table" {
	server_start
	tunnel_to 192.0.2.1:51820
	outside=$(snapshot)
	client subu -q WG set WG_0 dns 10.77.0.1
	sub_user alice web
	done_by subu attach WG subu_0 WG_0
	[ "$output" = "subu_0 has WG_0 as device subu_0, steered" ]
	[[ $(inside 0 ip -d link show subu_0) == *'mtu 1420'*tun* ]]
	[ "$(inside 0 ip -br address show dev subu_0 | awk '{ print $2, $3, $4 }')" = "DOWN 10.77.0.2/32 " ]
	[ "$(inside 0 sysctl -n net.ipv4.conf.subu_0.accept_local)" = 1 ]
	inside 0 ip -4 rule | grep -q 'from all oif subu_0 lookup 1000'
	inside 0 ip -6 rule | grep -q 'from all oif subu_0 lookup 1000'
	client subu -q network up subu_0
	[[ $(inside 0 ip -4 route show table 1000) == "default dev subu_0"* ]]
	[ -z "$(inside 0 ip -4 route)" ]
	client subu -q network down subu_0
	client subu -q detach WG subu_0
	client subu -q remove subu_0
	diff <(echo "$outside") <(snapshot)
}

@test "unsteered, a socket bound to the device goes through; any other only with default-route on" {
	tunnel_up
	page
	client subu -q steer disable subu_0
	client subu -q option set subu_0 default-route off
	page --interface subu_0
	try subu exec subu_0 -- curl -s --max-time 5 http://10.77.0.1/
	[ "$status" -eq 7 ]
	client subu -q option set subu_0 default-route on
	page
	client subu -q steer enable subu_0
	client subu -q option set subu_0 default-route off
	page
	try curl -s --max-time 2 http://10.77.0.1/
	[ "$status" -ne 0 ] || complain "the machine reaches the page, too"
}

# runs_on BACKEND: that is what WG_0 runs on, and it works.
runs_on()
{
	done_by subu --json WG info WG_0
	[ "$(json 'v["backend"]')" = "$1" ] || complain "not on the $1"
	page
	done_by subu doctor
}

@test "the backend changes under a tunnel; the kernel's is refused where there is none" {
	tunnel_up
	runs_on engine
	if kernel_has_wireguard; then
		done_by subu option set subu_0 backend kernel
		runs_on kernel
		done_by subu option set subu_0 backend engine
		runs_on engine
	else
		refused 1 "this kernel has no WireGuard: load its module" \
			subu option set subu_0 backend kernel
		[ "$(client subu option get subu_0 backend)" = engine ]
	fi
	done_by subu option set subu_0 backend auto
	runs_on engine # auto leaves what runs
}

@test "the stock wg shows our engine's device" {
	tunnel_up
	page
	[[ " $(client wg show interfaces) " == *' subu_0 '* ]]
	done_by wg show subu_0
	[[ $output == *"peer: $server_key"*'endpoint: 192.0.2.1:51820'*'latest handshake'* ]]
	[ "$(client wg show subu_0 public-key)" = "$(server wg show wg0 peers)" ]
	client wg set subu_0 peer "$server_key" persistent-keepalive 7
	done_by subu reconcile
	[[ $output == *'configure subu_0: peers: 1 set'* ]]
	[ "$(client wg show subu_0 persistent-keepalive | cut -f 2)" = off ]
}

@test "info and list count" {
	tunnel_up
	[ "$(statistic received_bytes)" = 0 ]
	[ "$(statistic handshake)" = None ]
	page
	[ "$(statistic received_bytes)" -gt 300 ]
	[ "$(statistic sent_bytes)" -gt 300 ]
	[[ $(statistic handshake) == *'s ago' ]]
	done_by subu WG list
	[[ ${lines[1]} == *subu_0*up*'s ago' ]]
	done_by subu info subu_0
	[[ $output == *'Received bytes'*'subu_0'*'10.77.0.2/32'* ]]
}

@test "WG set takes effect at once and keeps the session" {
	tunnel_up
	page
	shaken=$(server wg show wg0 latest-handshakes)
	client subu -q WG set WG_0 mtu 1300 persistent-keepalive 9 allowed-ips 10.77.0.0/24,10.9.0.0/16
	[[ $(inside 0 ip link show subu_0) == *'mtu 1300'* ]]
	[ "$(client wg show subu_0 persistent-keepalive | cut -f 2)" = 9 ]
	[ "$(client wg show subu_0 allowed-ips | cut -f 2)" = "10.77.0.0/24 10.9.0.0/16" ]
	[ "$(inside 0 ip -4 route show table 1000 | grep -vc local)" -eq 2 ]
	[ "$(inside 0 ip -4 route show table main | wc -l)" -eq 2 ]
	page
	server ip address add 192.0.2.3/24 dev up0
	client subu -q WG set WG_0 endpoint 192.0.2.3:51820
	[ "$(client wg show subu_0 endpoints | cut -f 2)" = 192.0.2.3:51820 ]
	page
	[ "$(server wg show wg0 latest-handshakes)" = "$shaken" ]
	done_by subu reconcile
	[ "$output" = 'subu_0: nothing to do' ]
}

@test "a preshared key: both sides or silence" {
	tunnel_up
	(umask 077 && wg genpsk >"$BATS_TEST_TMPDIR/psk")
	client subu -q WG set WG_0 preshared-key "$BATS_TEST_TMPDIR/psk"
	try subu exec subu_0 -- curl -s --max-time 2 http://10.77.0.1/
	[ "$status" -ne 0 ]
	server wg set wg0 peer "$(client wg show subu_0 public-key)" \
		preshared-key "$BATS_TEST_TMPDIR/psk"
	page
}

@test "with another server key nothing arrives" {
	tunnel_up
	client subu -q WG server_provided_public_key WG_0 "$(wg genkey | wg pubkey)"
	try subu exec subu_0 -- curl -s --max-time 3 http://10.77.0.1/
	[ "$status" -ne 0 ]
	[ "$(server wg show wg0 latest-handshakes | cut -f 2)" = 0 ]
	[ "$(server wg show wg0 transfer | cut -f 2)" = 0 ]
	[ "$(statistic handshake)" = None ]
	client subu -q WG server_provided_public_key WG_0 "$server_key"
	page
}

@test "the server by name, found again when it has moved" {
	private_etc
	client sh -c 'echo "192.0.2.9 vpn.example" >>/etc/hosts'
	server_start
	tunnel_to vpn.example:51820
	sub_user alice web
	try subu attach WG subu_0 WG_0
	[ "$status" -eq 0 ]
	client subu -q option set subu_0 default-route on
	client subu -q network up subu_0
	[ "$(client wg show subu_0 endpoints | cut -f 2)" = 192.0.2.9:51820 ]
	client sed -i 's/192.0.2.9 vpn/192.0.2.1 vpn/' /etc/hosts
	done_by subu reconcile
	[ "$(client wg show subu_0 endpoints | cut -f 2)" = 192.0.2.1:51820 ]
	page
}

@test "IPv6 inside and outside" {
	server_start
	tunnel_to '[2001:db8::1]:51820' fd77::/64
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q network up subu_0
	inside 0 ip -6 address show dev subu_0 | grep -q 'inet6 fd77::2/128'
	[ "$(inside 0 ip -6 address show dev subu_0 | grep -c inet6)" -eq 1 ]
	done_by subu exec subu_0 -- curl -sS --max-time 20 --interface subu_0 'http://[fd77::1]/'
	[[ $output == Hello* ]]
	done_by subu doctor
}

@test "a wg-quick file" {
	server_start
	key=$(wg genkey)
	cat >"$BATS_TEST_TMPDIR/office.conf" <<-END
		[Interface]
		PrivateKey = $key
		Address = 10.77.0.7/24, fd77::7/64
		DNS = 10.77.0.1, corp.example
		MTU = 1380
		PostUp = touch $BATS_TEST_TMPDIR/ran

		[Peer]
		PublicKey = $server_key
		AllowedIPs = 10.77.0.0/24, fd77::/64
		Endpoint = 192.0.2.1:51820
	END
	server wg set wg0 peer "$(wg pubkey <<<"$key")" allowed-ips 10.77.0.7/32,fd77::7/128
	try subu WG import "$BATS_TEST_TMPDIR/office.conf"
	[ "$status" -eq 0 ]
	[[ $output == WG_0\ * && $stderr == 'subu: warning: '*PostUp* ]]
	sub_user alice web
	client subu -q attach WG subu_0 WG_0
	client subu -q option set subu_0 default-route on
	client subu -q network up subu_0
	page
	done_by subu exec subu_0 -- curl -sS --max-time 20 'http://[fd77::1]/'
	[[ $(inside 0 ip link show subu_0) == *'mtu 1380'* ]]
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "several sub-users, each with a tunnel of its own" {
	tunnel_up
	tunnel_to 192.0.2.1:51820
	sub_user bob web
	client subu -q attach WG bob:web WG_1
	client subu -q network up bob:web
	page
	done_by subu exec subu_1 -- curl -sS --max-time 20 --interface subu_1 http://10.77.0.1/
	client subu -q remove subu_0
	done_by subu exec subu_1 -- curl -sS --max-time 20 --interface subu_1 http://10.77.0.1/
	[[ " $(client wg show interfaces) " != *' subu_0 '* ]]
	fails 1 "subu_1 has WG_1 attached already" subu attach WG subu_1 WG_0
	client subu -q detach WG subu_1
	client subu -q attach WG subu_1 WG_0
	inside 1 ip link show subu_0
}
