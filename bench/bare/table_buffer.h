/*
 * table_buffer.h - bytes as PostgreSQL takes them, most significant first: the
 * elements of an array, or the fields of a COPY.
 *
 * What has no more memory ends the process: a program that measures has nobody
 * to tell.
 */
#ifndef BENCH_TABLE_BUFFER_H
#define BENCH_TABLE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct table_buffer {
	char *bytes;
	size_t len, size;
};

/* Room for so much more, which the others do not ask for. */
void table_buffer_reserve(struct table_buffer *b, size_t more);
void table_buffer_put16(struct table_buffer *b, uint16_t value);
void table_buffer_put32(struct table_buffer *b, uint32_t value);
/* A value: its length in front. */
void table_buffer_put(struct table_buffer *b, const void *data, size_t len);
void table_buffer_put_number32(struct table_buffer *b, int32_t value);
void table_buffer_put_number64(struct table_buffer *b, int64_t value);

#endif
