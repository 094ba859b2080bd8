# run and up where the kernel has WireGuard: root's tunnels are the kernel's, those of an ordinary user
# the engine's, beside each other. The machines are those of ../system/lib.bash.
load ../system/lib
# shellcheck disable=SC2154 # server_key is set by server_start

setup()
{
	machines
	server_start
	key=$BATS_TEST_TMPDIR/client.key
	conf=/mnt/vpn.conf
	(umask 077 && wg genkey >"$key")
	server wg set wg0 peer "$(wg pubkey <"$key")" allowed-ips 10.77.0.2/32
	client tee "$conf" >/dev/null <<-END
		[Interface]
		PrivateKey = $(cat "$key")
		Address = 10.77.0.2/32
		DNS = 10.77.0.1
		[Peer]
		PublicKey = $server_key
		AllowedIPs = 0.0.0.0/0
		Endpoint = 192.0.2.1:51820
	END
	client chmod 600 "$conf"
	client mkdir /mnt/home
}

teardown()
{
	machines_end
}

as_root()
{
	done_by env HOME=/mnt/home "$@"
}

@test "root's command goes by the kernel's WireGuard, whose sockets stay outside" {
	client mkdir -p /run/subu/tunnels
	before=$(snapshot)
	as_root subu run --config "$conf" -- ip -d link show subu_0
	[[ $output == *' wireguard '* ]]
	as_root subu run --config "$conf" -- curl -sS --max-time 60 http://10.77.0.1/
	[ "$output" = 'Hello from the other end of the tunnel.' ]
	diff <(echo "$before") <(snapshot)
}

@test "root's tunnel stays, is joined, and goes with its device" {
	as_root subu profile import "$conf" home
	as_root subu up home --timeout 60
	as_root subu --json status home
	[ "$(json 'v["backend"], v["state"], v["peers"][0]["received_bytes"] > 0')" = \
		"('kernel', 'up', True)" ]
	as_root subu run --profile home -- curl -sS --max-time 60 http://10.77.0.1/
	[ "$output" = 'Hello from the other end of the tunnel.' ]
	as_root subu down home
	as_root subu --json status
	[ "$(json v)" = '[]' ]
	[ "$(client ip netns list | grep -vc server)" -eq 0 ]
}

@test "an ordinary user's command goes by the engine" {
	client chown -R 5000:5000 /mnt/home "$conf"
	client cp "$SUBU" /mnt/subu
	chmod 0666 /dev/net/tun
	done_by setpriv --reuid 5000 --regid 5000 --clear-groups env HOME=/mnt/home \
		/mnt/subu run --config "$conf" -- sh -c \
		'ip -d link show subu_0; curl -sS --max-time 60 http://10.77.0.1/'
	[[ $output == *' tun '*'Hello from the other end of the tunnel.' ]]
}
