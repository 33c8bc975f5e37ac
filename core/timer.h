/*
 * timer.h - what is due when, on one thread.
 *
 * A heap whose nodes lie inside what they time, so that setting one never
 * allocates and cannot fail.  Times are nanoseconds of CLOCK_MONOTONIC.
 * A heap belongs to one thread, or to whoever holds its owner's lock.
 */
#ifndef EVH_TIMER_H
#define EVH_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct timer {
	int64_t due_ns;
	bool is_set;
	struct timer *child;   /* of a pairing heap: first child, */
	struct timer *sibling; /* next sibling, */
	struct timer **link;   /* and the pointer that points here */
};

struct timer_heap {
	struct timer *root;
};

void timer_set(struct timer_heap *heap, struct timer *timer, int64_t due_ns);
void timer_clear(struct timer_heap *heap, struct timer *timer);
/* The earliest one when it is due, taken out; or NULL. */
struct timer *timer_pop(struct timer_heap *heap, int64_t now_ns);
/* Milliseconds until the earliest is due, rounded up, at most max_ms. */
int timer_wait_ms(const struct timer_heap *heap, int64_t now_ns, int max_ms);

/* What comes from outside, in a file of its own (timer_clock.c), so that a test
 * can have a time and a chance of its own.  [any] */
int64_t timer_clock_ns(clockid_t clock); /* one of the system's own */
int64_t timer_now_ns(void);		 /* CLOCK_MONOTONIC */
int64_t timer_coarse_ns(void);		 /* the same, cheaper, some ms behind */
int64_t timer_wall_ns(void);		 /* CLOCK_REALTIME */
double timer_chance(void);		 /* from 0 to 1, without 1 */

/* backoff.h's wait before try number `attempt` (2 is the first retry), strewn
 * by that chance. */
int64_t timer_backoff_ns(unsigned attempt, unsigned first_ms, unsigned max_ms);

#endif
