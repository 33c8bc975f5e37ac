/*
 * awake.h - the time in which evhd was awake, to judge others by.
 *
 * A stopped process, a frozen container, a suspended machine: the monotonic
 * clock goes on meanwhile, and whoever was at work seems to have taken as long.
 * Somebody who looks every so often sees that he has not looked, and of such a
 * gap twice the usual is counted.
 *
 * It is as good as its ticks are regular, and belongs to one thread, or to
 * whoever holds its owner's lock.
 */
#ifndef EVH_AWAKE_H
#define EVH_AWAKE_H

#include <stdint.h>

struct awake {
	int64_t ns;	   /* at the last tick */
	int64_t ticked_ns; /* when that was, CLOCK_MONOTONIC */
	int64_t step_max_ns;
};

/* Begins at the monotonic clock's time, with a tick to come every tick_ms. */
void awake_init(struct awake *awake, unsigned tick_ms);
/* What it is now, in nanoseconds; the second is the tick, too. */
int64_t awake_now_ns(const struct awake *awake);
int64_t awake_tick_ns(struct awake *awake);

#endif
