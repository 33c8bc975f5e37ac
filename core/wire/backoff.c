#include "backoff.h"

#include "clock.h"

int64_t
backoff_wait(unsigned n, int64_t first, int64_t last)
{
	int64_t wait = first;

	while (n-- > 0 && wait < last)
		wait *= 2;
	return wait < last ? wait : last;
}

int64_t
backoff_strew(int64_t wait, double chance)
{
	return (int64_t)((double)wait * (0.8 + 0.4 * chance));
}

void
backoff_init(struct backoff *backoff, int64_t first_ms, int64_t last_ms)
{
	*backoff = (struct backoff){
		.first_ms = first_ms,
		.last_ms = last_ms,
		/* The address tells instances of one process apart, the clock
		 * those of several. */
		.random =
			((uint64_t)clock_ns() ^ (uint64_t)(uintptr_t)backoff) |
			1,
	};
}

/* From 0 to 1, without 1.  xorshift64: strewing waits needs no better one. */
static double
chance_next(struct backoff *backoff)
{
	uint64_t x = backoff->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	backoff->random = x;
	return (double)(x >> 11) * 0x1p-53;
}

int64_t
backoff_next(struct backoff *backoff)
{
	int64_t ms =
		backoff_wait(backoff->n++, backoff->first_ms, backoff->last_ms);

	return backoff_strew(ms, chance_next(backoff));
}

void
backoff_reset(struct backoff *backoff)
{
	backoff->n = 0;
}
