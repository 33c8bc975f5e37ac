/*
 * confmissing.h - the variables that a setting needs and that are not set.
 *
 * A list of names, NULL-ended, in the order in which they stand there, each
 * once; NULL when none is missing.
 */
#ifndef EVH_CONFMISSING_H
#define EVH_CONFMISSING_H

#include <stddef.h>

#include "problems.h"

/* Adds the n bytes at `name`, unless they are in it.  0 or -ENOMEM. */
int confmissing_add(char ***missing, const char *name, size_t n);
void confmissing_free(char **missing); /* NULL is fine */

/* One problem, about `what`, that names all of them. */
void confmissing_report(char *const *missing, const char *what,
			const char *where, struct problems *problems);

#endif
