#include "failure.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* libpq's messages have several lines, and end in a line break. */
static void
lines_join(char *text)
{
	char *to = text;

	for (; *text; text++) {
		bool is_space = *text == ' ' || *text == '\n' ||
				*text == '\t' || *text == '\r';

		if (!is_space)
			*to++ = *text;
		else if (text[1] && !strchr(" \n\t\r", text[1]))
			*to++ = ' ';
	}
	*to = '\0';
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
