/* The record of a tunnel as JSON. */
#ifndef RUN_RECORD_H
#define RUN_RECORD_H

#include <jansson.h>

#include "run/registry.h"

json_t *record_pack(const struct record *record);

/* -EPROTO when the value is not what record_pack() makes. The caller clears *ret. */
int record_unpack(json_t *value, struct record *ret, struct error *error);

#endif
