/*
 * copy.h - the batch in hand by one COPY into the table, in binary format.
 *
 * The fastest way in, by a half over an upsert, and one that knows no ON
 * CONFLICT: an id that is there already refuses all of it.  Such ids are looked
 * for (look.h) once one was met, and left out.  Where the server refuses for
 * another reason some batches do without.  Its rows are those of the upsert,
 * but for processed_at, which is of evhd's clock, as created_at is, and not of
 * the server's.  Failed events, and those whose rows may change, it leaves to
 * an upsert in the same transaction.
 */
#ifndef PG_STORE_COPY_H
#define PG_STORE_COPY_H

#include "halving.h"
#include "write_batch.h"

/*
 * HALVING_DONE: all of it is written; HALVING_STOPPED: hand->outcome says why;
 * HALVING_BAD: none of it, since it is none for a COPY, or since the server
 * refused it, whose word on the upsert counts, or since most of it waits for
 * update.h: hand->ids is WRITE_IDS_OLD, and what has run is marked.  [writer]
 */
enum halving copy_run(struct write_batch *hand);

#endif
