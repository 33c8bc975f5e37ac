/*
 * handling.h - an event at a handler: tried, judged, tried again.
 *
 * Runs on the worker of the event's lane, or without workers on the thread
 * that emits.  What a verdict leads to is in verdict.h; RETRY and HOLD make
 * the event's lane stand on its worker, and those behind it wait.
 */
#ifndef EVH_HANDLING_H
#define EVH_HANDLING_H

#include "event.h"
#include "pass.h"
#include "pipeline.h"

struct worker;

/* Events that have come to a handler, on the thread that may run it.  Takes
 * them. */
void handling_take(struct pass *pass, struct element *el,
		   struct event_list *run);

/* Events that belong to other threads: to their workers, one hand-over each.
 * Takes them. */
void handling_post(struct pipeline *p, struct event_list *run);

/* On the worker: an event whose try elsewhere ended with RETRY or HOLD makes
 * its lane stand; one that was resumed gets its verdict; a lane's foremost
 * event is due again. */
void handling_stand(struct pass *pass, struct worker *w, struct event *ev);
void handling_resume(struct pass *pass, struct worker *w, struct event *ev);
void handling_again(struct pass *pass, struct worker *w, struct event *ev,
		    int64_t now_ns);

/*
 * The worker's new thread: the event that the old one is at stands until it
 * has come back, and the rest of the run goes on.
 */
void handling_adopt(struct pass *pass, struct worker *w, struct event *ev);
/* The old one, when process() has returned: true when the event is to be
 * posted, false when resume() will. */
bool handling_give_up(struct event *ev, enum evh_result verdict);

/* ctx->resume and a handler's ctx->emit. [any] */
void handling_let_go(struct instance *in, struct event *ev,
		     enum evh_result verdict);
int handling_emit(struct instance *in, struct evh_event *const *evs, int n);

#endif
