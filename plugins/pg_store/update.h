/*
 * update.h - the batch in hand by one UPDATE, for ids that are all there: rows
 * that an API has written as pending, or that failed before.
 *
 * A third faster than the upsert over such rows, since it neither tries to
 * insert first nor sends what stays as it was first written.  That is tried
 * when a COPY has just met an id that was there, and from then on for as long
 * as each batch finds all of its rows.
 */
#ifndef PG_STORE_UPDATE_H
#define PG_STORE_UPDATE_H

#include "halving.h"
#include "write_batch.h"

#define UPDATE_STATEMENT "update" /* what upsert_update_sql is prepared as */

/*
 * HALVING_DONE: all of it is written; HALVING_STOPPED: hand->outcome says why;
 * HALVING_BAD: perhaps not all of it, and the upsert is to see to it.  [writer]
 */
enum halving update_run(struct write_batch *hand);

#endif
