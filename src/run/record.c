#include "run/record.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

void record_clear(struct record *record)
{
	memory_free(&record->addresses);
	memory_free(&record->dns);
	memory_free(&record->source);
	memory_free(&record->fingerprint);
	*record = (struct record){};
}

json_t *record_pack(const struct record *record)
{
	return json_pack("{sssssIsIsIsIsssIssssssss}", "name", record->name, "profile",
			 record->profile, "supervisor", (json_int_t)record->supervisor.pid,
			 "supervisor_start", (json_int_t)record->supervisor.start, "anchor",
			 (json_int_t)record->anchor.pid, "anchor_start",
			 (json_int_t)record->anchor.start, "backend", backend_name(record->backend),
			 "since", (json_int_t)record->since, "addresses", record->addresses, "dns",
			 record->dns, "source", record->source, "fingerprint", record->fingerprint);
}

/* Or 0, for none. */
static bool is_pid(json_int_t number)
{
	return number >= 0 && number <= INT_MAX;
}

int record_unpack(json_t *value, struct record *ret, struct error *error)
{
	json_int_t supervisor, supervisor_start, anchor, anchor_start, since;
	const char *name, *profile, *backend, *addresses, *dns, *source, *fingerprint;
	struct record record = {};

	if (json_unpack(value, "{sssssIsIsIsIsssIssssssss}", "name", &name, "profile", &profile,
			"supervisor", &supervisor, "supervisor_start", &supervisor_start, "anchor",
			&anchor, "anchor_start", &anchor_start, "backend", &backend, "since",
			&since, "addresses", &addresses, "dns", &dns, "source", &source,
			"fingerprint", &fingerprint) < 0 ||
	    strlen(name) >= sizeof(record.name) || strlen(profile) >= sizeof(record.profile) ||
	    !is_pid(supervisor) || !is_pid(anchor))
		return error_set(error, EPROTO,
				 "the record of the tunnel is not as subu writes it");
	strcpy(record.name, name);
	strcpy(record.profile, profile);
	record.supervisor = (struct process_id){(pid_t)supervisor, (uint64_t)supervisor_start};
	record.anchor = (struct process_id){(pid_t)anchor, (uint64_t)anchor_start};
	record.backend = strcmp(backend, backend_name(BACKEND_KERNEL)) == 0 ? BACKEND_KERNEL
									    : BACKEND_ENGINE;
	record.since = since;
	record.addresses = memory_strdup(addresses);
	record.dns = memory_strdup(dns);
	record.source = memory_strdup(source);
	record.fingerprint = memory_strdup(fingerprint);
	*ret = record;
	return 0;
}
