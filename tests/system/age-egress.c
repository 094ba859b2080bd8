/* age-egress SUBU [LAYOUT]: makes of a sub-user's forced egress what another version of subu would
 * have left (age.h). */
#include <stdio.h>
#include <stdlib.h>

#include "age.h"

int main(int argc, char **argv)
{
	struct error error;

	if (argc < 2 || argc > 3)
		return 2;
	if (age_install(argv[1], argc == 3 ? (uint32_t)atoi(argv[2]) : 0, &error) == 0)
		return 0;
	fprintf(stderr, "age-egress: %s\n", error.text);
	return 1;
}
