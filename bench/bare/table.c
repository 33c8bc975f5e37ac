#include "table.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OID_UUID	2950
#define OID_TEXT	25
#define OID_INT4	23
#define OID_INT8	20
#define OID_TIMESTAMPTZ 1184
/* PostgreSQL counts microseconds from 2000-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

enum { ID, NAME, DATA, CREATED, PARTITION, OFFSET };

static const int32_t types[TABLE_COLUMNS] = {
	[ID] = OID_UUID,	[NAME] = OID_TEXT,
	[DATA] = OID_TEXT,	[CREATED] = OID_TIMESTAMPTZ,
	[PARTITION] = OID_INT4, [OFFSET] = OID_INT8,
};

#define COLUMNS                                                                \
	"(id, name, data, status, attempts, created_at, processed_at, "        \
	"kafka_topic, kafka_partition, kafka_offset)"
#define UNNEST                                                                 \
	"unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], "       \
	"$5::int4[], $6::int8[]) AS r (id, name, data, at, part, pos)"
#define SELECTED " SELECT id, name, data::json, 'processed', 1, at, now(), "
#define ON_CONFLICT                                                            \
	" ON CONFLICT (id) DO UPDATE SET status = 'processed', "               \
	"processed_at = excluded.processed_at, "                               \
	"kafka_topic = excluded.kafka_topic, "                                 \
	"kafka_partition = excluded.kafka_partition, "                         \
	"kafka_offset = excluded.kafka_offset "                                \
	"WHERE e.status IN ('pending', 'failed')"

static const char upsert_sql[] = "INSERT INTO events AS e " COLUMNS SELECTED
				 "$7, part, pos FROM " UNNEST ON_CONFLICT;

static const char update_sql[] =
	"UPDATE events e SET status = 'processed', processed_at = now(), "
	"kafka_topic = $7, kafka_partition = part, kafka_offset = pos "
	"FROM " UNNEST
	" WHERE e.id = r.id AND e.status IN ('pending', 'failed')";

static const char failed_sql[] =
	"INSERT INTO events AS e (id, name, raw, status, error, attempts, "
	"created_at, processed_at, kafka_topic, kafka_partition, kafka_offset) "
	"SELECT id, name, convert_to(data, 'UTF8'), 'failed', "
	"'{\"code\":\"invalid\",\"text\":\"refused\"}', 1, at, now(), $7, "
	"part, pos FROM " UNNEST " ON CONFLICT (id) DO NOTHING";

static const char staging_sql[] =
	"CREATE TEMPORARY TABLE staged (id uuid, name text, data json, "
	"at timestamptz, part int4, pos int8) ON COMMIT DELETE ROWS";

static const char merge_sql[] =
	"INSERT INTO events AS e " COLUMNS SELECTED
	"$1, part, pos FROM staged ORDER BY id" ON_CONFLICT;

static const char look_sql[] =
	"SELECT place::int4 FROM unnest($1::uuid[]) WITH ORDINALITY "
	"AS a (id, place) JOIN events USING (id) "
	"WHERE status IN ('processed', 'dropped') ORDER BY place";

/* Its plan is made while the table is empty, and kept. */
static const char look_settings[] =
	"SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; "
	"SET enable_hashjoin = off; SET enable_mergejoin = off";

/* What a batch that was refused is done by: pieces of 16, then single rows.
 * Gives the numbers of those at fault. */
#define PIECE_OF(a, b)                                                         \
	"INSERT INTO events AS e " COLUMNS SELECTED "t, part, pos FROM "       \
	"unnest(i[" a ":" b "], n[" a ":" b "], d[" a ":" b "], c[" a ":" b    \
	"], p[" a ":" b "], o[" a ":" b "]) AS r (id, name, data, at, part, "  \
	"pos)" ON_CONFLICT "; "
