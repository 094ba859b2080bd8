# Machines that cannot steer, and words that are wrong: one sentence that names the thing, the reason
# and what would help, and nothing half made.
#
#	 client
#	+----------------------------------+
#	| ns-subu_0: lo   (alice:web)      |   a tunnel WG_0 that is not attached
#	+----------------------------------+
#
# shellcheck disable=SC2030,SC2031 # a test is a process of its own
# shellcheck disable=SC2016,SC2034,SC2154 # `subu ...` stands in sentences; lib.bash has the names
load lib
load crash

setup()
{
	machines init
	a_tunnel_to_nobody
	sub_user alice web
}

teardown()
{
	machines_end
}

# injected CALL ERROR[:when=N] COMMAND...: becomes the command, whose calls fail so. Its engine is let
# alone.
injected()
{
	exec env ASAN_OPTIONS=detect_leaks=0 strace -f -b execve -qq -o /dev/null \
		-e trace="$1" -e inject="$1:error=$2" "${@:3}"
}

# injects CALL ERROR STATUS TEXT COMMAND...: refused, with that.
injects()
{
	refused "$3" "$4" bash -c "$(declare -f injected); injected \"\$@\"" - "$1" "$2" "${@:5}"
}

# attached_unsteered: attach works without steering, and says so everywhere.
attached_unsteered()
{
	try subu attach WG subu_0 WG_0 --no-steer
	[ "$status" -eq 0 ] || complain "not attached"
	[[ $stderr == *"default-route on"* ]] || complain "no note"
	[ "${lines[0]}" = "subu_0 has WG_0 as device subu_0, not steered" ]
	done_by subu list
	[ "$(tr -s ' ' <<<"${lines[1]}")" = "subu_0 alice web ns-subu_0 WG_0 down no" ]
	try subu doctor
	[ "$status" -eq 1 ]
	[[ $output == *"could leak: it is not steered, so only its namespace holds it"* ]] ||
		complain "doctor does not say so"
	done_by subu info subu_0
	done_by subu network up subu_0
}

unmount_groups()
{
	client umount -l "$hierarchy"
}

mount_groups()
{
	client mount -t cgroup2 cgroup2 "$hierarchy"
}

@test "no control groups of version 2" {
	unmount_groups
	before=
	refused 1 "no control groups of version 2: mount them (\`mount -t cgroup2 cgroup2 " \
		subu attach WG subu_0 WG_0
	attached_unsteered
	refused 1 "cannot steer subu_0: no control groups of version 2: mount them" \
		subu steer enable subu_0
}

@test "control groups that are gone when they are needed" {
	client subu -q attach WG subu_0 WG_0
	client subu -q network up subu_0
	unmount_groups
	before=
	done_by subu list
	[ "$(tr -s ' ' <<<"${lines[1]}")" = "subu_0 alice web ns-subu_0 WG_0 up no" ]
	refused 1 "cannot steer subu_0: no control groups of version 2" subu reconcile subu_0
	fails 125 "no control groups of version 2: mount them" subu exec subu_0 -- true
	mount_groups
	done_by subu reconcile
	done_by subu doctor
}

@test "a sub-user made without control groups is steered once there are any" {
	unmount_groups
	done_by subu create alice late
	mount_groups
	try subu doctor subu_1
	[[ $output == *"reconcile would create the control group of ns-subu_1"* ]] ||
		complain "doctor does not see it"
	done_by subu attach WG subu_1 WG_0
	done_by subu list
	[ "$(tr -s ' ' <<<"${lines[2]}")" = "subu_1 alice late ns-subu_1 WG_0 down yes" ]
	done_by subu reconcile
	done_by subu doctor
}

@test "the hierarchy mounted read-only" {
	client mount -o remount,bind,ro "$hierarchy"
	fails 1 "cannot make the control group $hierarchy/subu/subu_1: Read-only file system" \
		subu create alice late
	fails 1 "there is no sub-user subu_1" subu info subu_1
	# Its group is there: to attach to it, it need not be written to.
	done_by subu attach WG subu_0 WG_0
	client subu -q detach WG subu_0
	client mount -o remount,bind,rw "$hierarchy"
	done_by subu doctor
}

