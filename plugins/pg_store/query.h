/*
 * query.h - the questions of evh.store/1 as SQL, and the rows as answers.
 *
 * Each combination of what may be asked for is a statement of its own, with
 * the status written out, so that the planner sees whether it is a rare one.
 * Everything else is a parameter.  Pure but for libpq's result.
 */
#ifndef PG_STORE_QUERY_H
#define PG_STORE_QUERY_H

#include <evh/services.h>

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

#include "connection.h"

/* A statement's number, below QUERY_STATEMENTS: is it prepared already? */
#define QUERY_STATEMENTS 64
#define QUERY_TOTAL_MAX	 100000
#define QUERY_LIMIT_MAX	 1000 /* of who sets none */

/* A question that keeps what it was given. */
struct query {
	bool is_get;
	unsigned char id[16]; /* get: this one; find: before this one */
	bool has_before;
	enum evh_status status; /* 0: all */
	char *name;		/* NULL: all; freed by query_fini() */
	uint32_t limit, offset;
	bool want_total;
};

int query_init_get(struct query *query, const unsigned char id[16]);
/* 0, -ENOMEM, or -EINVAL for a status that is none. */
int query_init_find(struct query *query, const struct evh_query *q);
void query_fini(struct query *query);

/* The statement that a query needs; `total` asks for the one that counts. */
unsigned query_statement(const struct query *query, bool total);
void query_sql(unsigned statement, char *ret, size_t size);

/* Its parameters; points into query and itself. */
struct query_params {
	struct params params;
	const char *values[4];
	int lengths[4];
	int formats[4];
	Oid types[4];
	uint64_t limit_be, offset_be;
};
void query_params(const struct query *query, bool total,
		  struct query_params *ret);

/* A row of a result in binary format; borrows from it. */
void query_row(const PGresult *result, int row, struct evh_row *ret);
/* How many bytes it holds. */
size_t query_row_size(const PGresult *result, int row);

#endif