static const char pieces_sql[] =
	"CREATE FUNCTION pg_temp.put_pieces(i uuid[], n text[], d text[], "
	"c timestamptz[], p int4[], o int8[], t text) RETURNS int[] "
	"LANGUAGE plpgsql AS $$ DECLARE bad int[] := '{}'; "
	"BEGIN FOR a IN 1 .. cardinality(i) BY 16 LOOP "
	"BEGIN " PIECE_OF(
		"a",
		"a + 15") "EXCEPTION WHEN data_exception "
			  "OR integrity_constraint_violation THEN "
			  "FOR k IN a .. least(a + 15, cardinality(i)) LOOP "
			  "BEGIN " PIECE_OF(
				  "k", "k") "EXCEPTION WHEN data_exception "
					    "OR integrity_constraint_violation "
					    "THEN bad := bad || k; END; "
					    "END LOOP; END; END LOOP; RETURN "
					    "bad; END $$";

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "bare: %s: %s\n", what, why);
	exit(1);
}

enum table_method
table_method_read(const char *word)
{
	static const char *const words[] = {
		[TABLE_UNNEST] = "unnest",   [TABLE_COPY] = "copy",
		[TABLE_STAGING] = "staging", [TABLE_LOOK] = "look",
		[TABLE_UPDATE] = "update",
	};

	for (int i = TABLE_UNNEST; i <= TABLE_UPDATE; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum table_method)i;
	return 0;
}

/* ---- Rows as PostgreSQL takes them --------------------------------------- */

static void
columns_build(struct table *t, const struct row *const *rows, int n)
{
	struct table_buffer *c = t->columns;

	for (int i = 0; i < TABLE_COLUMNS; i++) {
		c[i].len = 0;
		table_buffer_reserve(&c[i], 20);
		table_buffer_put32(&c[i], 1); /* one dimension, no NULL */
		table_buffer_put32(&c[i], 0);
		table_buffer_put32(&c[i], (uint32_t)types[i]);
		table_buffer_put32(&c[i], (uint32_t)n);
		table_buffer_put32(&c[i], 1);
	}
	for (int i = 0; i < n; i++) {
		const struct row *row = rows[i];

		for (int k = 0; k < TABLE_COLUMNS; k++)
			table_buffer_reserve(&c[k], 24);
		table_buffer_reserve(&c[NAME], row->name_len + 4);
		table_buffer_reserve(&c[DATA], row->data_len + 4);
		table_buffer_put(&c[ID], row->id, 16);
		table_buffer_put(&c[NAME], row->name, row->name_len);
		table_buffer_put(&c[DATA], row->data, row->data_len);
		table_buffer_put_number64(&c[CREATED],
					  row->created_us - PG_EPOCH_US);
		table_buffer_put_number32(&c[PARTITION], row->partition);
		table_buffer_put_number64(&c[OFFSET], row->offset);
	}
}

static void
copy_begin(struct table_buffer *b)
{
	static const char head[] = "PGCOPY\n\377\r\n"; /* and its NUL */

	b->len = 0;
	table_buffer_reserve(b, 64);
	memcpy(b->bytes, head, sizeof(head));
	b->len = sizeof(head);
	table_buffer_put32(b, 0);
	table_buffer_put32(b, 0);
}

/* The rows of COPY events, or of COPY staged, which has fewer columns. */
static void
copy_build(struct table *t, bool is_staged)
{
	struct table_buffer *b = &t->copy;
	size_t topic_len = strlen(t->topic);
	struct timespec now;
	int64_t now_us;

	clock_gettime(CLOCK_REALTIME, &now);
	now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	copy_begin(b);
	for (int i = 0; i < t->n_sorted; i++) {
		const struct row *row = t->sorted[i];

		table_buffer_reserve(b, 160 + row->name_len + row->data_len +
						topic_len);
		table_buffer_put16(b, is_staged ? 6 : 10);
		table_buffer_put(b, row->id, 16);
		table_buffer_put(b, row->name, row->name_len);
		table_buffer_put(b, row->data, row->data_len);
		if (!is_staged) {
			table_buffer_put(b, "processed", 9);
			table_buffer_put_number32(b, 1);
		}
		table_buffer_put_number64(b, row->created_us - PG_EPOCH_US);
		if (!is_staged) {
			table_buffer_put_number64(b, now_us - PG_EPOCH_US);
			table_buffer_put(b, t->topic, topic_len);
		}
		table_buffer_put_number32(b, row->partition);
		table_buffer_put_number64(b, row->offset);
	}
	table_buffer_reserve(b, 2);
	table_buffer_put16(b, 0xffff);
}

