/*
 * delivery.h - the events of one pipeline at one of its sinks.
 *
 * Hands them over, knows how many the sink has in hand, keeps in their old
 * order those that it has not taken or wants later, and offers these again
 * when it has answered something, is ready again, or a back-off is over.
 *
 * After a RETRY nothing is offered until the sink has answered all that it
 * has, so that no later event of a key can come before an earlier one.  Nor
 * may one that another thread was about to hand over just then: the sink
 * refuses it while it still answers, but might take it afterwards.  So
 * done(EVH_RETRY) returns only when every submit() that had begun has
 * returned; plugin.h has the sink's side of this.
 */
#ifndef EVH_DELIVERY_H
#define EVH_DELIVERY_H

#include <pthread.h>
#include <stdbool.h>

#include "event.h"
#include "pass.h"
#include "pipeline.h"
#include "waiting.h"

struct delivery {
	struct element *element;
	pthread_mutex_t lock;	 /* guards: all of the rest */
	pthread_cond_t returned; /* n_submitting has become 0 */
	struct waiting waiting;
	unsigned n_in_hand;
	unsigned n_submitting; /* calls of submit() under way */
	uint64_t next_seq;
	bool is_offering; /* the pump is at submit(), or at what came of it */
	bool is_standing; /* after a RETRY or an error of submit() */
	int64_t due_ns;	  /* back-off's end */
	unsigned n_backoffs;
	int submit_error; /* the last one that was logged; 0: none since it
			   * took something */
};

struct delivery *delivery_new(struct element *el);
void delivery_free(struct delivery *d); /* NULL is fine */

/* Events that have come to the sink.  Takes them. */
void delivery_take(struct pass *pass, struct delivery *d,
		   struct event_list *run);
/* The pump's turn: ends what is late, offers what is due.  Returns when it
 * wants the next turn (INT64_MAX: when something changes). */
int64_t delivery_offer(struct pass *pass, struct delivery *d, int64_t now_ns);

/* Nothing is offered until a back-off is over.  Under lock. */
void delivery_stand_back(struct delivery *d);

/* ctx->done of a sink. [any] */
void delivery_done(struct instance *in, struct evh_event *const *evs, int n,
		   enum evh_result result);

/* For readiness: how many the sink has, and how many wait. [any] */
void delivery_state(struct delivery *d, unsigned *ret_in_hand,
		    unsigned *ret_waiting);

#endif
