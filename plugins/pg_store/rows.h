/*
 * rows.h - events as the parameters of one upsert: an array for each column.
 *
 * The arrays are in PostgreSQL's binary format and built by hand into buffers
 * that are kept for the next batch, so that a row costs a few copies and no
 * conversion on either side.  libpq copies them once more when it sends.
 */
#ifndef PG_STORE_ROWS_H
#define PG_STORE_ROWS_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "fields.h"

#define ROWS_COLUMNS 11
/* Those of them that change when a row is written again; the first ones. */
#define ROWS_OUTCOME_COLUMNS 7

enum rows_part {
	ROWS_WHOLE = 1,
	ROWS_RAW,     /* failed events' data as bytes, whatever it is */
	ROWS_OUTCOME, /* ROWS_OUTCOME_COLUMNS alone */
	ROWS_ID,      /* the first of them alone */
};

struct rows {
	struct fields columns[ROWS_COLUMNS];
	const char *values[ROWS_COLUMNS];
	int lengths[ROWS_COLUMNS];
	struct params params; /* points to the above and to constants */
};

void rows_init(struct rows *rows);
void rows_fini(struct rows *rows);

/*
 * Makes rows of evs[positions[0..n)].  A FAILED event's data becomes `raw`
 * when it is no JSON, or by ROWS_RAW; its name and error are made to fit
 * whatever they are, because nobody else would keep it.  The parameters are
 * valid until the next call.  0, -ENOMEM, or -EMSGSIZE beyond the INT_MAX bytes
 * that libpq takes.
 */
int rows_build(struct rows *rows, struct evh_event *const *evs,
	       const uint32_t *positions, size_t n, enum rows_part part);

/* What of an event these columns hold, for other ways of writing it, too; 0, or
 * what fields.h says. */
int rows_add_place(struct fields *topic, struct fields *partition,
		   struct fields *offset, const struct evh_event *ev);
uint32_t rows_attempts(const struct evh_event *ev);

/* What an event adds to a batch, in bytes, for bounding it. */
size_t rows_event_size(const struct evh_event *ev);

#endif