@test "no BPF file system, and no place for one" {
	client mount -t tmpfs tmpfs /sys/fs
	client mkdir -p /sys/fs/cgroup/unified
	mount_groups
	before=
	refused 1 "no BPF file system at /sys/fs/bpf (\`mount -t bpf bpf /sys/fs/bpf\` mounts one): " \
		subu attach WG subu_0 WG_0
	attached_unsteered
	refused 1 "no BPF file system" subu steer enable subu_0
}

@test "a BPF file system that cannot be mounted" {
	client umount /sys/fs/bpf
	injects fsopen ENODEV 1 \
		"no BPF file system at /sys/fs/bpf (\`mount -t bpf bpf /sys/fs/bpf\` mounts one): " \
		subu attach WG subu_0 WG_0
	injects move_mount EPERM 1 "no BPF file system at /sys/fs/bpf" subu attach WG subu_0 WG_0
	attached_unsteered
	injects fsopen ENODEV 1 "no BPF file system at /sys/fs/bpf" subu steer enable subu_0
	done_by subu steer enable subu_0
	done_by subu doctor
}

@test "a kernel without BPF, without a hook, or without memory for programs" {
	injects bpf ENOSYS 1 "cannot steer subu_0: this kernel has no BPF (CONFIG_BPF_SYSCALL)" \
		subu attach WG subu_0 WG_0
	injects bpf EINVAL 1 "this kernel does not take a program for cgroup_skb/egress (CONFIG_" \
		subu attach WG subu_0 WG_0
	injects bpf ENOMEM 1 "the kernel has no memory for BPF programs: raise the limit" \
		subu attach WG subu_0 WG_0
	injects bpf EPERM 1 "the kernel refuses BPF programs: it takes CAP_BPF and CAP_NET_ADMIN" \
		subu attach WG subu_0 WG_0
	attached_unsteered
}

@test "each step of attaching and turning off may fail: it is taken back" {
	local n error

	before=$(everything)
	for ((n = 1; n < 60; n += 6)); do
		injects_or_works bpf "EBUSY:when=$n" subu attach WG subu_0 WG_0
	done
	client subu -q attach WG subu_0 WG_0
	before=$(everything)
	for ((n = 1; n < 60; n += 6)); do
		injects_or_works bpf "EBUSY:when=$n" subu steer disable subu_0
	done
}

# injects_or_works CALL ERROR COMMAND...: it fails in one sentence and all is as before; or the
# failure was of no importance, and what was done is undone.
injects_or_works()
{
	try bash -c "$(declare -f injected); injected \"\$@\"" - "$1" "$2" "${@:3}"
	if [ "$status" -eq 0 ]; then
		[[ $* != *attach* ]] || client subu -q detach WG subu_0
		[[ $* != *disable* ]] || client subu -q steer enable subu_0
	else
		one_sentence subu_0
	fi
	unchanged
}

@test "without the capabilities" {
	before=
	refused 1 "Operation not permitted" setpriv --bounding-set=-bpf,-sys_admin \
		--inh-caps=-bpf,-sys_admin subu attach WG subu_0 WG_0
	done_by subu doctor
}

@test "the words of steer and attach" {
	refused 1 "subu_0 has no tunnel attached: \`subu attach WG subu_0 WG_M\`" \
		subu steer enable subu_0
	refused 1 "subu_0 has no tunnel attached" subu steer disable subu_0
	refused 2 "'on' is neither enable nor disable" subu steer on subu_0
	refused 2 "'' is neither enable nor disable" subu steer "" subu_0
	refused 2 "usage: subu steer" subu steer enable
	refused 2 "usage: subu steer" subu steer enable subu_0 subu_1
	refused 1 "there is no sub-user subu_9" subu steer enable subu_9
	refused 1 "there is no sub-user alice:mail" subu steer enable alice:mail
	refused 2 "does not say which sub-user" subu steer enable nobody
	refused 2 "attach has no option '--steer'" subu attach WG subu_0 WG_0 --steer
	done_by subu attach WG subu_0 WG_0
	before=$(everything)
	for word in enable enable; do
		done_by subu steer "$word" subu_0
		unchanged
	done
	done_by subu -q steer disable subu_0
	before=$(everything)
	done_by subu -q steer disable subu_0
	unchanged
}
