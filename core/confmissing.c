/*
 * confmissing.c - all variables that are missing, told in one sentence.
 */
#include "confmissing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
confmissing_add(char ***missing, const char *name, size_t n)
{
	char **list = *missing;
	size_t at = 0;

	for (; list && list[at]; at++)
		if (strlen(list[at]) == n && memcmp(list[at], name, n) == 0)
			return 0;
	list = reallocarray(list, at + 2, sizeof(*list));
	if (!list)
		return -ENOMEM;
	*missing = list;
	list[at] = strndup(name, n);
	list[at + 1] = NULL;
	return list[at] ? 0 : -ENOMEM;
}

void
confmissing_free(char **missing)
{
	for (size_t i = 0; missing && missing[i]; i++)
		free(missing[i]);
	free(missing);
}

void
confmissing_report(char *const *missing, const char *what, const char *where,
		   struct problems *problems)
{
	char *names = NULL;
	size_t n;
	FILE *out;

	if (!missing[1]) {
		problems_add(problems, where,
			     "%s needs the variable %s, which is not set", what,
			     missing[0]);
		return;
	}
	out = open_memstream(&names, &n);
	for (size_t i = 0; out && missing[i]; i++)
		fprintf(out, "%s%s",
			i == 0		 ? ""
			: missing[i + 1] ? ", "
					 : " and ",
			missing[i]);
	if (out && fclose(out) == 0)
		problems_add(problems, where,
			     "%s needs the variables %s, which are not set",
			     what, names);
	else
		problems_add(problems, where, "out of memory");
	free(names);
}
