#include "table_buffer.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
table_buffer_reserve(struct table_buffer *b, size_t more)
{
	if (b->len + more <= b->size)
		return;
	b->size = 2 * (b->len + more);
	b->bytes = realloc(b->bytes, b->size);
	if (!b->bytes) {
		fprintf(stderr, "bare: realloc: %s\n", strerror(errno));
		exit(1);
	}
}

void
table_buffer_put16(struct table_buffer *b, uint16_t value)
{
	uint16_t big = htobe16(value);

	memcpy(b->bytes + b->len, &big, 2);
	b->len += 2;
}

void
table_buffer_put32(struct table_buffer *b, uint32_t value)
{
	uint32_t big = htobe32(value);

	memcpy(b->bytes + b->len, &big, 4);
	b->len += 4;
}

void
table_buffer_put(struct table_buffer *b, const void *data, size_t len)
{
	table_buffer_put32(b, (uint32_t)len);
	memcpy(b->bytes + b->len, data, len);
	b->len += len;
}

void
table_buffer_put_number32(struct table_buffer *b, int32_t value)
{
	uint32_t big = htobe32((uint32_t)value);

	table_buffer_put(b, &big, 4);
}

void
table_buffer_put_number64(struct table_buffer *b, int64_t value)
{
	uint64_t big = htobe64((uint64_t)value);

	table_buffer_put(b, &big, 8);
}
