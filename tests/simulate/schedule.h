/*
 * schedule.h - one schedule: which thread does what next, until the stop.
 *
 * A step is what one thread would do without being interrupted: a worker's
 * turn, a source's emit, a sink's answers.  Only who would be awake takes one:
 * a wake-up that the host forgets leaves its events lying, and is found.
 */
#ifndef SIMULATE_SCHEDULE_H
#define SIMULATE_SCHEDULE_H

#include <stdint.h>

/* Before the first one. */
void schedule_init(void);

/* Runs the schedule of this seed; at most max_steps steps before the stop, if
 * that is not 0.  Returns how many there were.  Ends the process when an
 * invariant is broken. */
unsigned schedule_run(uint64_t seed, unsigned max_steps);

#endif
