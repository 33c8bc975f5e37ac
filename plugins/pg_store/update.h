/*
 * update.h - the batch in hand by one UPDATE, for ids that are there: rows that
 * an API has written as pending, or that failed before.  The few that are not
 * there it leaves to an upsert in the same transaction.
 *
 * Faster than the upsert over such rows, by a third or more, since it neither
 * tries to insert first nor sends what stays as it was first written.  It is
 * tried when a look (look.h) has seen that most are there, and from then on for
 * as long as it finds most of its rows.  What a handler has made of an event's
 * data it does not look at: the row keeps its own.
 */
#ifndef PG_STORE_UPDATE_H
#define PG_STORE_UPDATE_H

#include "halving.h"
#include "write_batch.h"

#define UPDATE_STATEMENT "update" /* what upsert_update_sql is prepared as */

/*
 * What is marked (range.h) it leaves as it is.  HALVING_DONE: the rest is
 * written; HALVING_STOPPED: hand->outcome says why; HALVING_BAD: none of it.
 * [writer]
 */
enum halving update_run(struct write_batch *hand);

#endif
