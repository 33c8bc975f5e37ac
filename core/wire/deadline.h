/*
 * deadline.h - the point in time at which a wait ends, whatever happens.
 *
 * Points are nanoseconds of the monotonic clock, so that a wait that is made
 * of many polls has one bound, and setting the wall clock moves none.
 */
#ifndef EVH_WIRE_DEADLINE_H
#define EVH_WIRE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

int64_t deadline_in(int64_t ms); /* that many ms from now. [any] */
bool deadline_over(int64_t deadline);
/* What is left of it, rounded up, for poll(2): 0 when it is over. [any] */
int deadline_left_ms(int64_t deadline);
/* The earlier of two. */
int64_t deadline_min(int64_t a, int64_t b);

#endif
