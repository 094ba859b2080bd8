#include "kernel/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/memory.h"

struct route_array {
	struct route *items; /* owned */
	size_t count;
};

static void array_clear(void *data)
{
	struct route_array *array = data;

	memory_free(&array->items);
	array->count = 0;
}

static int route_attribute(const struct nlattr *attribute, void *data)
{
	struct route *route = data;
	size_t size = ip_bits(route->destination.ip.family) / 8;
	const struct rtnexthop *hop;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_TABLE:
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
			return MNL_CB_ERROR;
		route->table = mnl_attr_get_u32(attribute);
		break;
	case RTA_OIF:
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
			return MNL_CB_ERROR;
		route->link_index = mnl_attr_get_u32(attribute);
		break;
	case RTA_DST:
		if (mnl_attr_validate2(attribute, MNL_TYPE_BINARY, size) < 0)
			return MNL_CB_ERROR;
		memcpy(route->destination.ip.bytes, mnl_attr_get_payload(attribute), size);
		break;
	case RTA_MULTIPATH:
		if (mnl_attr_get_payload_len(attribute) < sizeof(*hop)) {
			errno = EPROTO;
			return MNL_CB_ERROR;
		}
		hop = mnl_attr_get_payload(attribute);
		route->link_index = (unsigned int)hop->rtnh_ifindex;
		break;
	}
	return MNL_CB_OK;
}

/* A route that is somebody's own doing, rather than the kernel's. */
static bool is_listed(const struct rtmsg *info)
{
	return (info->rtm_family == AF_INET || info->rtm_family == AF_INET6) &&
	       (info->rtm_type == RTN_UNICAST || info->rtm_type == RTN_LOCAL) &&
	       !(info->rtm_flags & RTM_F_CLONED) &&
	       (info->rtm_protocol == RTPROT_STATIC || info->rtm_protocol == RTPROT_BOOT);
}

static int array_message(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct route_array *array = data;
	struct route route = {};

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*info)) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	if (!is_listed(info))
		return MNL_CB_OK;
	if (info->rtm_dst_len > ip_bits(info->rtm_family)) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	route.table = info->rtm_table;
	route.destination.ip.family = info->rtm_family;
	route.destination.length = info->rtm_dst_len;
	if (mnl_attr_parse(message, sizeof(*info), route_attribute, &route) < 0)
		return MNL_CB_ERROR;
	array->items = memory_resize(array->items, array->count + 1, sizeof(*array->items));
	array->items[array->count++] = route;
	return MNL_CB_OK;
}

static struct nlmsghdr *message_begin(union netlink_buffer *buffer, uint16_t type,
				      sa_family_t family)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *info;

	message->nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->rtm_family = (uint8_t)family;
	return message;
}

int route_list(struct netlink *netlink, struct route **ret, size_t *ret_count, struct error *error)
{
	CLEANUP(array_clear) struct route_array array = {};
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_GETROUTE, AF_UNSPEC);
	int code = netlink_dump(netlink, request, array_message, array_clear, &array, error);

	if (code < 0)
		return error_wrap(error, "cannot list the routes");
	*ret = MEMORY_TAKE(array.items);
	*ret_count = array.count;
	return 0;
}

static bool is_local(const struct route *route)
{
	return cidr_is_loopback(&route->destination);
}

static int find_message(const struct nlmsghdr *message, void *data)
{
	if (message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	return mnl_attr_parse(message, sizeof(struct rtmsg), route_attribute, data);
}

int route_find(struct netlink *netlink, const struct ip *destination, unsigned int *ret_link_index,
	       struct error *error)
{
	struct route route = {.destination.ip = *destination};
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_GETROUTE, destination->family);
	struct rtmsg *info = mnl_nlmsg_get_payload(request);
	int code;

	info->rtm_dst_len = (uint8_t)ip_bits(destination->family);
	mnl_attr_put(request, RTA_DST, ip_bits(destination->family) / 8, destination->bytes);
	code = netlink_request(netlink, request, find_message, &route, error);
	if (code == 0)
		*ret_link_index = route.link_index;
	return code;
}

/* What a request to add and one to delete have in common. */
static struct nlmsghdr *route_message(union netlink_buffer *buffer, uint16_t type,
				      const struct route *route)
{
	const struct ip *ip = &route->destination.ip;
	struct nlmsghdr *message = message_begin(buffer, type, ip->family);
	struct rtmsg *info = mnl_nlmsg_get_payload(message);

	info->rtm_type = is_local(route) ? RTN_LOCAL : RTN_UNICAST;
	info->rtm_dst_len = route->destination.length;
	mnl_attr_put(message, RTA_DST, ip_bits(ip->family) / 8, ip->bytes);
	mnl_attr_put_u32(message, RTA_TABLE, route->table);
	mnl_attr_put_u32(message, RTA_OIF, route->link_index);
	return message;
}

static int wrap(const struct route *route, const char *step, struct error *error)
{
	char text[CIDR_TEXT_MAX];

	return error_wrap(error, "cannot %s the route to %s by interface %u in table %u", step,
			  cidr_format(&route->destination, text), route->link_index, route->table);
}

static bool route_equal(const struct route *a, const struct route *b)
{
	return a->table == b->table && a->link_index == b->link_index &&
	       cidr_equal(&a->destination, &b->destination);
}

/* EEXIST is also the answer when the way to the destination is another. */
static int accept_existing(struct netlink *netlink, const struct route *route, struct error *error)
{
	CLEANUP(memory_free) struct route *routes = NULL;
	size_t count;
	int code = route_list(netlink, &routes, &count, error);

	if (code < 0)
		return code;
	for (size_t i = 0; i < count; i++)
		if (route_equal(&routes[i], route))
			return 0;
	return error_set(error, EEXIST, "there is another route to the same network");
}

static int add(struct netlink *netlink, const struct route *route, uint16_t flag,
	       struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = route_message(&buffer, RTM_NEWROUTE, route);
	struct rtmsg *info = mnl_nlmsg_get_payload(request);
	int code;

	request->nlmsg_flags = NLM_F_CREATE | flag;
	info->rtm_protocol = RTPROT_STATIC;
	if (route->destination.ip.family == AF_INET)
		info->rtm_scope = is_local(route) ? RT_SCOPE_HOST : RT_SCOPE_LINK;
	code = netlink_request(netlink, request, NULL, NULL, error);
	if (code == -EEXIST)
		code = accept_existing(netlink, route, error);
	return code < 0 ? wrap(route, "add", error) : 0;
}

int route_add(struct netlink *netlink, const struct route *route, struct error *error)
{
	return add(netlink, route, NLM_F_EXCL, error);
}

int route_replace(struct netlink *netlink, const struct route *route, struct error *error)
{
	return add(netlink, route, NLM_F_REPLACE, error);
}

int route_delete(struct netlink *netlink, const struct route *route, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = route_message(&buffer, RTM_DELROUTE, route);
	struct rtmsg *info = mnl_nlmsg_get_payload(request);
	int code;

	info->rtm_scope = RT_SCOPE_NOWHERE; /* of any scope */
	code = netlink_request(netlink, request, NULL, NULL, error);
	if (code < 0 && code != -ESRCH && code != -ENODEV)
		return wrap(route, "delete", error);
	return 0;
}
