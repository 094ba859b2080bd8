/* The verb `engine`. */
#ifndef CMD_ENGINE_H
#define CMD_ENGINE_H

#include "base/error.h"

/* `engine [-f|--foreground] IFNAME`, argv[0] being the verb. Returns when the engine has ended or,
 * in the background, is ready. */
int cmd_engine(int argc, char **argv, struct error *error);

#endif
