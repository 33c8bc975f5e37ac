#include "rows.h"

#include "json.h"
#include "status.h"
#include "utf8.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS 255 /* of the column */
#define ARRAY_HEADER	20

enum {
	COLUMN_ID,
	COLUMN_STATUS,
	COLUMN_ERROR,
	COLUMN_ATTEMPTS,
	COLUMN_TOPIC,
	COLUMN_PARTITION,
	COLUMN_OFFSET,
	COLUMN_NAME, /* from here on: first written, and then for good */
	COLUMN_DATA,
	COLUMN_RAW,
	COLUMN_CREATED,
};
_Static_assert(COLUMN_NAME == ROWS_OUTCOME_COLUMNS, "the first ones change");

/* Catalogue numbers that never change (pg_type.dat): an array's and its
 * elements'.  JSON goes as text: what is none shall be found in the statement,
 * which knows whose it is (sieve.h), and not among its parameters. */
static const Oid types[ROWS_COLUMNS] = {
	[COLUMN_ID] = 2951,	  [COLUMN_NAME] = 1009,
	[COLUMN_DATA] = 1009,	  [COLUMN_RAW] = 1001,
	[COLUMN_STATUS] = 1009,	  [COLUMN_ERROR] = 1009,
	[COLUMN_ATTEMPTS] = 1007, [COLUMN_CREATED] = 1185,
	[COLUMN_TOPIC] = 1009,	  [COLUMN_PARTITION] = 1007,
	[COLUMN_OFFSET] = 1016,
};
static const uint32_t element_types[ROWS_COLUMNS] = {
	[COLUMN_ID] = 2950,	 [COLUMN_NAME] = 25,	  [COLUMN_DATA] = 25,
	[COLUMN_RAW] = 17,	 [COLUMN_STATUS] = 25,	  [COLUMN_ERROR] = 25,
	[COLUMN_ATTEMPTS] = 23,	 [COLUMN_CREATED] = 1184, [COLUMN_TOPIC] = 25,
	[COLUMN_PARTITION] = 23, [COLUMN_OFFSET] = 20,
};
static const int formats[ROWS_COLUMNS] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

