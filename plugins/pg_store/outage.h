/*
 * outage.h - the server is away: who is told, and when it is asked again.
 *
 * An outage is logged when it begins, when its reason changes, and when it
 * ends, not once a try.  Readiness always has the newest reason.  An outage
 * that began while the server answered (a full disk, a refused statement)
 * ends with the first commit and not with the next connection, so that its
 * delays go on growing till then.  Used by one thread.
 */
#ifndef PG_STORE_OUTAGE_H
#define PG_STORE_OUTAGE_H

#include "backoff.h"
#include "failure.h"

#include <evh/plugin.h>

#include <stdbool.h>
#include <stdint.h>

struct outage {
	struct evh_ctx *ctx;
	struct backoff backoff;
	bool on;
	bool by_statement; /* only a commit ends it */
	int64_t since;
	int64_t connected; /* last time; 0: never */
	char reason[sizeof(((struct failure *)0)->text)];
};

void outage_init(struct outage *outage, struct evh_ctx *ctx);

/* It begins, or goes on for this reason: log, and ready(why). */
void outage_note(struct outage *outage, const struct failure *failure,
		 bool by_statement);
/* The server is there: ready(NULL). */
void outage_connected(struct outage *outage);
/* A batch was committed. */
void outage_committed(struct outage *outage);

#endif
