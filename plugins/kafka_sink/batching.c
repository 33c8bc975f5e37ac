#include "batching.h"
#include "verdict.h"

#define BATCHING_MIN_BYTES 1024

void
batching_refused(struct batching *b, rd_kafka_resp_err_t err, size_t n,
		 size_t bytes, int64_t now_ms)
{
	if (n < 2 && !b->alone)
		return;
	if (!verdict_is_size(err)) {
		b->alone = true;
		b->alone_until_ms = now_ms + BATCHING_ALONE_MS;
		return;
	}
	if (n < 2)
		return;
	bytes /= 2;
	if (bytes < BATCHING_MIN_BYTES)
		bytes = BATCHING_MIN_BYTES;
	if (b->max_bytes == 0 || bytes < b->max_bytes)
		b->max_bytes = bytes;
}

void
batching_refused_letter(struct batching *b, size_t size)
{
	if (b->max_letter == 0 || size <= b->max_letter)
		b->max_letter = size - 1;
}

bool
batching_is_over(const struct batching *b, int64_t now_ms)
{
	return b->alone && now_ms >= b->alone_until_ms;
}

void
batching_end(struct batching *b)
{
	b->alone = false;
}
