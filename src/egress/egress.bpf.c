/* Forced egress, in the kernel: the programs on the control group of one sub-user. A socket belongs
 * to the group of the process that made it, for life, and so do the packets that leave by it.
 *
 *	socket()              create      binds it to the tunnel's device, before its first packet
 *	connect(), sendmsg()  connect4 …  binds it again, if it was made before the programs came
 *	a packet leaves       egress      by the tunnel or by lo, or not at all
 *
 * The first two make things work and errors readable; the last one is what holds. The kernel lets
 * no process without CAP_NET_RAW bind a bound socket anew. Before it asks at sendmsg() it has chosen
 * a device for the packet in hand: the first one that an older socket sends may be dropped, the next
 * ones go through the tunnel.
 *
 * An interface index means something in one namespace only. In any other namespace, one that a
 * process inside has made for itself, sockets are bound to lo.
 *
 * What the programs do not see: packets of AF_PACKET sockets, which take CAP_NET_RAW; what the
 * kernel answers by itself (ICMP, RST, ARP); sockets that a process outside the group has made. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "egress/layout.h"

/* From the kernel's headers for programs outside, which cannot be had here. */
#define SOL_SOCKET	 1
#define SO_BINDTOIFINDEX 62
#define ENETUNREACH	 101

#define LO_INDEX 1 /* in every namespace (LOOPBACK_IFINDEX) */

#define DENY 0
#define PASS 1

/* A name that says which program it is and, in six digits, of which version: what the kernel shows
 * (BPF_OBJ_NAME_LEN: 15 characters), and how subu knows its own programs from an older subu's. */
#define JOIN(hook, version)  hook##_##version
#define NAMED(hook, version) JOIN(hook, version)
#define PROGRAM(hook)	     NAMED(hook, EGRESS_VERSION)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egress_config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EGRESS_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* NULL when there is none that this program understands. */
static const struct egress_config *find_config(void)
{
	const __u32 key = 0;
	const struct egress_config *found = bpf_map_lookup_elem(&config, &key);

	return found && found->layout == EGRESS_LAYOUT && found->tunnel ? found : NULL;
}

static int deny(enum egress_reason reason)
{
	const __u32 key = reason;
	__u64 *counter = bpf_map_lookup_elem(&counters, &key);

	if (counter)
		(*counter)++;
	return DENY;
}

static int refuse(enum egress_reason reason)
{
	bpf_set_retval(-ENETUNREACH);
	return deny(reason);
}

static __u32 choose_device(const struct egress_config *config, __u64 netns_cookie)
{
	return netns_cookie == config->netns_cookie ? config->tunnel : LO_INDEX;
}

SEC("cgroup/sock_create")
int PROGRAM(create)(struct bpf_sock *socket)
{
	const struct egress_config *config = find_config();

	if (!config)
		return refuse(EGRESS_REFUSED_CONFIG);
	socket->bound_dev_if = choose_device(config, bpf_get_netns_cookie(socket));
	return PASS;
}

static int bind_again(struct bpf_sock_addr *call)
{
	const struct egress_config *config = find_config();
	struct bpf_sock *socket = call->sk;
	__u32 device;

	if (!config || !socket)
		return refuse(EGRESS_REFUSED_CONFIG);
	device = choose_device(config, bpf_get_netns_cookie(call));
	/* To bind to the same device once more takes a privilege too. */
	if (socket->bound_dev_if != device &&
	    bpf_setsockopt(call, SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)) < 0)
		return refuse(EGRESS_REFUSED_DEVICE);
	return PASS;
}

SEC("cgroup/connect4")
int PROGRAM(connect4)(struct bpf_sock_addr *call)
{
	return bind_again(call);
}

SEC("cgroup/connect6")
int PROGRAM(connect6)(struct bpf_sock_addr *call)
{
	return bind_again(call);
}

SEC("cgroup/sendmsg4")
int PROGRAM(sendmsg4)(struct bpf_sock_addr *call)
{
	return bind_again(call);
}

SEC("cgroup/sendmsg6")
int PROGRAM(sendmsg6)(struct bpf_sock_addr *call)
{
	return bind_again(call);
}

SEC("cgroup_skb/egress")
int PROGRAM(egress)(struct __sk_buff *packet)
{
	const struct egress_config *config = find_config();

	if (!config)
		return deny(EGRESS_DROPPED_CONFIG);
	if (packet->ifindex != config->tunnel && packet->ifindex != LO_INDEX)
		return deny(EGRESS_DROPPED_INTERFACE);
	return PASS;
}

/* The helpers used are for programs under the GPL alone. */
char LICENSE[] SEC("license") = "GPL";
