/*
 * worker.h - a thread of a pipeline: its inbox and its standing lanes.
 *
 * A pipeline has as many as its option says, each with the lanes that fall to
 * it, and one more, the pump, which looks after what waits before sinks.
 */
#ifndef EVH_WORKER_H
#define EVH_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "event.h"
#include "lane.h"
#include "pass.h"
#include "watch.h"

struct pipeline;

struct worker {
	struct pipeline *pipeline;
	unsigned number;
	bool is_pump;
	bool is_started;
	/* Whoever runs it.  Under lock once a watchdog may take it away from a
	 * thread whose process() does not return. */
	pthread_t thread;
	pthread_mutex_t lock; /* guards: the next four, and changes of `call`
			       * but for a process() that returns in time */
	pthread_cond_t wake;
	struct event_list inbox;
	bool is_poked;
	bool is_stopping;
	/* Its own thread only, or the one that takes over; all events that the
	 * thread has while it is in process() are in one of these. */
	struct event_list backlog; /* read from the inbox, not begun yet */
	struct pass pass;
	struct lanes lanes;
	struct watch_call call; /* its process() in hand */
	struct event *late;	/* the thread before this one is at it */
};

struct worker *worker_new(struct pipeline *p, unsigned number, bool is_pump);
void worker_free(struct worker *w);
int worker_start(struct worker *w);
void worker_stop(struct worker *w); /* when no event is left; joins */

/* Gives it events to go on with, each with its `mail`.  Takes them. [any] */
void worker_post(struct worker *w, struct event_list *list);
/* Makes it look at everything that it waits for. [any] */
void worker_poke(struct worker *w);

/*
 * One turn without waiting: the inbox, lanes that are due, and for the pump
 * what waits before sinks.  Returns when the next turn is due (monotonic ns,
 * INT64_MAX: when something comes).  The thread is a loop around this.
 */
int64_t worker_turn(struct worker *w, int64_t now_ns, bool was_poked);

/* The spare thread's function: made under the worker's lock by whoever takes
 * it from its thread, and ends at once if the worker is not its own then. */
void *worker_spare(void *arg);
/* The thread that is late, with no worker any more, gives its event back with
 * what process() said at last, and ends. */
_Noreturn void worker_leave(struct worker *w, struct event *ev,
			    enum evh_result verdict);

#endif
