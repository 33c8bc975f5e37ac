#include "rows.h"

#include "json.h"
#include "status.h"
#include "utf8.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS 255 /* of the column */
#define ARRAY_HEADER	20
#define KEEP_BYTES	(4u << 20) /* a column's buffer beyond that is freed */

/* From 1970 to 2000, PostgreSQL's epoch. */
#define EPOCH_SHIFT_US INT64_C(946684800000000)

enum {
	COLUMN_ID,
	COLUMN_NAME,
	COLUMN_DATA,
	COLUMN_RAW,
	COLUMN_STATUS,
	COLUMN_ERROR,
	COLUMN_ATTEMPTS,
	COLUMN_CREATED,
	COLUMN_TOPIC,
	COLUMN_PARTITION,
	COLUMN_OFFSET,
};

/* Catalogue numbers that never change (pg_type.dat): an array's and its
 * elements'. */
static const Oid types[ROWS_COLUMNS] = {
	[COLUMN_ID] = 2951,	  [COLUMN_NAME] = 1009,
	[COLUMN_DATA] = 199,	  [COLUMN_RAW] = 1001,
	[COLUMN_STATUS] = 1009,	  [COLUMN_ERROR] = 199,
	[COLUMN_ATTEMPTS] = 1007, [COLUMN_CREATED] = 1185,
	[COLUMN_TOPIC] = 1009,	  [COLUMN_PARTITION] = 1007,
	[COLUMN_OFFSET] = 1016,
};
static const uint32_t element_types[ROWS_COLUMNS] = {
	[COLUMN_ID] = 2950,	 [COLUMN_NAME] = 25,	  [COLUMN_DATA] = 114,
	[COLUMN_RAW] = 17,	 [COLUMN_STATUS] = 25,	  [COLUMN_ERROR] = 114,
	[COLUMN_ATTEMPTS] = 23,	 [COLUMN_CREATED] = 1184, [COLUMN_TOPIC] = 25,
	[COLUMN_PARTITION] = 23, [COLUMN_OFFSET] = 20,
};
static const int formats[ROWS_COLUMNS] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

/*
 * The rule of an event's life, in one place: what may be written over what.
 * $5 status, $7 attempts.  name, data, raw and created_at stay those first
 * written; the place in the topic is added when it is known.
 */
const char rows_upsert_sql[] =
	"INSERT INTO events AS e (id, name, data, raw, status, error,"
	" attempts, created_at, processed_at, kafka_topic, kafka_partition,"
	" kafka_offset)"
	" SELECT id, name, data, raw, status, error, attempts, created_at,"
	" CASE WHEN status <> 'pending' THEN now() END, topic, part, pos"
	" FROM unnest($1::uuid[], $2::text[], $3::json[], $4::bytea[],"
	" $5::text[], $6::json[], $7::int4[], $8::timestamptz[], $9::text[],"
	" $10::int4[], $11::int8[]) AS r (id, name, data, raw, status, error,"
	" attempts, created_at, topic, part, pos)"
	" ON CONFLICT (id) DO UPDATE SET"
	" status = EXCLUDED.status, error = EXCLUDED.error,"
	" attempts = GREATEST(e.attempts, EXCLUDED.attempts),"
	" processed_at = EXCLUDED.processed_at,"
	" kafka_topic = COALESCE(EXCLUDED.kafka_topic, e.kafka_topic),"
	" kafka_partition ="
	" COALESCE(EXCLUDED.kafka_partition, e.kafka_partition),"
	" kafka_offset = COALESCE(EXCLUDED.kafka_offset, e.kafka_offset)"
	" WHERE CASE EXCLUDED.status"
	" WHEN 'pending' THEN"
	" e.status = 'failed' AND e.attempts = EXCLUDED.attempts"
	" WHEN 'failed' THEN"
	" e.status IN ('pending', 'failed') AND"
	" e.attempts < EXCLUDED.attempts"
	" ELSE e.status IN ('pending', 'failed') END";