void
rows_init(struct rows *rows)
{
	*rows = (struct rows){ 0 };
	rows->params = (struct params){
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
		fields_fini(&rows->columns[i]);
	*rows = (struct rows){ 0 };
}

/* An array's head, in front of its n elements. */
static int
array_begin(struct fields *column, uint32_t element_type, size_t n)
{
	int rc;

	fields_clear(column);
	rc = fields_reserve(column, ARRAY_HEADER);
	if (rc < 0)
		return rc;

	fields_put_u32(column, n ? 1 : 0); /* dimensions */
	fields_put_u32(column, 0);	   /* has a NULL: array_end() knows */
	fields_put_u32(column, element_type);
	if (n) {
		fields_put_u32(column, (uint32_t)n);
		fields_put_u32(column, 1); /* the first subscript */
	}
	return 0;
}

static void
array_end(struct fields *column)
{
	uint32_t has_null = htobe32(column->has_null ? 1 : 0);

	memcpy(column->bytes + sizeof(uint32_t), &has_null, sizeof(has_null));
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
failed_add_error(struct fields *column, const char *error)
{
	struct json_span span;
	char quoted[1024];

	if (!error || json_check(error, strlen(error), &span, NULL) == 0)
		return fields_add_text(column, error);

	json_quote(error, strnlen(error, 128), quoted, sizeof(quoted));
	return fields_add_text(column, quoted);
}

/* What stays, of one whose data perhaps no column takes. */
static int
failed_add_origin(struct rows *rows, const struct evh_event *ev, bool as_raw)
{
	struct fields *columns = rows->columns;
	struct json_span span;
	bool is_json = !as_raw && json_check(ev->data.data ? ev->data.data : "",
					     ev->data.len, &span, NULL) == 0;
	int rc;

	rc = fields_add(&columns[COLUMN_NAME], ev->name, name_fit(ev->name));
	if (rc < 0)
		return rc;
	rc = fields_add_null(&columns[is_json ? COLUMN_RAW : COLUMN_DATA]);
	if (rc < 0)
		return rc;
	return fields_add(&columns[is_json ? COLUMN_DATA : COLUMN_RAW],
			  ev->data.data, ev->data.len);
}

static int
origin_add(struct rows *rows, const struct evh_event *ev, bool as_raw)
{
	struct fields *columns = rows->columns;
	int rc;

	rc = fields_add_time(&columns[COLUMN_CREATED], ev->created_ns);
	if (rc < 0)
		return rc;
	if (ev->status == EVH_FAILED)
		return failed_add_origin(rows, ev, as_raw);
	rc = fields_add_text(&columns[COLUMN_NAME], ev->name);
	if (rc < 0)
		return rc;
	rc = fields_add(&columns[COLUMN_DATA], ev->data.data, ev->data.len);
	if (rc < 0)
		return rc;
	return fields_add_null(&columns[COLUMN_RAW]);
}

int
rows_add_place(struct fields *topic, struct fields *partition,
	       struct fields *offset, const struct evh_event *ev)
{
	int rc = fields_add_text(topic, ev->topic);

	if (rc < 0)
		return rc;
	rc = ev->topic ? fields_add_u32(partition, (uint32_t)ev->partition)
		       : fields_add_null(partition);
	if (rc < 0)
		return rc;
	return ev->topic ? fields_add_i64(offset, ev->offset)
			 : fields_add_null(offset);
}

uint32_t
rows_attempts(const struct evh_event *ev)
{
	return ev->attempts > INT_MAX ? INT_MAX : ev->attempts;
}

static int
outcome_add(struct rows *rows, const struct evh_event *ev)
{
	struct fields *columns = rows->columns;
	int rc;

	/* "?" of a newer host: the table's check refuses it. */
	rc = fields_add_text(&columns[COLUMN_STATUS], status_word(ev->status));
	if (rc < 0)
		return rc;
	rc = ev->status == EVH_FAILED
		     ? failed_add_error(&columns[COLUMN_ERROR], ev->error)
		     : fields_add_null(&columns[COLUMN_ERROR]);
	if (rc < 0)
		return rc;
	rc = fields_add_u32(&columns[COLUMN_ATTEMPTS], rows_attempts(ev));
	if (rc < 0)
		return rc;
	return rows_add_place(&columns[COLUMN_TOPIC],
			      &columns[COLUMN_PARTITION],
			      &columns[COLUMN_OFFSET], ev);
}

static int
row_add(struct rows *rows, const struct evh_event *ev, enum rows_part part)
{
	int rc = fields_add(&rows->columns[COLUMN_ID], ev->id, sizeof(ev->id));

	if (rc < 0 || part == ROWS_ID)
		return rc;
	rc = outcome_add(rows, ev);
	if (rc < 0 || part == ROWS_OUTCOME)
		return rc;
	return origin_add(rows, ev, part == ROWS_RAW);
}

static int
columns_of(enum rows_part part)
{
	switch (part) {
	case ROWS_ID:
		return 1;
	case ROWS_OUTCOME:
		return ROWS_OUTCOME_COLUMNS;
	case ROWS_WHOLE:
	case ROWS_RAW:
		break;
	}
	return ROWS_COLUMNS;
}

int
rows_build(struct rows *rows, struct evh_event *const *evs,
	   const uint32_t *positions, size_t n, enum rows_part part)
{
	int n_columns = columns_of(part);
	size_t i;
	int rc, c;

	rows->params.n = n_columns;
	for (c = 0; c < n_columns; c++) {
		rc = array_begin(&rows->columns[c], element_types[c], n);
		if (rc < 0)
			return rc;
	}
	for (i = 0; i < n; i++) {
		rc = row_add(rows, evs[positions[i]], part);
		if (rc < 0)
			return rc;
	}
	for (c = 0; c < n_columns; c++) {
		array_end(&rows->columns[c]);
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
