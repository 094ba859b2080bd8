/* Forced egress, in the kernel: the programs on the control group of one sub-user. A socket belongs
 * to the group of the process that made it, for life, and so do the packets that leave by it.
 *
 *	socket()              create      binds it to the tunnel's device, before its first packet
 *	connect(), sendmsg()  connect4 …  binds it again, if it was made before the programs came
 *	setsockopt()          setopt      joins groups on the tunnel or lo, or not at all
 *	a packet leaves       egress      by the tunnel or by lo, or not at all
 *
 * The first two make things work and errors readable; the last two are what holds. The kernel lets
 * no process without CAP_NET_RAW bind a bound socket anew, but connect() to AF_UNSPEC unbinds one of
 * datagrams. Before it asks at sendmsg() it has chosen a device for the packet in hand: the first one
 * that an older socket sends may be dropped, the next ones go through the tunnel.
 *
 * A multicast group that a socket joins is told to the network by the kernel, with the sources that it
 * is wanted from (IGMP, MLD): addresses of the caller's choice, in packets that are no socket's of the
 * control group. So an option that changes membership has to name the device by its number, the
 * tunnel's or lo's. Who names it by an address, or leaves it to the kernel, is refused as well: what
 * the kernel would choose is not known here. The value that is judged is the kernel's copy, and with
 * that one it goes on. Of a value longer than a page it would go on with the caller's memory, which
 * may have changed by then: such a one never passes where the value matters.
 *
 * An interface index means something in one namespace only. In any other namespace, one that a
 * process inside has made for itself, sockets are bound to lo, and join groups there.
 *
 * What the programs do not see: packets of AF_PACKET sockets, which take CAP_NET_RAW; what the
 * kernel answers by itself (ICMP, RST, ARP); sockets that a process outside the group has made;
 * setsockopt() by a system call of 32 bits, which the kernel does not show, and groups that were
 * joined before the programs came. */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "egress/layout.h"

/* From the kernel's headers for programs outside, which cannot be had here. */
#define SOL_SOCKET	 1
#define SO_BINDTOIFINDEX 62
#define ENODEV		 19
#define ENETUNREACH	 101

#define LO_INDEX 1 /* in every namespace (LOOPBACK_IFINDEX) */

#define VALUE_SHOWN 4096 /* of an option: a page, which is nowhere smaller */

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

/* Does it join or leave groups, or filter the sources of one? */
static bool is_membership(const struct bpf_sockopt *call)
{
	const __s32 name = call->optname;

	if (call->level == IPPROTO_IP)
		return name >= IP_ADD_MEMBERSHIP && name <= MCAST_MSFILTER;
	return call->level == IPPROTO_IPV6 &&
	       (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP ||
		name == IPV6_JOIN_ANYCAST || name == IPV6_LEAVE_ANYCAST ||
		(name >= MCAST_JOIN_GROUP && name <= MCAST_MSFILTER));
}

/* 0: the value does not reach that far, or further than is shown. */
static __always_inline __u32 number_at(const struct bpf_sockopt *call, __u32 offset)
{
	const __u32 *number = call->optval + offset;
	const __s32 size = call->optlen;

	if (size < (__s32)(offset + sizeof(*number)) || size > VALUE_SHOWN ||
	    (const void *)(number + 1) > call->optval_end)
		return 0;
	return *number;
}

/* The device that a membership is for; 0 where it is not named by its number. */
static __u32 find_named_device(const struct bpf_sockopt *call)
{
	if (call->optname >= MCAST_JOIN_GROUP) /* all of these begin with it */
		return number_at(call, offsetof(struct group_req, gr_interface));
	if (call->level == IPPROTO_IPV6)
		return number_at(call, offsetof(struct ipv6_mreq, ipv6mr_ifindex));
	if (call->optname == IP_ADD_MEMBERSHIP || call->optname == IP_DROP_MEMBERSHIP)
		return number_at(call, offsetof(struct ip_mreqn, imr_ifindex));
	return 0;
}

static int judge_membership(const struct bpf_sockopt *call)
{
	const struct egress_config *config = find_config();
	const __u32 device = find_named_device(call);

	if (config && (device == LO_INDEX ||
		       device == choose_device(config, bpf_get_netns_cookie((void *)call))))
		return PASS;
	bpf_set_retval(-ENODEV);
	return deny(config ? EGRESS_REFUSED_GROUP : EGRESS_REFUSED_CONFIG);
}

/* SMC takes a connection of TCP off IP, where no program sees it. */
static bool may_ask_for_smc(const struct bpf_sockopt *call)
{
	const char *name = call->optval;

	if (call->level != IPPROTO_TCP || call->optname != TCP_ULP)
		return false;
	if (call->optlen > VALUE_SHOWN || (const void *)(name + 3) > call->optval_end)
		return true;
	return name[0] == 's' && name[1] == 'm' && name[2] == 'c';
}

SEC("cgroup/setsockopt")
int PROGRAM(setopt)(struct bpf_sockopt *call)
{
	if (is_membership(call))
		return judge_membership(call);
	if (may_ask_for_smc(call))
		return DENY;
	/* What is not judged the kernel may take from the caller's memory. Early releases of 6.1 fail
	 * the call, unless told so, when they have not copied all of it. */
	if (call->optlen > VALUE_SHOWN)
		call->optlen = 0;
	return PASS;
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
