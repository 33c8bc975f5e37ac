/*
 * deadline.h - the point in time at which a wait ends, whatever happens.
 *
 * Points are nanoseconds of the monotonic clock, so that a wait that is made
 * of many polls has one bound, and setting the wall clock moves none.
 */
#ifndef PG_STORE_DEADLINE_H
#define PG_STORE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)

int64_t deadline_now(void);	 /* now, in ns. [any] */
int64_t deadline_in(int64_t ms); /* that many ms from now. [any] */
bool deadline_over(int64_t deadline);
/* What is left of it, rounded up, for poll(2): 0 when it is over. */
int deadline_left_ms(int64_t deadline);
/* The earlier of two. */
int64_t deadline_min(int64_t a, int64_t b);
/* For pthread_cond_clockwait(CLOCK_MONOTONIC). */
struct timespec deadline_timespec(int64_t deadline);

#endif
