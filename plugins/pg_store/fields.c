#include "fields.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_BYTES (4u << 20) /* a buffer beyond that is freed */
#define NULL_LEN   UINT32_MAX /* -1 */

void
fields_clear(struct fields *fields)
{
	if (fields->size > KEEP_BYTES)
		fields_fini(fields);
	fields->len = 0;
	fields->has_null = false;
}

void
fields_fini(struct fields *fields)
{
	free(fields->bytes);
	*fields = (struct fields){ 0 };
}

int
fields_grow(struct fields *fields, size_t more)
{
	size_t need = fields->len + more;
	size_t size = fields->size ? fields->size : 4096;
	char *bytes;

	if (need > INT_MAX)
		return -EMSGSIZE;

	while (size < need)
		size *= 2;
	bytes = realloc(fields->bytes, size);
	if (!bytes)
		return -ENOMEM;

	fields->bytes = bytes;
	fields->size = size;
	return 0;
}

int
fields_add(struct fields *fields, const void *data, size_t len)
{
	int rc = fields_reserve(fields, sizeof(uint32_t) + len);

	if (rc < 0)
		return rc;

	fields_put_u32(fields, (uint32_t)len);
	assert(data || !len);
	if (len)
		fields_put(fields, data, len);
	return 0;
}

int
fields_add_null(struct fields *fields)
{
	int rc = fields_reserve(fields, sizeof(uint32_t));

	if (rc < 0)
		return rc;

	fields_put_u32(fields, NULL_LEN);
	fields->has_null = true;
	return 0;
}

int
fields_add_u32(struct fields *fields, uint32_t value)
{
	uint32_t big = htobe32(value);

	return fields_add(fields, &big, sizeof(big));
}

int
fields_add_i64(struct fields *fields, int64_t value)
{
	uint64_t big = htobe64((uint64_t)value);

	return fields_add(fields, &big, sizeof(big));
}

int
fields_add_text(struct fields *fields, const char *text)
{
	return text ? fields_add(fields, text, strlen(text))
		    : fields_add_null(fields);
}

int64_t
fields_time_us(int64_t unix_ns)
{
	int64_t us = unix_ns / 1000;

	if (unix_ns % 1000 < 0)
		us--;
	return us - FIELDS_EPOCH_US;
}

int
fields_add_time(struct fields *fields, int64_t unix_ns)
{
	return fields_add_i64(fields, fields_time_us(unix_ns));
}
