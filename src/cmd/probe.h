/* The part of `doctor SUBU` that goes inside. */
#ifndef CMD_PROBE_H
#define CMD_PROBE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "enter/enter.h"

/* Sends a process inside to try the ways out by themselves, and appends an object for each to the
 * array: way, result, by (an array) and detail, what matters most first. device is the tunnel's, "" for
 * none. progress: says on stderr how far it is when it takes long. It ends within half a minute,
 * whatever the processes inside do to it: what it did not come to is a way that was not tried. */
int probe_inside(const struct enter *enter, const char *device, bool progress, json_t *ways,
		 struct error *error);

/* What is wrong with a way out that is open, or could not be tried; else NULL. */
const char *probe_complaint(const json_t *way);

/* The ways as a table for people. */
void probe_print(const json_t *ways);

#endif
