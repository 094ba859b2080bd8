#include "kernel/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/memory.h"

/* Of numbers chosen at random: a quarter of what an int holds, and far above what is counted. */
#define INDEX_LEAST (1U << 29)
#define INDEX_COUNT (1U << 29)

static int name_check(const char *name, struct error *error)
{
	if (!*name || strlen(name) >= IFNAMSIZ)
		return error_set(error, EINVAL, "'%.100s' cannot be the name of an interface",
				 name);
	return 0;
}

static struct nlmsghdr *message_begin(union netlink_buffer *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	return message;
}

static int kind_attribute(const struct nlattr *attribute, void *data)
{
	struct link_info *link = data;

	if (mnl_attr_get_type(attribute) != IFLA_INFO_KIND)
		return MNL_CB_OK;
	if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
		return MNL_CB_ERROR;
	/* A longer one is cut: none that anybody asks for is. */
	strncpy(link->kind, mnl_attr_get_str(attribute), sizeof(link->kind) - 1);
	return MNL_CB_OK;
}

static int link_attribute(const struct nlattr *attribute, void *data)
{
	struct link_info *link = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0 ||
		    mnl_attr_get_payload_len(attribute) > sizeof(link->name)) {
			errno = EPROTO;
			return MNL_CB_ERROR;
		}
		strcpy(link->name, mnl_attr_get_str(attribute));
		break;
	case IFLA_MTU:
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
			return MNL_CB_ERROR;
		link->mtu = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINKINFO:
		if (mnl_attr_validate(attribute, MNL_TYPE_NESTED) < 0)
			return MNL_CB_ERROR;
		return mnl_attr_parse_nested(attribute, kind_attribute, link);
	}
	return MNL_CB_OK;
}

static int link_read(const struct nlmsghdr *message, struct link_info *ret)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link_info link = {};

	if (message->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*info)) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	link.index = (unsigned int)info->ifi_index;
	link.up = info->ifi_flags & IFF_UP;
	if (mnl_attr_parse(message, sizeof(*info), link_attribute, &link) < 0)
		return MNL_CB_ERROR;
	*ret = link;
	return MNL_CB_OK;
}

struct link_array {
	struct link_info *items; /* owned */
	size_t count;
};

static void array_clear(void *data)
{
	struct link_array *array = data;

	memory_free(&array->items);
	array->count = 0;
}

static int array_message(const struct nlmsghdr *message, void *data)
{
	struct link_array *array = data;

	array->items = memory_resize(array->items, array->count + 1, sizeof(*array->items));
	if (link_read(message, &array->items[array->count]) < 0)
		return MNL_CB_ERROR;
	array->count++;
	return MNL_CB_OK;
}

int link_list(struct netlink *netlink, struct link_info **ret, size_t *ret_count,
	      struct error *error)
{
	CLEANUP(array_clear) struct link_array array = {};
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_GETLINK, 0);
	int code = netlink_dump(netlink, request, array_message, array_clear, &array, error);

	if (code < 0)
		return error_wrap(error, "cannot list the interfaces");
	*ret = MEMORY_TAKE(array.items);
	*ret_count = array.count;
	return 0;
}

static int find_message(const struct nlmsghdr *message, void *data)
{
	return link_read(message, data);
}

int link_find(struct netlink *netlink, const char *name, struct link_info *ret, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_GETLINK, 0);
	struct link_info link = {};
	int code = name_check(name, error);

	if (code < 0)
		return code;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	code = netlink_request(netlink, request, find_message, &link, error);
	if (code < 0)
		return error_wrap(error, "cannot find the interface %s", name);
	*ret = link;
	return 0;
}

unsigned int link_choose_index(void)
{
	uint32_t random = 0;

	/* Without randomness it is still a high number, and one that is taken is refused. */
	if (getrandom(&random, sizeof(random), 0) < 0)
		random = (uint32_t)getpid();
	return INDEX_LEAST + random % INDEX_COUNT;
}

int link_create_wireguard(struct netlink *netlink, const char *name, int netns_fd,
			  struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *link_info;
	struct ifinfomsg *info;
	int code = name_check(name, error);

	if (code < 0)
		return code;
	info = mnl_nlmsg_get_payload(request);
	info->ifi_index = (int)link_choose_index();
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	link_info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "wireguard");
	mnl_attr_nest_end(request, link_info);
	code = netlink_request(netlink, request, NULL, NULL, error);
	if (code == -EOPNOTSUPP)
		return error_set(error, EOPNOTSUPP,
				 "cannot make the interface %s: the kernel has no WireGuard; the "
				 "engine backend needs none",
				 name);
	return code < 0 ? error_wrap(error, "cannot make the WireGuard interface %s", name) : 0;
}

int link_delete(struct netlink *netlink, const char *name, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_DELLINK, 0);
	int code = name_check(name, error);

	if (code < 0)
		return code;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	code = netlink_request(netlink, request, NULL, NULL, error);
	if (code < 0 && code != -ENODEV)
		return error_wrap(error, "cannot delete the interface %s", name);
	return 0;
}

int link_set_up(struct netlink *netlink, const char *name, bool up, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_NEWLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(request);
	int code = name_check(name, error);

	if (code < 0)
		return code;
	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	code = netlink_request(netlink, request, NULL, NULL, error);
	if (code < 0)
		return error_wrap(error, "cannot set the interface %s %s", name,
				  up ? "up" : "down");
	return 0;
}

int link_set_mtu(struct netlink *netlink, const char *name, uint32_t mtu, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_NEWLINK, 0);
	int code = name_check(name, error);

	if (code < 0)
		return code;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	mnl_attr_put_u32(request, IFLA_MTU, mtu);
	code = netlink_request(netlink, request, NULL, NULL, error);
	if (code < 0)
		return error_wrap(error, "cannot set the MTU of the interface %s to %u", name, mtu);
	return 0;
}

int link_set_no_ipv6_autoconf(struct netlink *netlink, const char *name, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_NEWLINK, 0);
	struct nlattr *families, *ipv6;
	int code = name_check(name, error);

	if (code < 0)
		return code;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	ipv6 = mnl_attr_nest_start(request, AF_INET6);
	mnl_attr_put_u8(request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(request, ipv6);
	mnl_attr_nest_end(request, families);
	code = netlink_request(netlink, request, NULL, NULL, error);
	if (code < 0 && code != -EAFNOSUPPORT)
		return error_wrap(error, "cannot keep the interface %s from link-local addresses",
				  name);
	return 0;
}
