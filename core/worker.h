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

struct pipeline;

struct worker {
	struct pipeline *pipeline;
	unsigned number;
	bool is_pump;
	bool is_started;
	pthread_t thread;
	pthread_mutex_t lock; /* guards: the next four */
	pthread_cond_t wake;
	struct event_list inbox;
	bool is_poked;
	bool is_stopping;
	/* Its own thread only: read from the inbox, not begun yet. */
	struct event_list backlog;
	struct lanes lanes;
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

#endif
