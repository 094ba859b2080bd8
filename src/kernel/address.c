#include "kernel/address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/memory.h"

struct listing {
	unsigned int link_index;
	struct cidr_list list; /* owned */
};

static void listing_clear(struct listing *listing)
{
	cidr_list_clear(&listing->list);
}

static void listing_restart(void *data)
{
	listing_clear(data);
}

struct parsed {
	struct cidr cidr;
	bool local; /* from IFA_LOCAL: IFA_ADDRESS is the peer's then */
};

static int address_attribute(const struct nlattr *attribute, void *data)
{
	uint16_t type = mnl_attr_get_type(attribute);
	struct parsed *parsed = data;
	size_t size = ip_bits(parsed->cidr.ip.family) / 8;

	if (type != IFA_LOCAL && (type != IFA_ADDRESS || parsed->local))
		return MNL_CB_OK;
	if (mnl_attr_validate2(attribute, MNL_TYPE_BINARY, size) < 0)
		return MNL_CB_ERROR;
	memcpy(parsed->cidr.ip.bytes, mnl_attr_get_payload(attribute), size);
	parsed->local = type == IFA_LOCAL;
	return MNL_CB_OK;
}

static int listing_message(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct listing *listing = data;
	struct parsed parsed = {};

	if (message->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*info)) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	if (info->ifa_index != listing->link_index || info->ifa_scope != RT_SCOPE_UNIVERSE ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return MNL_CB_OK;
	if (info->ifa_prefixlen > ip_bits(info->ifa_family)) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	parsed.cidr.ip.family = info->ifa_family;
	parsed.cidr.length = info->ifa_prefixlen;
	if (mnl_attr_parse(message, sizeof(*info), address_attribute, &parsed) < 0)
		return MNL_CB_ERROR;
	cidr_list_append(&listing->list, &parsed.cidr);
	return MNL_CB_OK;
}

static struct nlmsghdr *message_begin(union netlink_buffer *buffer, uint16_t type,
				      unsigned int link_index)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *info;

	message->nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifa_index = link_index;
	return message;
}

int address_list(struct netlink *netlink, unsigned int link_index, struct cidr_list *ret,
		 struct error *error)
{
	CLEANUP(listing_clear) struct listing listing = {.link_index = link_index};
	union netlink_buffer buffer;
	struct nlmsghdr *request = message_begin(&buffer, RTM_GETADDR, link_index);
	int code =
		netlink_dump(netlink, request, listing_message, listing_restart, &listing, error);

	if (code < 0)
		return error_wrap(error, "cannot list the addresses of interface %u", link_index);
	*ret = listing.list;
	listing.list = (struct cidr_list){};
	return 0;
}

/* What a request to add and one to delete have in common. */
static struct nlmsghdr *address_message(union netlink_buffer *buffer, uint16_t type,
					unsigned int link_index, const struct cidr *address)
{
	struct nlmsghdr *message = message_begin(buffer, type, link_index);
	struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	size_t size = ip_bits(address->ip.family) / 8;

	info->ifa_family = (uint8_t)address->ip.family;
	info->ifa_prefixlen = address->length;
	mnl_attr_put(message, IFA_LOCAL, size, address->ip.bytes);
	mnl_attr_put(message, IFA_ADDRESS, size, address->ip.bytes);
	return message;
}

int address_add(struct netlink *netlink, unsigned int link_index, const struct cidr *address,
		struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = address_message(&buffer, RTM_NEWADDR, link_index, address);
	char text[CIDR_TEXT_MAX];
	int code;

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_u32(request, IFA_FLAGS,
			 IFA_F_NOPREFIXROUTE | (address->ip.family == AF_INET6 ? IFA_F_NODAD : 0));
	code = netlink_request(netlink, request, NULL, NULL, error);
	if (code < 0 && code != -EEXIST)
		return error_wrap(error, "cannot add the address %s to interface %u",
				  cidr_format(address, text), link_index);
	return 0;
}

int address_delete(struct netlink *netlink, unsigned int link_index, const struct cidr *address,
		   struct error *error)
{
	union netlink_buffer buffer;
	struct nlmsghdr *request = address_message(&buffer, RTM_DELADDR, link_index, address);
	char text[CIDR_TEXT_MAX];
	int code = netlink_request(netlink, request, NULL, NULL, error);

	/* ENXIO: a device whose MTU is too small for IPv6 has none of its addresses. */
	if (code < 0 && code != -EADDRNOTAVAIL && code != -ENODEV && code != -ENXIO)
		return error_wrap(error, "cannot delete the address %s from interface %u",
				  cidr_format(address, text), link_index);
	return 0;
}
