/*
 * window.h - the room that a pipeline has for events emitted and not done.
 *
 * Two limits, events and bytes.  An event that is larger than all the bytes
 * may still enter when the window is empty, or it could never.  Taking and
 * giving back are atomic and cost no lock; only who waits for room takes one.
 */
#ifndef EVH_WINDOW_H
#define EVH_WINDOW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window {
	unsigned limit;	     /* events */
	uint64_t limit_size; /* bytes */
	/* Events in the upper 24 bits, bytes in the lower 40: one word, so that
	 * a look at both is never a look at half a change. */
	_Atomic uint64_t used;
	atomic_uint n_waiting;
	pthread_mutex_t lock; /* guards: nothing but the wait on `changed` */
	pthread_cond_t changed;
	unsigned turn; /* of changes, so that none is missed; under lock */
};

#define WINDOW_MAX_EVENTS ((1u << 24) - 1)
#define WINDOW_MAX_SIZE	  ((UINT64_C(1) << 40) - 1)

/* Limits beyond those two are cut.  0 or -errno. */
int window_init(struct window *w, unsigned limit, uint64_t limit_size);
void window_fini(struct window *w);

/* Room for one event of this size: taken, or not. [any] */
bool window_take(struct window *w, size_t size);
void window_give(struct window *w, unsigned n, uint64_t size);
unsigned window_used(const struct window *w); /* events */

/* To wait: take the turn, look at what is waited for, then wait or leave. */
unsigned window_turn(struct window *w);
void window_leave(struct window *w);
/* Waits until something has changed since `turn`, or for a second, or until
 * due_ns (monotonic; INT64_MAX: no end).  False when that is over. [any] */
bool window_wait(struct window *w, unsigned turn, int64_t due_ns);
/* Wakes all who wait: something else that they wait for has changed; the
 * second costs nothing when nobody waits. */
void window_poke(struct window *w);
void window_wake(struct window *w);

#endif
