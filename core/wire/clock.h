/*
 * clock.h - what time it is, for the host and all plugins.
 *
 * Whatever waits or measures goes by the monotonic clock, which nobody can
 * set; only what is shown or kept has the wall clock's time.
 */
#ifndef EVH_WIRE_CLOCK_H
#define EVH_WIRE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

int64_t clock_ns(void);	     /* CLOCK_MONOTONIC. [any] */
int64_t clock_ms(void);	     /* the same in ms, rounded down. [any] */
int64_t clock_wall_ns(void); /* CLOCK_REALTIME. [any] */
int64_t clock_read_ns(clockid_t clock); /* one of the system's own. [any] */

#endif
