/*
 * ways.h - by which of its ways a batch goes into a real table (write_batch.h),
 * for the tests of each of them.
 *
 * A trigger on the table leaves the first word of each statement that writes,
 * and ways() tells which there were: the rows alone do not say how they came.
 * Batches are made and written here, and what was answered is looked at, since
 * that is the same whichever way they went.
 */
#ifndef PG_STORE_WAYS_H
#define PG_STORE_WAYS_H

#include "group.h"

#include <stdbool.h>
#include <stdint.h>

#define WAYS_BATCH 200

extern struct fake_event ways_events[5 * WAYS_BATCH];

/* cmocka's, but for the name of the program's own database, which is made anew
 * and is that of all below; *state is a bench.  It ends by
 * group_bench_teardown(). */
int ways_setup(void **state, const char *db);

/* pg_server_sql() in that database. */
const char *ways_sql(const char *text);

/* The words since the last call, in their order: "COPY INSERT". */
const char *ways(void);

/* How many COPYs were tried since the beginning, those that were refused, too.
 */
const char *ways_copies(void);

/* n of ways_events with ids from `first` on, which are good and new. */
void ways_events_make(unsigned first, unsigned n);
/* Its data is no JSON. */
void ways_event_spoil(unsigned i, enum evh_status status);
/* The first n were answered in the order in which they came, as is_bad says,
 * and nothing is leaked; is_bad may be NULL. */
void ways_events_expect(unsigned n, bool (*is_bad)(unsigned),
			unsigned first_turn);

/* Make, write and expect: all good, all good and processed, and from id 0 on
 * with those bad that is_bad names. */
void ways_good_write(struct bench *bench, unsigned first, unsigned n,
		     enum evh_status status);
void ways_new_write(struct bench *bench, unsigned first, unsigned n);
void ways_batch_write(struct bench *bench, unsigned n,
		      bool (*is_bad)(unsigned));

/* How often the instance took a batch apart. */
int64_t ways_bisections(struct bench *bench);

/* Makes one who owns nothing; `how` is SQL: what the table and the database are
 * to him. */
void ways_plain_user(const char *how);
/* ways_batch_write() by an instance of his, and its ways_bisections(); he is
 * gone afterwards. */
int64_t ways_plain_write(unsigned n, bool (*is_bad)(unsigned));

#endif
