# What everything else in a machine of tests/vm/run stands on.

@test "the kernel's wireguard makes a device" {
	modprobe wireguard
	ip link add boot0 type wireguard
	ip link delete boot0
}

@test "TUN and namespaces are there" {
	[ -c /dev/net/tun ]
	ip netns add boot
	ip -n boot link set lo up
	ip netns delete boot
}

@test "nothing that is written reaches the machine outside" {
	grep -q '^overlay / overlay' /proc/mounts
}

@test "subu runs" {
	[[ $("$SUBU" version) =~ ^[0-9]+\.[0-9]+ ]]
}
