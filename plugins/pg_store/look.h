/*
 * look.h - which ids of the batch in hand the table has already.
 *
 * A question to the server, not a lock: it makes COPY (copy.h) good for a
 * topic of which a part is read again, since that part can be left out, and
 * what it gets wrong the COPY finds.  One thing stays true once it was said: a
 * row that is processed or dropped is never written again (upsert.h), so its
 * event has had its effect, and need not be written.
 *
 * Seen is not yet safe, though.  After a restart of the server rows are seen
 * that no synchronous standby has confirmed; a COMMIT behind the look that has
 * written something, which a lock of a row is enough for, waits until the
 * standby has all before it.  So who looks must commit before he answers, and
 * where all have run one of them is not settled.
 */
#ifndef PG_STORE_LOOK_H
#define PG_STORE_LOOK_H

#include "write_batch.h"

#include <stddef.h>
#include <stdint.h>

#define LOOK_STATEMENT "look" /* what upsert_look_sql is prepared as */

/* Of the n that were looked for. */
struct look {
	size_t n_settled; /* marked by range_mark(): fewer than n */
	size_t n_there;	  /* hand->is_there: there, and left to the upsert */
};

/*
 * Looks for evs[positions[0..n)), n > 0.  0 and *ret; else nothing is marked,
 * and as range_attempt().  [writer]
 */
int look_run(struct write_batch *hand, const uint32_t *positions, size_t n,
	     struct look *ret);

#endif
