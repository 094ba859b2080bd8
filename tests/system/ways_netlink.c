/* Asking rtnetlink for another network than was given. */
#include "ways.h"

#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/memory.h"

struct request {
	struct nlmsghdr head;
	char body[512];
};

static void *end_of(struct request *request)
{
	return (char *)request + NLMSG_ALIGN(request->head.nlmsg_len);
}

static void put(struct request *request, const void *bytes, size_t size)
{
	if (size > 0)
		memcpy(end_of(request), bytes, size);
	request->head.nlmsg_len = NLMSG_ALIGN(request->head.nlmsg_len) + (uint32_t)size;
}

static void put_attribute(struct request *request, int type, const void *value, size_t size)
{
	struct rtattr head = {(unsigned short)RTA_LENGTH(size), (unsigned short)type};

	put(request, &head, sizeof(head));
	put(request, value, size);
}

static void put_u32(struct request *request, int type, uint32_t value)
{
	put_attribute(request, type, &value, sizeof(value));
}

/* Opens an attribute that holds others, whose length close_nest() knows then. */
static struct rtattr *open_nest(struct request *request, int type)
{
	struct rtattr *nest = end_of(request);

	put_attribute(request, type, NULL, 0);
	return nest;
}

static void close_nest(struct request *request, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)((char *)end_of(request) - (char *)nest);
}

static struct request begin(int type, int flags, const void *body, size_t size)
{
	struct request request = {
		.head = {.nlmsg_len = NLMSG_LENGTH(0),
			 .nlmsg_type = (uint16_t)type,
			 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)}};

	put(&request, body, size);
	return request;
}

static int send_request(struct request *request)
{
	CLEANUP(fd_close) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[1024];
	} reply;

	if (send(fd, request, request->head.nlmsg_len, 0) < 0 ||
	    recv(fd, &reply, sizeof(reply), 0) < (ssize_t)offsetof(typeof(reply), rest))
		return -errno;
	return reply.error.error;
}

/* A route to everything by the LAN, ahead of any other. */
static int add_route(const struct setting *setting, int family)
{
	struct rtmsg body = {
		.rtm_family = (unsigned char)family,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_type = RTN_UNICAST,
	};
	struct request request = begin(RTM_NEWROUTE, NLM_F_CREATE, &body, sizeof(body));
	struct in_addr v4 = setting_in4(setting, "lan4");
	struct in6_addr v6 = setting_in6(setting, "lan6");

	put_u32(&request, RTA_PRIORITY, 7);
	put_u32(&request, RTA_OIF, setting->lan_index);
	if (family == AF_INET)
		put_attribute(&request, RTA_GATEWAY, &v4, sizeof(v4));
	else
		put_attribute(&request, RTA_GATEWAY, &v6, sizeof(v6));
	return send_request(&request);
}

int leave_by_route(const struct setting *setting)
{
	say(setting, NULL, "route", add_route(setting, AF_INET));
	return add_route(setting, AF_INET6);
}

/* First of all rules: all go by the main table. */
int leave_by_rule(const struct setting *setting)
{
	struct fib_rule_hdr body = {
		.family = AF_INET, .table = RT_TABLE_MAIN, .action = FR_ACT_TO_TBL};
	struct request request = begin(RTM_NEWRULE, NLM_F_CREATE, &body, sizeof(body));

	put_u32(&request, FRA_PRIORITY, 1);
	return send_request(&request);
}

/* Down with the tunnel; and a device of our own on the LAN's. */
int leave_by_link(const struct setting *setting)
{
	struct ifinfomsg body = {.ifi_index =
					 (int)if_nametoindex(setting_value(setting, "tunnel"))};
	struct request removal = begin(RTM_DELLINK, 0, &body, sizeof(body));
	struct request request;
	struct rtattr *nest;

	say(setting, NULL, "delete", send_request(&removal));
	body.ifi_index = 0;
	request = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	put_attribute(&request, IFLA_IFNAME, "ways0", sizeof("ways0"));
	put_u32(&request, IFLA_LINK, setting->lan_index);
	nest = open_nest(&request, IFLA_LINKINFO);
	put_attribute(&request, IFLA_INFO_KIND, "macvlan", strlen("macvlan"));
	close_nest(&request, nest);
	return send_request(&request);
}

/* A process that stays in this namespace, to name it by, as long as we live. */
static pid_t leave_behind(void)
{
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(10);
		for (;;)
			pause();
	}
	return child;
}

/* A cable between a namespace of our own and the one we came from. */
int leave_by_nested_veth(const struct setting *setting)
{
	struct ifinfomsg body = {};
	struct request request = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	struct rtattr *info, *data, *peer;
	pid_t child = leave_behind();
	int code = nest();

	say(setting, NULL, "nest", code);
	info = open_nest(&request, IFLA_LINKINFO);
	put_attribute(&request, IFLA_INFO_KIND, "veth", strlen("veth"));
	data = open_nest(&request, IFLA_INFO_DATA);
	peer = open_nest(&request, VETH_INFO_PEER);
	put(&request, &body, sizeof(body));
	put_u32(&request, IFLA_NET_NS_PID, (uint32_t)child);
	close_nest(&request, peer);
	close_nest(&request, data);
	close_nest(&request, info);
	code = send_request(&request);
	kill(child, SIGKILL);
	return code;
}

/* A device there whose packets we read ourselves: they are still nowhere else. */
int leave_by_nested_tun(const struct setting *setting)
{
	struct ifreq request = {.ifr_name = "ways0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd;

	say(setting, NULL, "nest", nest());
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	say(setting, NULL, "open", answer(fd));
	return answer(ioctl(fd, TUNSETIFF, &request));
}
