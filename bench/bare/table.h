/*
 * table.h - the ways to put rows into the table of events with libpq alone,
 * each as fast as it is known to go: what pg_store is measured against.
 *
 *   unnest   one upsert from binary arrays
 *   copy     COPY BINARY straight into the table while ids are new; a batch
 *            with an id that is there is done again by unnest
 *   staging  COPY BINARY into a temporary table, then one upsert from there
 *   look     asks which ids have run before, leaves them out, and copies the
 *            others; where one of these is there all the same, by unnest
 *   update   for rows that are there: UPDATE from binary arrays; a batch with
 *            an id that is not there is done again by unnest
 *
 * A batch that the table refuses is done again in pieces on the server's side;
 * the rows at fault are kept as failed, as evhd keeps them.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "table_buffer.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_BATCH_MAX 20000

enum table_method {
	TABLE_UNNEST = 1,
	TABLE_COPY,
	TABLE_STAGING,
	TABLE_LOOK,
	TABLE_UPDATE,
};

struct row {
	unsigned char id[16];
	const char *name, *data; /* no NUL follows */
	size_t name_len, data_len;
	int64_t created_us; /* since 1970 */
	int64_t offset;
	int32_t partition;
	bool is_failed; /* kept as such: data is no JSON, or was refused */
};

enum { TABLE_COLUMNS = 6 };

struct table {
	PGconn *conn;
	enum table_method method;
	const char *topic;
	struct table_buffer columns[TABLE_COLUMNS], copy;
	const struct row *sorted[TABLE_BATCH_MAX], *failed[TABLE_BATCH_MAX];
	int n_sorted, n_failed;
	long n_again; /* batches that were done again */
};

/* 0: there is no such method. */
enum table_method table_method_read(const char *word);
/* Connects and prepares; ends the process when that fails.  Borrows topic. */
void table_open(struct table *table, const char *conninfo, const char *topic,
		enum table_method method);
/* Writes and commits n rows; ends the process when that cannot be. */
void table_write(struct table *table, const struct row *rows, int n);

#endif
