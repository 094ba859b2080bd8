/* What the programs in the kernel and subu outside say to each other, in maps. */
#ifndef EGRESS_LAYOUT_H
#define EGRESS_LAYOUT_H

#include <linux/types.h>

/* Goes up with every change of what stands in this file. */
#define EGRESS_LAYOUT 1

/* The one entry of the map `config`. */
struct egress_config {
	__u32 layout;	    /* EGRESS_LAYOUT; with any other, zero too, nothing passes */
	__u32 tunnel;	    /* the interface index of the tunnel's device */
	__u64 netns_cookie; /* of the namespace in which it has that index (SO_NETNS_COOKIE) */
};

/* The entries of the map `counters`, each a __u64 a processor. */
enum egress_reason {
	EGRESS_DROPPED_INTERFACE, /* packets on their way out by another interface */
	EGRESS_DROPPED_CONFIG,	  /* packets while there is no configuration */
	EGRESS_REFUSED_DEVICE,	  /* connect, sendmsg: of a socket that cannot be bound again */
	EGRESS_REFUSED_GROUP,	  /* setsockopt: groups by another interface, or by none named */
	EGRESS_REFUSED_CONFIG,	  /* these calls, and socket: while there is no configuration */
	EGRESS_REASON_COUNT,
};

#endif
