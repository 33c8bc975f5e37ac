/*
 * waiting.h - what waits before a sink: events that it has not taken or wants
 * later, in the order in which they came to it.
 *
 * That order is by `seq`, and says nothing about age: one that a handler kept
 * trying for long comes behind a younger one.  So the earliest of all their
 * deadlines is kept beside the list.  No lock in here; whoever has it has one.
 */
#ifndef EVH_WAITING_H
#define EVH_WAITING_H

#include <stdint.h>

#include "event_list.h"

struct pipeline;

struct waiting {
	const struct pipeline *pipeline;
	struct event_list list; /* by `seq`, oldest first */
	int64_t late_ns;	/* no deadline passes before; INT64_MAX: none */
};

/* Borrows the pipeline, whose deadline counts. */
void waiting_init(struct waiting *w, const struct pipeline *p);

/* Each takes the events: behind all others; or back at their old turn. */
void waiting_add(struct waiting *w, struct event_list *events);
void waiting_add_again(struct waiting *w, struct event_list *events);

/* Moves all to ret; or those whose deadline is over at now_ns. */
void waiting_take(struct waiting *w, struct event_list *ret);
void waiting_take_late(struct waiting *w, int64_t now_ns,
		       struct event_list *ret);

#endif
