/* Between the files of the probe. */
#ifndef EGRESS_PROBE_WAYS_H
#define EGRESS_PROBE_WAYS_H

#include "base/ip.h"
#include "egress/probe.h"

struct probe {
	const char *device;
	unsigned int tunnel;		 /* its index; 0: there is none */
	bool steered;			 /* something binds sockets when they are made */
	struct if_nameindex *interfaces; /* owned: all that the namespace has */
	void (*tell)(void *data, const struct probe_result *result);
	void *data;
};

/* Tells a result. The detail is printf's. */
void probe_tell(const struct probe *probe, const char *way, enum probe_outcome outcome,
		unsigned int barriers, const char *detail, ...)
	__attribute__((format(printf, 5, 6)));

/* Tells a result that speaks for itself: 0, or the negative errno by which it was stopped, if the
 * barriers are any, or which nobody can explain. */
void probe_tell_code(const struct probe *probe, const char *way, int code, unsigned int barriers);

/* The interface that the socket is bound to; 0: none. */
unsigned int probe_bound_to(int fd);

/* Is it an interface by which nothing may leave? */
bool probe_is_other(const struct probe *probe, unsigned int index);

/* The ways, by what they have in common. */
void probe_sockets(const struct probe *probe);
void probe_interfaces(const struct probe *probe);
void probe_rights(const struct probe *probe);
void probe_names(const struct probe *probe);

#endif
