#include "backoff.h"

#include "clock.h"

void
backoff_init(struct backoff *backoff, int64_t first_ms, int64_t last_ms)
{
	*backoff = (struct backoff){
		.first_ms = first_ms,
		.last_ms = last_ms,
		.next_ms = first_ms,
		/* The address tells instances of one process apart, the clock
		 * those of several. */
		.random =
			((uint64_t)clock_ns() ^ (uint64_t)(uintptr_t)backoff) |
			1,
	};
}

/* xorshift64: strewing delays needs no better one. */
static uint64_t
random_next(struct backoff *backoff)
{
	uint64_t x = backoff->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	backoff->random = x;
	return x;
}

int64_t
backoff_next(struct backoff *backoff)
{
	int64_t ms = backoff->next_ms;
	int64_t percent = 80 + (int64_t)(random_next(backoff) % 41);

	backoff->next_ms =
		ms * 2 > backoff->last_ms ? backoff->last_ms : ms * 2;
	return ms * percent / 100;
}

void
backoff_reset(struct backoff *backoff)
{
	backoff->next_ms = backoff->first_ms;
}
