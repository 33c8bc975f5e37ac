/*
 * condition.h - condition variables whose waits end by the monotonic clock, so
 * that a clock that is set never shortens or lengthens one.
 */
#ifndef EVH_WIRE_CONDITION_H
#define EVH_WIRE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* 0 or -errno; ended by pthread_cond_destroy(). */
int condition_init(pthread_cond_t *cond);

/* Waits, as pthread_cond_wait() does, at most until due_ns
 * (CLOCK_MONOTONIC).  False when the time is over, and for any other error,
 * so that nobody waits who cannot. [any] */
bool condition_wait(pthread_cond_t *cond, pthread_mutex_t *lock,
		    int64_t due_ns);

#endif
