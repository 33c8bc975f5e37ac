/*
 * backoff.h - how long to wait before trying again, for the host and plugins.
 *
 * Doubles from the first wait to the last, and is strewn by 20 % either way,
 * so that those who failed together do not come back together.
 */
#ifndef EVH_WIRE_BACKOFF_H
#define EVH_WIRE_BACKOFF_H

#include <stdint.h>

/* The wait after n others, in the unit of first and last, not yet strewn.
 * [any] */
int64_t backoff_wait(unsigned n, int64_t first, int64_t last);
/* A wait give or take 20 %; chance: from 0 to 1. [any] */
int64_t backoff_strew(int64_t wait, double chance);

/* One who counts the waits himself and brings his own chance.  It belongs to
 * one thread, or to whoever holds its owner's lock. */
struct backoff {
	int64_t first_ms, last_ms;
	unsigned n;	 /* waits since all was well */
	uint64_t random; /* state of its own little generator; never 0 */
};

void backoff_init(struct backoff *backoff, int64_t first_ms, int64_t last_ms);
/* The next wait in ms, strewn; the one after it is twice as long. */
int64_t backoff_next(struct backoff *backoff);
/* All is well: starts from the first wait again. */
void backoff_reset(struct backoff *backoff);

#endif
