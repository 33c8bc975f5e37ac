#include "failure.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* libpq's messages have several lines, and end in a line break; cut to fit. */
static void
lines_join(char *to, size_t size, const char *text)
{
	size_t n = 0;

	while (*text && n + 3 < size) {
		bool ends_line = false;

		if (!is_space(*text)) {
			to[n++] = *text++;
			continue;
		}
		for (; is_space(*text); text++)
			ends_line = ends_line || *text == '\n';
		if (!*text || n == 0)
			continue;
		if (ends_line && isalnum((unsigned char)to[n - 1]))
			to[n++] = ';';
		to[n++] = ' ';
	}
	to[n] = '\0';
}

void
failure_set(struct failure *failure, const char *fmt, ...)
{
	char text[sizeof(failure->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	*failure = (struct failure){ .policy = SQLSTATE_AWAY };
	lines_join(failure->text, sizeof(failure->text), text);
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
