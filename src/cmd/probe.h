/* The part of `doctor SUBU` that goes inside. */
#ifndef CMD_PROBE_H
#define CMD_PROBE_H

#include <jansson.h>

#include "base/error.h"
#include "enter/enter.h"

/* Sends a process inside to try the ways out by themselves, and appends an object for each to the
 * array: way, result, by (an array) and detail. device is the tunnel's, "" for none. */
int probe_inside(const struct enter *enter, const char *device, json_t *ways, struct error *error);

/* Is it a way out that is open, or one that could not be tried? */
bool probe_is_open(const json_t *way);

/* The ways as a table for people. */
void probe_print(const json_t *ways);

#endif
