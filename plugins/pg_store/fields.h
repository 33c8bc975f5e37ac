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

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* From 1970 to 2000, PostgreSQL's epoch. */
#define FIELDS_EPOCH_US INT64_C(946684800000000)

struct fields {
	char *bytes;
	size_t len, size;
	bool has_null; /* one of them is */
};

/* A timestamptz: microseconds since 2000, rounded down; 1969 has them, too. */
int64_t fields_time_us(int64_t unix_ns);

/* Empty again; a buffer that one large batch made large is freed. */
void fields_clear(struct fields *fields);
void fields_fini(struct fields *fields);

int fields_add(struct fields *fields, const void *data, size_t len);
int fields_add_null(struct fields *fields);
int fields_add_u32(struct fields *fields, uint32_t value);
int fields_add_i64(struct fields *fields, int64_t value);
/* NULL becomes NULL. */
int fields_add_text(struct fields *fields, const char *text);
/* timestamptz, as fields_time_us() has it. */
int fields_add_time(struct fields *fields, int64_t unix_ns);

/*
 * Room for so much, which fields_put...() may then fill: bytes without a length
 * in front, for what stands around fields.  These are here since they are most
 * of what a row costs, as calls.
 */
int fields_grow(struct fields *fields, size_t more);

static inline int
fields_reserve(struct fields *fields, size_t more)
{
	return more <= fields->size - fields->len ? 0
						  : fields_grow(fields, more);
}

static inline void
fields_put(struct fields *fields, const void *bytes, size_t len)
{
	assert(fields->size - fields->len >= len);
	memcpy(fields->bytes + fields->len, bytes, len);
	fields->len += len;
}

static inline void
fields_put_u16(struct fields *fields, uint16_t value)
{
	uint16_t big = htobe16(value);

	fields_put(fields, &big, sizeof(big));
}

static inline void
fields_put_u32(struct fields *fields, uint32_t value)
{
	uint32_t big = htobe32(value);

	fields_put(fields, &big, sizeof(big));
}

#endif