/* ---- Statements ---------------------------------------------------------- */

static void
must(struct table *t, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
	    status != PGRES_COPY_IN)
		fail("PostgreSQL", PQerrorMessage(t->conn));
	PQclear(result);
}

/* The first n columns, and the topic behind all of them. */
static PGresult *
run_with(struct table *t, const char *statement, int n, int result_format)
{
	const char *values[TABLE_COLUMNS + 1];
	int lengths[TABLE_COLUMNS + 1];
	static const int formats[TABLE_COLUMNS + 1] = { 1, 1, 1, 1, 1, 1, 1 };

	for (int i = 0; i < TABLE_COLUMNS; i++) {
		values[i] = t->columns[i].bytes;
		lengths[i] = (int)t->columns[i].len;
	}
	values[TABLE_COLUMNS] = t->topic;
	lengths[TABLE_COLUMNS] = (int)strlen(t->topic);
	return PQexecPrepared(t->conn, statement, n, values, lengths, formats,
			      result_format);
}

static PGresult *
run_prepared(struct table *t, const char *statement, int result_format)
{
	return run_with(t, statement, TABLE_COLUMNS + 1, result_format);
}

/* True when it is done; false when it is the rows' fault. */
static bool
settled(PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	ExecStatusType status = PQresultStatus(result);
	bool is_done = status == PGRES_COMMAND_OK;

	if (!is_done && (!state || (strncmp(state, "22", 2) != 0 &&
				    strncmp(state, "23", 2) != 0)))
		fail("PostgreSQL", PQresultErrorMessage(result));
	PQclear(result);
	return is_done;
}

/* COPY of t->copy by this statement; what became of it. */
static bool
copy_run(struct table *t, const char *sql)
{
	PGresult *result, *end;

	must(t, PQexec(t->conn, sql));
	if (PQputCopyData(t->conn, t->copy.bytes, (int)t->copy.len) != 1 ||
	    PQputCopyEnd(t->conn, NULL) != 1)
		fail("COPY", PQerrorMessage(t->conn));
	result = PQgetResult(t->conn);
	while ((end = PQgetResult(t->conn)))
		PQclear(end);
	return settled(result);
}

static bool
write_copy(struct table *t)
{
	copy_build(t, false);
	return copy_run(t, "COPY events " COLUMNS " FROM STDIN BINARY");
}

/* Leaves out those that have run: their places, from 1 on, ascend. */
static void
look(struct table *t)
{
	int kept = 0, k = 0, n;
	PGresult *result;

	columns_build(t, t->sorted, t->n_sorted);
	result = run_with(t, "look", 1, 1);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail("look", PQresultErrorMessage(result));
	n = PQntuples(result);
	for (int i = 0; i < t->n_sorted; i++) {
		uint32_t place = 0;

		if (k < n)
			memcpy(&place, PQgetvalue(result, k, 0), 4);
		if (be32toh(place) == (uint32_t)i + 1)
			k++;
		else
			t->sorted[kept++] = t->sorted[i];
	}
	t->n_sorted = kept;
	PQclear(result);
}

static bool
write_look(struct table *t)
{
	look(t);
	return t->n_sorted == 0 || write_copy(t);
}

static bool
write_staging(struct table *t)
{
	const char *values[1] = { t->topic };
	bool is_done;

	copy_build(t, true);
	must(t, PQexec(t->conn, "BEGIN"));
	is_done = copy_run(t, "COPY staged FROM STDIN BINARY") &&
		  settled(PQexecPrepared(t->conn, "merge", 1, values, NULL,
					 NULL, 0));
	must(t, PQexec(t->conn, is_done ? "COMMIT" : "ROLLBACK"));
	return is_done;
}