void
rows_init(struct rows *rows)
{
	*rows = (struct rows){ 0 };
	rows->params = (struct params){
		.n = ROWS_COLUMNS,
		.types = types,
		.values = rows->values,
		.lengths = rows->lengths,
		.formats = formats,
	};
}

void
rows_fini(struct rows *rows)
{
	unsigned i;

	for (i = 0; i < ROWS_COLUMNS; i++)
		free(rows->columns[i].bytes);
	*rows = (struct rows){ 0 };
}

static int
column_reserve(struct column *column, size_t more)
{
	size_t need = column->len + more;
	size_t size = column->size ? column->size : 4096;
	char *bytes;

	if (need <= column->size)
		return 0;
	if (need > INT_MAX)
		return -EMSGSIZE;

	while (size < need)
		size *= 2;
	bytes = realloc(column->bytes, size);
	if (!bytes)
		return -ENOMEM;

	column->bytes = bytes;
	column->size = size;
	return 0;
}

static void
column_u32(struct column *column, uint32_t value)
{
	uint32_t big = htobe32(value);

	memcpy(column->bytes + column->len, &big, sizeof(big));
	column->len += sizeof(big);
}

static int
column_add(struct column *column, const void *data, size_t len)
{
	int rc = column_reserve(column, sizeof(uint32_t) + len);

	if (rc < 0)
		return rc;

	column_u32(column, (uint32_t)len);
	assert(data || !len);
	if (len)
		memcpy(column->bytes + column->len, data, len);
	column->len += len;
	return 0;
}

static int
column_add_null(struct column *column)
{
	int rc = column_reserve(column, sizeof(uint32_t));

	if (rc < 0)
		return rc;

	column_u32(column, UINT32_MAX);
	column->has_null = true;
	return 0;
}

static int
column_add_u32(struct column *column, uint32_t value)
{
	uint32_t big = htobe32(value);

	return column_add(column, &big, sizeof(big));
}

static int
column_add_i64(struct column *column, int64_t value)
{
	uint64_t big = htobe64((uint64_t)value);

	return column_add(column, &big, sizeof(big));
}

static int
column_add_text(struct column *column, const char *text)
{
	return text ? column_add(column, text, strlen(text))
		    : column_add_null(column);
}

static int
column_begin(struct column *column, uint32_t element_type, size_t n)
{
	int rc;

	if (column->size > KEEP_BYTES) {
		free(column->bytes);
		*column = (struct column){ 0 };
	}
	column->len = 0;
	column->has_null = false;
	rc = column_reserve(column, ARRAY_HEADER);
	if (rc < 0)
		return rc;

	column_u32(column, n ? 1 : 0); /* dimensions */
	column_u32(column, 0);	       /* has a NULL: column_end() knows */
	column_u32(column, element_type);
	if (n) {
		column_u32(column, (uint32_t)n);
		column_u32(column, 1); /* the first subscript */
	}
	return 0;
}

static void
column_end(struct column *column)
{
	uint32_t has_null = htobe32(column->has_null ? 1 : 0);

	memcpy(column->bytes + sizeof(uint32_t), &has_null, sizeof(has_null));
}

/* Microseconds since 2000, rounded down; 1969 has them, too. */
static int64_t
created_us(int64_t unix_ns)
{
	int64_t us = unix_ns / 1000;

	if (unix_ns % 1000 < 0)
		us--;
	return us - EPOCH_SHIFT_US;
}

/* The part of a failed event's name that the column takes: the beginning that
 * is UTF-8, up to 255 characters. */
static size_t
name_fit(const char *name)
{
	size_t size = strlen(name), len = 0;
	unsigned characters;
	int n;

	for (characters = 0; characters < NAME_CHARACTERS && len < size;
	     characters++) {
		n = utf8_next(name + len, size - len);
		if (n < 0)
			break;
		len += (size_t)n;
	}
	return len;
}

static int
failed_add_error(struct column *column, const char *error)
{
	struct json_span span;
	char quoted[1024];

	if (!error || json_check(error, strlen(error), &span, NULL) == 0)
		return column_add_text(column, error);

	json_quote(error, strnlen(error, 128), quoted, sizeof(quoted));
	return column_add_text(column, quoted);
}

