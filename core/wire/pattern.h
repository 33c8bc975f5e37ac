/*
 * pattern.h - names matched by `match = { "user.*", "order.created" }`.
 *
 * A `*` stands for any number of any characters; everything else is itself.
 */
#ifndef EVH_PATTERN_H
#define EVH_PATTERN_H

#include <stdbool.h>

bool pattern_matches(const char *pattern, const char *name);
/* Any of a NULL-ended list; an empty list, or NULL, matches everything. */
bool pattern_matches_any(char *const *patterns, const char *name);

#endif
