/* Makes of forced egress what another version of subu would have left. */
#ifndef TESTS_AGE_H
#define TESTS_AGE_H

#include <stdint.h>

#include "base/error.h"

/* Puts the same instructions under another name in the place of every installed program, with maps
 * of another layout number if one is given (0: with the maps that are pinned). */
int age_install(const char *subu, uint32_t layout, struct error *error);

#endif
