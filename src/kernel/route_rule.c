/* Routing rules of two shapes: all traffic out of an interface looks in a table; or all of a
 * protocol finds nothing. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/route.h"

struct rule_array {
	struct route_rule *items; /* owned */
	size_t count;
};

static void array_clear(void *data)
{
	struct rule_array *array = data;

	memory_free(&array->items);
	array->count = 0;
}

struct parsed {
	struct route_rule rule;
	bool selects; /* by something else than the interface */
};

static int rule_attribute(const struct nlattr *attribute, void *data)
{
	struct parsed *parsed = data;

	switch (mnl_attr_get_type(attribute)) {
	case FRA_OIFNAME:
		if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0 ||
		    mnl_attr_get_payload_len(attribute) > sizeof(parsed->rule.oif)) {
			errno = EPROTO;
			return MNL_CB_ERROR;
		}
		strcpy(parsed->rule.oif, mnl_attr_get_str(attribute));
		break;
	case FRA_TABLE:
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
			return MNL_CB_ERROR;
		parsed->rule.table = mnl_attr_get_u32(attribute);
		break;
	case FRA_PRIORITY:
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
			return MNL_CB_ERROR;
		parsed->rule.priority = mnl_attr_get_u32(attribute);
		break;
	case FRA_IP_PROTO:
		if (mnl_attr_validate(attribute, MNL_TYPE_U8) < 0)
			return MNL_CB_ERROR;
		parsed->rule.protocol = mnl_attr_get_u8(attribute);
		break;
	case FRA_SRC:
	case FRA_DST:
	case FRA_IIFNAME:
	case FRA_FWMARK:
	case FRA_UID_RANGE:
	case FRA_SPORT_RANGE:
	case FRA_DPORT_RANGE:
		parsed->selects = true;
		break;
	}
	return MNL_CB_OK;
}

static bool has_shape(const struct route_rule *rule, uint8_t action)
{
	return action == FR_ACT_TO_TBL ? *rule->oif && !rule->protocol
				       : !*rule->oif && rule->protocol;
}

static int array_message(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *info = mnl_nlmsg_get_payload(message);
	struct rule_array *array = data;
	struct parsed parsed = {};

	if (message->nlmsg_type != RTM_NEWRULE ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*info)) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	if ((info->family != AF_INET && info->family != AF_INET6) ||
	    (info->action != FR_ACT_TO_TBL && info->action != FR_ACT_UNREACHABLE) || info->tos ||
	    info->flags & FIB_RULE_INVERT)
		return MNL_CB_OK;
	parsed.rule.family = info->family;
	parsed.rule.table = info->table;
	if (mnl_attr_parse(message, sizeof(*info), rule_attribute, &parsed) < 0)
		return MNL_CB_ERROR;
	if (parsed.selects || !has_shape(&parsed.rule, info->action))
		return MNL_CB_OK;
	if (!*parsed.rule.oif)
		parsed.rule.table = 0;
	array->items = memory_resize(array->items, array->count + 1, sizeof(*array->items));
	array->items[array->count++] = parsed.rule;
	return MNL_CB_OK;
}

static struct nlmsghdr *message_begin(union netlink_buffer *buffer, uint16_t type,
				      sa_family_t family)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *info;

	message->nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->family = (uint8_t)family;
	return message;
}

int route_rule_list(struct netlink *netlink, struct route_rule **ret, size_t *ret_count,
		    struct error *error)
{
	CLEANUP(array_clear) struct rule_array array = {};
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_GETRULE, AF_UNSPEC);
	int code = netlink_dump(netlink, request, array_message, array_clear, &array, error);

	if (code < 0)
		return error_wrap(error, "cannot list the routing rules");
	*ret = MEMORY_TAKE(array.items);
	*ret_count = array.count;
	return 0;
}

static struct nlmsghdr *rule_message(union netlink_buffer *buffer, uint16_t type,
				     const struct route_rule *rule)
{
	struct nlmsghdr *message = message_begin(buffer, type, rule->family);
	struct fib_rule_hdr *info = mnl_nlmsg_get_payload(message);

	info->action = *rule->oif ? FR_ACT_TO_TBL : FR_ACT_UNREACHABLE;
	if (*rule->oif) {
		mnl_attr_put_strz(message, FRA_OIFNAME, rule->oif);
		mnl_attr_put_u32(message, FRA_TABLE, rule->table);
	} else {
		mnl_attr_put_u8(message, FRA_IP_PROTO, rule->protocol);
	}
	mnl_attr_put_u32(message, FRA_PRIORITY, rule->priority);
	return message;
}

static int wrap(const struct route_rule *rule, const char *step, struct error *error)
{
	const char *family = rule->family == AF_INET ? "IPv4" : "IPv6";

	if (!*rule->oif)
		return error_wrap(error, "cannot %s the %s routing rule %u: ipproto %u unreachable",
				  step, family, rule->priority, rule->protocol);
	return error_wrap(error, "cannot %s the %s routing rule %u: oif %s lookup %u", step, family,
			  rule->priority, rule->oif, rule->table);
}

int route_rule_add(struct netlink *netlink, const struct route_rule *rule, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = rule_message(&buffer, RTM_NEWRULE, rule);
	int code;

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	code = netlink_request(netlink, request, NULL, NULL, error);
	return code < 0 && code != -EEXIST ? wrap(rule, "add", error) : 0;
}

int route_rule_delete(struct netlink *netlink, const struct route_rule *rule, struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = rule_message(&buffer, RTM_DELRULE, rule);
	int code = netlink_request(netlink, request, NULL, NULL, error);

	return code < 0 && code != -ENOENT ? wrap(rule, "delete", error) : 0;
}
