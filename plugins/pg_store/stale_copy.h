/*
 * stale_copy.h - copies into the table that have outlived their evhd's
 * deadline.
 *
 * One whose evhd was frozen in the midst of it (a paused container) holds its
 * ids, and no timeout of the server's fires while it waits for a client's
 * bytes.  So each COPY says how long it may take, where whoever meets it in
 * pg_stat_activity reads it, and who stands before such a one too long ends it.
 */
#ifndef PG_STORE_STALE_COPY_H
#define PG_STORE_STALE_COPY_H

#include "write_batch.h"

/* How the statement begins, and what stands behind it: its milliseconds. */
#define STALE_COPY_BEGIN "COPY events ("
#define STALE_COPY_MARK	 " -- %d ms"

/* Ends those of this user.  As connection_run().  [writer] */
int stale_copy_end(struct write_batch *hand);

#endif
