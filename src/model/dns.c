#include "model/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static int dns_add(struct dns *dns, const char *item, struct error *error)
{
	struct error ignored;
	struct ip server;

	if (ip_parse(item, &server, &ignored) == 0) {
		if (dns->server_count == DNS_SERVERS_MAX)
			return error_set(error, E2BIG, "more than %d DNS servers", DNS_SERVERS_MAX);
		dns->servers[dns->server_count++] = server;
		return 0;
	}
	if (!endpoint_is_host_name(item))
		return error_set(error, EINVAL,
				 "'%.100s' is neither the address of a DNS server nor a search "
				 "domain, such as 10.0.0.1 or corp.example",
				 item);
	if (dns->search_count == DNS_SEARCH_MAX)
		return error_set(error, E2BIG, "more than %d search domains", DNS_SEARCH_MAX);
	strcpy(dns->search[dns->search_count++], item);
	return 0;
}

int dns_parse(const char *text, struct dns *dns, struct error *error)
{
	char item[ENDPOINT_HOST_MAX];
	struct dns sum = *dns;
	const char *rest = text;
	int more, code;

	while ((more = text_next_item(&rest, item, sizeof(item))) > 0) {
		code = dns_add(&sum, item, error);
		if (code < 0)
			return code;
	}
	if (more < 0)
		return error_set(error, EINVAL,
				 "'%.100s' is not a list of DNS servers and search domains "
				 "separated by commas",
				 text);
	*dns = sum;
	return 0;
}

char *dns_format(const struct dns *dns)
{
	char *text = memory_zalloc(1 + dns->server_count * (IP_TEXT_MAX + 2) +
				   dns->search_count * (ENDPOINT_HOST_MAX + 2));
	const char *separator = "";
	char *end = text, server[IP_TEXT_MAX];

	for (size_t i = 0; i < dns->server_count; i++) {
		end = stpcpy(stpcpy(end, separator), ip_format(&dns->servers[i], server));
		separator = ", ";
	}
	for (size_t i = 0; i < dns->search_count; i++) {
		end = stpcpy(stpcpy(end, separator), dns->search[i]);
		separator = ", ";
	}
	return text;
}

char *dns_resolv_conf(const struct dns *dns)
{
	static const char none[] = "# subu: this tunnel has no DNS\n";
	char *text = memory_zalloc(
		sizeof(none) + dns->server_count * (IP_TEXT_MAX + sizeof("nameserver \n")) +
		dns->search_count * (ENDPOINT_HOST_MAX + 1) + sizeof("search\n"));
	char *end = text, server[IP_TEXT_MAX];

	if (dns->server_count == 0) {
		strcpy(text, none);
		return text;
	}
	for (size_t i = 0; i < dns->server_count; i++)
		end += sprintf(end, "nameserver %s\n", ip_format(&dns->servers[i], server));
	if (dns->search_count == 0)
		return text;
	end = stpcpy(end, "search");
	for (size_t i = 0; i < dns->search_count; i++)
		end += sprintf(end, " %s", dns->search[i]);
	strcpy(end, "\n");
	return text;
}
