#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* libpq's messages end in a line break and may have several lines. */
static void
lines_join(char *text)
{
	size_t len = strlen(text);
	char *p;

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	for (p = text; *p; p++)
		if (*p == '\n' || *p == '\t' || *p == '\r')
			*p = ' ';
}

void
failure_set(struct failure *failure, const char *fmt, ...)
{
	va_list args;

	*failure = (struct failure){ .policy = SQLSTATE_AWAY };
	va_start(args, fmt);
	vsnprintf(failure->text, sizeof(failure->text), fmt, args);
	va_end(args);
	lines_join(failure->text);
}

void
failure_set_sqlstate(struct failure *failure, const char *sqlstate,
		     const char *text)
{
	enum sqlstate_policy policy = sqlstate_policy(sqlstate);

	if (policy == SQLSTATE_ROW)
		text = sqlstate_sentence(sqlstate);
	failure_set(failure, "%s", text ? text : "PostgreSQL says no more");
	failure->policy = policy;
	snprintf(failure->sqlstate, sizeof(failure->sqlstate), "%s",
		 sqlstate ? sqlstate : "");
}
