/*
 * failure.h - what went wrong with the server, and what that means.
 *
 * Each way of talking to PostgreSQL returns 0 or -errno and, in the latter
 * case, fills in one of these: five letters when the server said them, and a
 * sentence for the log and for ready().  The sentence never holds a value of
 * a row or a secret.
 */
#ifndef PG_STORE_FAILURE_H
#define PG_STORE_FAILURE_H

#include "sqlstate.h"

#include <evh/plugin.h>

struct failure {
	enum sqlstate_policy policy;
	char sqlstate[6]; /* "" when the server did not say any */
	int position;	  /* in the SQL, characters from 1; 0: not told */
	char text[400];
};

/* For what the server did not say: policy SQLSTATE_AWAY. */
void failure_set(struct failure *failure, const char *fmt, ...)
	EVH_PRINTF(2, 3);
/*
 * For what it said: `text` is its message, of which line breaks become "; "
 * or, behind a mark of punctuation, spaces; for a row's error it is replaced by
 * our own sentence.
 */
void failure_set_sqlstate(struct failure *failure, const char *sqlstate,
			  const char *text);

#endif
