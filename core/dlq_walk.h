/*
 * dlq_walk.h - a request to a keeper of dead letters, and the wait for its end
 * on the main thread, which goes on serving timers and signals.
 */
#ifndef EVH_DLQ_WALK_H
#define EVH_DLQ_WALK_H

#include <stdbool.h>

#include "dlq.h"

struct dlq_walk {
	int64_t n; /* letters that there were */
	int rc;	   /* as evh_dead_end has it */
	bool was_told_to_stop;
};

/*
 * Calls fn(arg) for each letter, on a thread of the keeper's, and returns when
 * it is over: EX_OK, or an exit code once the reason has been told.  After a
 * signal fn is called no more, and stop(arg) once (may be NULL), since fn may
 * be waiting; fn may end the walk as well, which is no mistake.  A walk that
 * does not end then ends evhd, after shutdown_timeout or soon after a second
 * signal. [main]
 */
int dlq_walk_run(struct dlq *dlq, const struct evh_dead_query *query,
		 evh_dead_letter *fn, void *arg, void (*stop)(void *arg),
		 struct dlq_walk *ret);
/* The same, to count them only. */
int dlq_walk_count(struct dlq *dlq, const struct evh_dead_query *query,
		   struct dlq_walk *ret);
/* The same for a discard of one id, or before a time; or what it would be. */
int dlq_walk_discard(struct dlq *dlq, const unsigned char *id,
		     int64_t before_ns, int dry_run, struct dlq_walk *ret);

#endif
