/*
 * upsert.h - the statements that write rows: the rule of an event's life, what
 * may be written over what, in one place.
 *
 * Their parameters are the arrays of rows.h.  `upsert_sql` writes all of them
 * or none.  `upsert_update_sql` takes those of the outcome alone and changes
 * what the upsert would, but only of rows that are there, and names these.
 * `upsert_look_sql` takes their ids alone and changes nothing.
 * `upsert_sieve_sql` writes all but those that the table refuses, and names
 * them: it tries a few at a time, each few in a subtransaction, and one by one
 * where some are refused, without a round trip or a commit for each.  It needs
 * a function that belongs to the session.
 */
#ifndef PG_STORE_UPSERT_H
#define PG_STORE_UPSERT_H

#include <stddef.h>

#define UPSERT_SIEVE_SQL_MAX 4096

extern const char upsert_sql[];
/* A row for each that was changed: place int4 (from 1). */
extern const char upsert_update_sql[];

/* A row for each id that the table has: place int4 (from 1), and whether it is
 * in a state that nothing changes any more, bool. */
extern const char upsert_look_sql[];

/* A row for each refused one: place int4 (from 1), state text (SQLSTATE). */
extern const char upsert_sieve_sql[];
/* The statement that makes its function; a second one does no harm. */
void upsert_sieve_make_sql(char ret[UPSERT_SIEVE_SQL_MAX]);

#endif
