/*
 * rows_at_stake.h - whether a downgrade has just dropped rows.
 *
 * What SQL will do cannot be read from its text, but inside a transaction it
 * can be tried: before, the tables that have rows are noted; after, each must
 * still have some, and none may have been deleted.  If not, the transaction
 * is rolled back and the user asked to say --yes.
 */
#ifndef PG_STORE_ROWS_AT_STAKE_H
#define PG_STORE_ROWS_AT_STAKE_H

#include "connection.h"

struct rows_at_stake {
	PGresult *tables; /* quoted names of those that have rows */
};

/* 0, or -errno as connection_run() gives it. */
int rows_at_stake_note(struct rows_at_stake *stake,
		       struct connection *connection, int64_t deadline,
		       struct failure *ret_failure);
/* 0 when all are there, -EREMOTEIO and a sentence when not. */
int rows_at_stake_check(const struct rows_at_stake *stake,
			struct connection *connection, int64_t deadline,
			struct failure *ret_failure);
void rows_at_stake_fini(struct rows_at_stake *stake);

#endif
