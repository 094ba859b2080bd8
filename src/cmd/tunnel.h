/* A tunnel as it is shown, by `WG info`, `WG list` and `info`. */
#ifndef CMD_TUNNEL_H
#define CMD_TUNNEL_H

#include "base/output.h"
#include "model/store.h"

/* The record of a tunnel: what the database has, and what the device says when there is one. Public
 * keys only. The caller releases *ret. */
int tunnel_describe(struct store *store, uint32_t id, json_t **ret, struct error *error);

/* That record for people. */
void tunnel_print(const json_t *tunnel);

#endif