static bool
write_unnest(struct table *t)
{
	columns_build(t, t->sorted, t->n_sorted);
	return settled(run_prepared(t, "upsert", 0));
}

static bool
write_update(struct table *t)
{
	PGresult *result;
	long n;

	columns_build(t, t->sorted, t->n_sorted);
	result = run_prepared(t, "update", 0);
	n = strtol(PQcmdTuples(result), NULL, 10);
	return settled(result) && n == t->n_sorted;
}

/* In pieces; those at fault join the failed ones. */
static void
write_pieces(struct table *t)
{
	PGresult *result;
	const char *at;

	columns_build(t, t->sorted, t->n_sorted);
	result = run_prepared(t, "pieces", 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail("pieces", PQresultErrorMessage(result));
	at = PQgetvalue(result, 0, 0); /* {3,19} */
	while (*at && at[1] >= '0' && at[1] <= '9') {
		char *end;
		long number = strtol(at + 1, &end, 10);

		t->failed[t->n_failed++] = t->sorted[number - 1];
		at = end;
	}
	PQclear(result);
}

/* ---- A batch ------------------------------------------------------------- */

static int
by_id(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;

	return memcmp((*x)->id, (*y)->id, 16);
}

/* Sorted, for two writers must not wait for each other crosswise; and each id
 * once, for one statement may touch a row only once. */
static void
sort(struct table *t, const struct row *rows, int n)
{
	int kept = 0;

	t->n_sorted = t->n_failed = 0;
	for (int i = 0; i < n; i++) {
		if (rows[i].is_failed)
			t->failed[t->n_failed++] = &rows[i];
		else
			t->sorted[t->n_sorted++] = &rows[i];
	}
	qsort(t->sorted, (size_t)t->n_sorted, sizeof(t->sorted[0]), by_id);
	for (int i = 0; i < t->n_sorted; i++)
		if (kept == 0 ||
		    memcmp(t->sorted[kept - 1]->id, t->sorted[i]->id, 16) != 0)
			t->sorted[kept++] = t->sorted[i];
	t->n_sorted = kept;
}

static bool
write_first(struct table *t)
{
	switch (t->method) {
	case TABLE_COPY:
		return write_copy(t);
	case TABLE_STAGING:
		return write_staging(t);
	case TABLE_LOOK:
		return write_look(t);
	case TABLE_UPDATE:
		return write_update(t);
	case TABLE_UNNEST:
		return write_unnest(t);
	}
	return false;
}

void
table_write(struct table *t, const struct row *rows, int n)
{
	sort(t, rows, n);
	if (t->n_sorted > 0 && !write_first(t)) {
		t->n_again++;
		if (t->method == TABLE_UNNEST || !write_unnest(t))
			write_pieces(t);
	}
	if (t->n_failed > 0) {
		qsort(t->failed, (size_t)t->n_failed, sizeof(t->failed[0]),
		      by_id);
		columns_build(t, t->failed, t->n_failed);
		must(t, run_prepared(t, "failed", 0));
	}
}

static void
prepare(struct table *t, const char *name, const char *sql)
{
	must(t, PQprepare(t->conn, name, sql, 0, NULL));
}

void
table_open(struct table *t, const char *conninfo, const char *topic,
	   enum table_method method)
{
	t->conn = PQconnectdb(conninfo);
	if (PQstatus(t->conn) != CONNECTION_OK)
		fail("PostgreSQL", PQerrorMessage(t->conn));
	t->topic = topic;
	t->method = method;
	if (method == TABLE_LOOK)
		must(t, PQexec(t->conn, look_settings));
	must(t, PQexec(t->conn, staging_sql));
	must(t, PQexec(t->conn, pieces_sql));
	prepare(t, "upsert", upsert_sql);
	prepare(t, "update", update_sql);
	prepare(t, "failed", failed_sql);
	prepare(t, "merge", merge_sql);
	prepare(t, "look", look_sql);
	prepare(t, "pieces",
		"SELECT pg_temp.put_pieces($1, $2, $3, $4, $5, $6, $7)");
}