/* The columns in which a failed event differs. */
static int
failed_add(struct rows *rows, const struct evh_event *ev, bool as_raw)
{
	struct column *columns = rows->columns;
	struct json_span span;
	bool is_json = !as_raw && json_check(ev->data.data ? ev->data.data : "",
					     ev->data.len, &span, NULL) == 0;
	int rc;

	rc = column_add(&columns[COLUMN_NAME], ev->name, name_fit(ev->name));
	if (rc < 0)
		return rc;
	rc = failed_add_error(&columns[COLUMN_ERROR], ev->error);
	if (rc < 0)
		return rc;
	rc = column_add_null(&columns[is_json ? COLUMN_RAW : COLUMN_DATA]);
	if (rc < 0)
		return rc;
	return column_add(&columns[is_json ? COLUMN_DATA : COLUMN_RAW],
			  ev->data.data, ev->data.len);
}

static int
kept_add(struct rows *rows, const struct evh_event *ev)
{
	struct column *columns = rows->columns;
	int rc;

	rc = column_add_text(&columns[COLUMN_NAME], ev->name);
	if (rc < 0)
		return rc;
	rc = column_add(&columns[COLUMN_DATA], ev->data.data, ev->data.len);
	if (rc < 0)
		return rc;
	rc = column_add_null(&columns[COLUMN_RAW]);
	if (rc < 0)
		return rc;
	return column_add_text(&columns[COLUMN_ERROR], NULL);
}

static int
place_add(struct rows *rows, const struct evh_event *ev)
{
	struct column *columns = rows->columns;
	int rc = column_add_text(&columns[COLUMN_TOPIC], ev->topic);

	if (rc < 0)
		return rc;
	rc = ev->topic ? column_add_u32(&columns[COLUMN_PARTITION],
					(uint32_t)ev->partition)
		       : column_add_null(&columns[COLUMN_PARTITION]);
	if (rc < 0)
		return rc;
	return ev->topic ? column_add_i64(&columns[COLUMN_OFFSET], ev->offset)
			 : column_add_null(&columns[COLUMN_OFFSET]);
}

static int
row_add(struct rows *rows, const struct evh_event *ev, bool as_raw)
{
	struct column *columns = rows->columns;
	uint32_t attempts = ev->attempts > INT_MAX ? INT_MAX : ev->attempts;
	int rc;

	rc = column_add(&columns[COLUMN_ID], ev->id, sizeof(ev->id));
	if (rc < 0)
		return rc;
	/* "?" of a newer host: the table's check refuses it. */
	rc = column_add_text(&columns[COLUMN_STATUS], status_word(ev->status));
	if (rc < 0)
		return rc;
	rc = column_add_u32(&columns[COLUMN_ATTEMPTS], attempts);
	if (rc < 0)
		return rc;
	rc = column_add_i64(&columns[COLUMN_CREATED],
			    created_us(ev->created_ns));
	if (rc < 0)
		return rc;
	rc = place_add(rows, ev);
	if (rc < 0)
		return rc;
	return ev->status == EVH_FAILED ? failed_add(rows, ev, as_raw)
					: kept_add(rows, ev);
}

int
rows_build(struct rows *rows, struct evh_event *const *evs,
	   const uint32_t *positions, size_t n, bool as_raw)
{
	unsigned c;
	size_t i;
	int rc;

	for (c = 0; c < ROWS_COLUMNS; c++) {
		rc = column_begin(&rows->columns[c], element_types[c], n);
		if (rc < 0)
			return rc;
	}
	for (i = 0; i < n; i++) {
		rc = row_add(rows, evs[positions[i]], as_raw);
		if (rc < 0)
			return rc;
	}
	for (c = 0; c < ROWS_COLUMNS; c++) {
		column_end(&rows->columns[c]);
		rows->values[c] = rows->columns[c].bytes;
		rows->lengths[c] = (int)rows->columns[c].len;
	}
	return 0;
}

size_t
rows_event_size(const struct evh_event *ev)
{
	return ev->data.len + (ev->error ? strlen(ev->error) : 0) + 256;
}
