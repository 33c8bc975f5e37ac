/*
 * delivery.h - the events of one pipeline at one of its sinks.
 *
 * Hands them over, knows how many the sink has in hand, keeps in their old
 * order those that it has not taken or wants later, and offers these again
 * when it has answered something, is ready again, or a back-off is over.
 * After a RETRY nothing is offered until the sink has answered all that it
 * has, so that no later event of a key can come before an earlier one; and
 * done(RETRY) returns when no submit() is under way that was decided on before,
 * so that a sink which says RETRY to whatever it takes meanwhile is safe.
 */
#ifndef EVH_DELIVERY_H
#define EVH_DELIVERY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "event.h"
#include "pass.h"
#include "pipeline.h"

struct delivery {
	struct element *element;
	pthread_mutex_t lock;	   /* guards: all of the rest */
	struct event_list waiting; /* by `seq`, oldest first */
	unsigned n_in_hand;
	uint64_t next_seq;
	bool is_offering; /* the pump is at submit(), or at what came of it */
	bool is_standing; /* after a RETRY or a full sink */
	bool is_full;	  /* the last offer was not taken whole */
	int64_t due_ns;	  /* back-off's end */
	unsigned n_backoffs;
	/* Calls of submit() that have been decided on, under lock, and have not
	 * returned; and who waits for that. */
	atomic_uint n_submitting;
	atomic_uint n_awaiting;
	pthread_cond_t submitted;
};

struct delivery *delivery_new(struct element *el);
void delivery_free(struct delivery *d); /* NULL is fine */

/* Events that have come to the sink.  Takes them. */
void delivery_take(struct pass *pass, struct delivery *d,
		   struct event_list *run);
/* The pump's turn: ends what is late, offers what is due.  Returns when it
 * wants the next turn (INT64_MAX: when something changes). */
int64_t delivery_offer(struct pass *pass, struct delivery *d, int64_t now_ns);

/* ctx->done of a sink. [any] */
void delivery_done(struct instance *in, struct evh_event *const *evs, int n,
		   enum evh_result result);

/* For readiness: how many the sink has, and how many wait. [any] */
void delivery_state(struct delivery *d, unsigned *ret_in_hand,
		    unsigned *ret_waiting);

#endif
