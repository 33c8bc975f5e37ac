/*
 * dead_query.h - what is asked of the table about dead letters, as SQL.
 *
 * They are read in pages without their bytes, along the index of what is not
 * processed, so that a walk of hours holds no snapshot and no row; the bytes
 * of one are read when somebody wants that one.  Pure but for libpq's result.
 */
#ifndef PG_STORE_DEAD_QUERY_H
#define PG_STORE_DEAD_QUERY_H

#include <evh/services.h>

#include <stddef.h>
#include <stdint.h>

#include "connection.h"

#define DEAD_PAGE  256	/* letters of a page */
#define DEAD_BATCH 1000 /* deleted by one statement */

enum dead_statement {
	DEAD_NEXT = 1, /* a page behind the cursor */
	DEAD_ONE,      /* a letter with its bytes */
	DEAD_FORGET_ONE,
	DEAD_FORGET_BEFORE,
	DEAD_STATEMENTS,
};

/* How far a walk has come: behind this letter. */
struct dead_cursor {
	int64_t created_ns;
	unsigned char id[16];
	int is_set;
};

/* Parameters; points into itself. */
struct dead_params {
	struct params params;
	const char *values[4];
	int lengths[4];
	int formats[4];
	Oid types[4];
	uint64_t times_be[3];
	unsigned char id[16];
};

const char *dead_query_sql(enum dead_statement statement);
const char *dead_query_name(enum dead_statement statement);
void dead_query_page(const struct dead_cursor *cursor,
		     const struct evh_dead_query *query,
		     struct dead_params *ret);
void dead_query_id(const unsigned char id[16], struct dead_params *ret);
void dead_query_before(int64_t before_ns, struct dead_params *ret);

/* A row as a letter; borrows from the result. */
void dead_query_letter(const PGresult *result, int row, int with_data,
		       struct evh_letter *ret);

#endif
