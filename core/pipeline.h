/*
 * pipeline.h - one chain: a source, then handlers and sinks in any order.
 *
 * Its elements stand in one array: the chain, behind it the on_fail sinks,
 * behind these the on_drop sinks; an event's `pos` says at which it is.  A
 * sink answers and the event goes on to the next; behind the last of a kind
 * it has come to its end.
 *
 * Handlers, and sinks that want one call at a time, run on the worker of the
 * event's lane; without workers, on the thread that emits.  What cannot go on
 * there (a sink would not take it yet, it failed, it waits) is the business
 * of the pipeline's own thread, the pump, which sleeps otherwise.
 */
#ifndef EVH_PIPELINE_H
#define EVH_PIPELINE_H

#include <evh/plugin.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "config.h"
#include "event.h"
#include "lane.h"
#include "pass.h"
#include "window.h"

struct delivery;
struct host;
struct instance;
struct metrics;
struct watch;
struct spool;
struct worker;

#define PIPELINE_MAX_WORKERS 64

enum element_role { ELEMENT_CHAIN = 1, ELEMENT_FAIL, ELEMENT_DROP };

struct element {
	struct pipeline *pipeline;
	struct instance *in;
	unsigned pos;
	enum element_role role;
	bool is_last; /* of its role */
	bool is_optional;
	struct delivery *delivery; /* of a sink; NULL otherwise */
	struct evh_metric *results[EVH_HOLD + 1]; /* events_total */
	struct evh_metric *stage_seconds;
	struct evh_metric *passed_over;
};

struct pipeline {
	const struct config_pipeline *config;
	const char *name;
	struct element *elements; /* [0] is the source */
	unsigned n_elements, n_chain, n_fail, n_drop;
	struct window window;
	struct worker **workers; /* n_workers, then the pump */
	unsigned n_workers;
	struct worker *pump;
	struct watch *watch;	 /* of the handlers with a timeout; or NULL */
	atomic_uint n_not_ready; /* needed instances that are not */
	/* Without workers: events that the pump has for a handler; while
	 * there are any, all go to it, so that none overtakes. */
	atomic_uint n_diverted;
	atomic_bool gives_up;	/* stopping: what waits hears RETRY */
	atomic_bool cuts_short; /* and what no handler has seen yet, too */

	struct spool *spool; /* or NULL */

	bool has_handlers; /* else no lane ever stands */
	struct lane_shares shares;

	struct evh_metric *refused;
	struct evh_metric *event_seconds;
	struct evh_metric *in_flight;
};

/*
 * instances: found by name through `find`.  NULL when out of memory or when
 * the system refuses a lock, logged.  Threads start with pipeline_start().
 */
struct pipeline *pipeline_new(const struct config_pipeline *config,
			      struct instance *(*find)(void *arg,
						       const char *name),
			      void *arg, struct metrics *metrics);
void pipeline_free(struct pipeline *p); /* NULL is fine; no event is left */

int pipeline_start(struct pipeline *p); /* 0 or -errno, logged. [main] */
void pipeline_stop(struct pipeline *p); /* joins the threads. [main] */
/* Stopping: all that waits ends with RETRY, now and from now on. */
void pipeline_give_up(struct pipeline *p);
/* Little time is left: what no handler has seen yet ends with RETRY, too. */
void pipeline_cut_short(struct pipeline *p);
/* Something that its events or its source may wait for has changed. [any] */
void pipeline_poke(struct pipeline *p);

/* It takes events: what it needs is ready, or its spool stands in. [any] */
bool pipeline_is_ready(const struct pipeline *p);

/* The chain cannot do without this instance. */
bool pipeline_needs(const struct pipeline *p, const struct instance *in);
bool pipeline_has(const struct pipeline *p, const struct instance *in);

/* Hands a run of events, all of this pipeline and at this pos, to their
 * element.  Takes them. */
void pipeline_step(struct pass *pass, struct pipeline *p, unsigned pos,
		   struct event_list *run);

/* An event is through with its element: on to the next, to on_fail (type:
 * "handler", "store", "invalid"; text: what to say when nobody said more), to
 * on_drop.  Each takes it. */
void pipeline_advance(struct pass *pass, struct event *ev);
void pipeline_fail(struct pass *pass, struct event *ev, const char *type,
		   const char *text);
void pipeline_drop(struct pass *pass, struct event *ev);

/* Whether this thread may run the element for the event; if not, on whose
 * worker it belongs. */
struct worker *pipeline_worker(const struct pipeline *p,
			       const struct event *ev);
bool pipeline_is_here(const struct pass *pass, const struct pipeline *p,
		      const struct event *ev);

/* Stopping: one of its lane (of its share of them: now and then it is another
 * lane's) was handed back, and whoever has not had this one yet is not to have
 * it before that one, which comes again. [any] */
bool pipeline_hands_back(const struct event *ev);

/* Its time is over: it is retried no more. */
bool pipeline_is_late(const struct pipeline *p, const struct event *ev,
		      int64_t now_ns);
/* When that is; INT64_MAX: never. */
int64_t pipeline_deadline_ns(const struct pipeline *p, const struct event *ev);

/* Counts n events with this result at this element. */
void element_count(const struct element *el, enum evh_result result,
		   unsigned n);
struct element *event_element(const struct event *ev);

#endif
