/* A sub-user and its links as plain data, and the names of what belongs to it in the kernel. */
#ifndef MODEL_SUBU_H
#define MODEL_SUBU_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/name.h"

/* How far the kernel objects behind a row are. A row is committed as `making` before the first of
 * them is made and leaves only after the last of them is gone, so each always has a row. */
enum phase {
	PHASE_MAKING,
	PHASE_PRESENT,
	PHASE_REMOVING,
};

#define ACCOUNT_MAX 33 /* LOGIN_NAME_MAX of shadow: 32 characters and the NUL */

struct subu {
	uint32_t id; /* subu_<id> */
	char owner[NAME_SIZE];
	char name[NAME_SIZE];
	char account[ACCOUNT_MAX]; /* whom commands run as; empty: by the caller */
	bool lo_up;
	enum phase phase;
};

/* A tunnel plugged into a sub-user. */
struct subu_link {
	uint32_t subu;
	uint32_t tunnel;
	bool up;    /* the admin state */
	bool steer; /* forced egress: the tunnel is the only way out, also for the programs */
	enum phase phase;
};

#define SUBU_ID_TEXT_MAX 24 /* "subu/subu_4294967295" with room */

const char *phase_name(enum phase phase);

/* "subu_3", "WG_3", "ns-subu_3", "subu/subu_3": into the caller's buffer, which is returned. The
 * device of tunnel WG_3 inside a namespace is "subu_3". */
const char *subu_id_format(uint32_t id, char buffer[static SUBU_ID_TEXT_MAX]);
const char *tunnel_id_format(uint32_t id, char buffer[static SUBU_ID_TEXT_MAX]);
const char *subu_netns(uint32_t id, char buffer[static SUBU_ID_TEXT_MAX]);
const char *subu_cgroup(uint32_t id, char buffer[static SUBU_ID_TEXT_MAX]);
const char *tunnel_device(uint32_t id, char buffer[static IFNAMSIZ]);

/* Is it the name of a tunnel's device, in its one spelling? The largest number is never an id: the
 * store counts to one below it. */
bool tunnel_of_device(const char *name, uint32_t *ret);

#endif
