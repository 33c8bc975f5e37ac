/*
 * range.h - a range of the batch in hand, evs[at..at+n), written by one
 * statement, and what becomes of its events: what the ways of write_batch.h
 * share.  All of it is the writer thread's.
 */
#ifndef PG_STORE_RANGE_H
#define PG_STORE_RANGE_H

#include "halving.h"
#include "write_batch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGE_STATEMENT "upsert" /* what upsert_sql is prepared as */

/*
 * Writes those of it that have no result yet by the upsert, and settles them.
 * HALVING_BAD: the table
 * refuses some of them, and hand->failure says for what; HALVING_STOPPED:
 * hand->outcome says why.
 */
enum halving range_try(struct write_batch *hand, size_t at, size_t n);

/*
 * True when the events that have no result yet have an id each: then there is
 * one statement to write, and none of them counts as written because another
 * one is.  *ret_positions is their order, *ret_n of them, until the next plan.
 */
bool range_plan(struct write_batch *hand, size_t at, size_t n,
		const uint32_t **ret_positions, size_t *ret_n);
/* Makes hand->rows of evs[at + positions[0..n)).  0, or -errno and
 * hand->failure. */
int range_build(struct write_batch *hand, size_t at, const uint32_t *positions,
		size_t n, enum rows_part part);
/*
 * Executes a prepared statement with hand->rows, again as long as it is only in
 * somebody's way: deadlocks and lock timeouts end, and hand->deadline ends it
 * where they do not.  As connection_execute(); ret may be NULL.
 */
int range_execute(struct write_batch *hand, const char *statement,
		  PGresult **ret);
/* A commit that was begun then: for the metric. */
void range_committed(struct write_batch *hand, int64_t began_ns);

/* Where in the range the row is that the answer's i-th row names by its place
 * among the n that were sent; RANGE_NOWHERE when it has no such place. */
#define RANGE_NOWHERE SIZE_MAX
size_t range_place(const PGresult *answer, int i, const uint32_t *positions,
		   size_t n);
/*
 * For a way of two statements, which are one transaction, since the later
 * events of a key must not be seen before the earlier ones.  Between the two
 * the first one marks by range_mark() what it has written; what has run before
 * may be marked already (look.h).  range_finish() writes by the upsert what is
 * not marked and commits: HALVING_DONE.  When something was refused, here or
 * before (rc < 0), it rolls back: HALVING_BAD, nothing is written, and nothing
 * marked.  The rows of the one statement and of the other are not locked in the
 * order of all ids, so this may meet a deadlock, which rolls it back, too.
 */
int range_begin(struct write_batch *hand);
void range_mark(struct write_batch *hand, size_t at);
enum halving range_finish(struct write_batch *hand, int rc);
/* As range_execute(), but once, and of the commit somebody else tells: what is
 * in the way of a transaction ends it. */
int range_attempt(struct write_batch *hand, const char *statement,
		  PGresult **ret);

/* What an error means for the range that it is of. */
enum halving range_end(struct write_batch *hand, int rc);
/* Those that have no result yet are in the table. */
void range_settle(struct write_batch *hand, size_t at, size_t n);
/* The event at `at` has failed, for what hand->failure says. */
void range_fail(struct write_batch *hand, size_t at);

#endif
