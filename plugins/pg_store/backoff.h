/*
 * backoff.h - how long to wait before asking a server again.
 *
 * Doubles from the first delay to the last and strews it by 20 % either way,
 * so that replicas that lost one server together do not come back together.
 */
#ifndef PG_STORE_BACKOFF_H
#define PG_STORE_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t first_ms, last_ms;
	int64_t next_ms; /* without the jitter */
	uint64_t random; /* state of its own little generator; never 0 */
};

void backoff_init(struct backoff *backoff, int64_t first_ms, int64_t last_ms);
/* The next delay in ms, with its jitter, and doubles the one after it. */
int64_t backoff_next(struct backoff *backoff);
/* All is well: starts from the first delay again. */
void backoff_reset(struct backoff *backoff);

#endif
