/*
 * oracle.h - what has to be true, whatever the schedule did.
 *
 * Each call between the host and the scripted ends passes by here, and is
 * checked at once against what the oracle knows of the event; a violation is a
 * failure() that says which.  What can only be seen from outside is checked in
 * balance.h.
 */
#ifndef SIMULATE_ORACLE_H
#define SIMULATE_ORACLE_H

#include <evh/plugin.h>

#include "scene.h"
#include "walker.h"

void oracle_begin(struct scene *scene);

/* A source: these are offered; so many of them were taken; one is answered. */
struct emission *oracle_offer(struct end *source, const struct evh_event *ev,
			      bool has_error);
void oracle_emitted(struct emission *const *es, int n, int n_taken);
struct emission *oracle_done(struct end *source, const struct evh_event *ev,
			     enum evh_result result);

/* A handler: its process() begins; it has set the header "mark"; it has made
 * and emitted a child; it has given its verdict, or holds the event. */
void oracle_process(struct end *handler, const struct evh_event *ev);
void oracle_mark(struct end *handler, const struct evh_event *ev,
		 unsigned mark);
void oracle_child(struct end *handler, const struct evh_event *parent,
		  const struct evh_event *child, unsigned mark);
void oracle_verdict(struct end *handler, const struct evh_event *ev,
		    enum evh_result verdict);

/* A sink: is offered these and takes the first so many; has not answered one
 * of them within its submit(); answers one. */
void oracle_submit(struct end *sink, struct evh_event *const *evs, int n,
		   int n_taken);
void oracle_keeps(struct end *sink, const struct evh_event *ev);
struct walker *oracle_answer(struct end *sink, const struct evh_event *ev,
			     enum evh_result result);
/* That done() has returned. */
void oracle_answered(struct walker *w, enum evh_result result);

/* The lane that the sink has to keep in order; -1: none. */
int oracle_lane(const struct end *end, const struct evh_event *ev);

/* How many events are offered or taken, and not answered. */
unsigned oracle_count_live(void);

#endif
