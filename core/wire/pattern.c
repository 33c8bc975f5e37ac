/*
 * pattern.c - `*` in names, without recursion, so that no pattern is slow.
 */
#include "pattern.h"

#include <stddef.h>

bool
pattern_matches(const char *pattern, const char *name)
{
	const char *star = NULL;   /* the last one seen, */
	const char *resume = NULL; /* and where it ends so far */

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			resume = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			/* Let the last star take one character more; an
			 * earlier one never has to. */
			pattern = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool
pattern_matches_any(char *const *patterns, const char *name)
{
	if (!patterns || !patterns[0])
		return true;
	for (size_t i = 0; patterns[i]; i++)
		if (pattern_matches(patterns[i], name))
			return true;
	return false;
}
