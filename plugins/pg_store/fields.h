/*
 * fields.h - values in PostgreSQL's binary format, one behind the other: the
 * elements of an array (rows.h), or the fields of a COPY (copy.h).
 *
 * Each is its length, big-endian, and its bytes; NULL is the length -1.  The
 * buffer is kept for the next batch.  What returns int: 0, -ENOMEM, or
 * -EMSGSIZE beyond the INT_MAX that libpq takes, and then nothing was added.
 */
#ifndef PG_STORE_FIELDS_H
#define PG_STORE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fields {
	char *bytes;
	size_t len, size;
	bool has_null; /* one of them is */
};

/* Empty again; a buffer that one large batch made large is freed. */
void fields_clear(struct fields *fields);
void fields_fini(struct fields *fields);

int fields_add(struct fields *fields, const void *data, size_t len);
int fields_add_null(struct fields *fields);
int fields_add_u32(struct fields *fields, uint32_t value);
int fields_add_i64(struct fields *fields, int64_t value);
/* NULL becomes NULL. */
int fields_add_text(struct fields *fields, const char *text);
/* timestamptz: microseconds since 2000, rounded down; 1969 has them, too. */
int fields_add_time(struct fields *fields, int64_t unix_ns);

/* Room for so much, which fields_put...() may then fill: bytes without a
 * length in front, for what stands around fields. */
int fields_reserve(struct fields *fields, size_t more);
void fields_put(struct fields *fields, const void *bytes, size_t len);
void fields_put_u16(struct fields *fields, uint16_t value);
void fields_put_u32(struct fields *fields, uint32_t value);

#endif
