/*
 * stress_bench.h - elements that do everything at random, and note what must
 * not be: a second answer, a key out of its order, a window beyond its limit.
 */
#ifndef EVH_TESTS_STRESS_BENCH_H
#define EVH_TESTS_STRESS_BENCH_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pipeline.h"
#include "rig.h"

#define STRESS_EVENTS	20000
#define STRESS_EMITTERS 2
#define STRESS_KEYS	8 /* of each emitter */
#define STRESS_KEPT_MAX 512

/* A sink, or a handler that holds: what it has, in the order in which it got
 * it, and of each key what it has seen last. */
struct stress_keeper {
	struct rig_element el;
	struct evh_event *kept[STRESS_KEPT_MAX];
	int n;
	bool is_answering; /* a done() is on its way: nothing may overtake it */
	uintptr_t last[STRESS_EMITTERS * STRESS_KEYS];
	bool is_ordered;
};

struct stress {
	struct rig *rig;
	struct pipeline *p;
	struct rig_element src;
	struct stress_keeper look, more, out, note, dead;
	pthread_mutex_t lock; /* guards: seed, the keepers' own, answered */
	unsigned short seed[3];
	bool is_without_retry; /* of sinks */
	int n_events;
	unsigned char answered[STRESS_EVENTS];
	int n_answered;
	int n_wrong; /* orders, windows, answers that must not be */
};

/* A source, two handlers, two sinks and one for what has failed, all anew, not
 * started; one at a time. */
void stress_open(struct stress *s, unsigned workers, enum evh_threads threads,
		 unsigned short seed);
/* Until all is answered; that nothing was wrong, and nothing is left. */
void stress_close(struct stress *s);
/* One more of this emitter, its i-th; false when there was no room. */
bool stress_emit(struct stress *s, unsigned emitter, uintptr_t i);
/* Something at each element; one in `flap` times one says that it is away. */
void stress_act(struct stress *s, int flap);
/* Whether all of s->n_events are answered. */
bool stress_is_over(struct stress *s);
/* That the window holds no more than it may: or it is noted. */
void stress_look_at_window(void);
/* By chance, 0 to n - 1.  Under lock, once there are threads. */
int stress_any(int n);

#endif
