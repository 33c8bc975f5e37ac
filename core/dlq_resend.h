/*
 * dlq_resend.h - one dead letter after the other made an event again, and sent
 * into the pipeline.
 *
 * A letter is judged first: what is no event, what was sent again too often,
 * and what has come through meanwhile is not sent.  Then it is emitted as it
 * once came, pending (or processed, where the pipeline itself processes),
 * with the attempts it has behind it, so that whoever keeps it can tell the
 * retry from a repetition.
 */
#ifndef EVH_DLQ_RESEND_H
#define EVH_DLQ_RESEND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dlq.h"
#include "dlq_replay.h"
#include "dlq_state.h"
#include "dlq_tally.h"

struct dlq_resend {
	struct dlq *dlq;
	struct dlq_replay *replay;
	/* Where to look what has become of an event; NULL: nowhere, or the
	 * letters are of there and so as new as can be. */
	const struct evh_store *store;
	struct dlq_state *state;
	struct dlq_tally *tally;
	atomic_bool stop;    /* no more of them */
	atomic_bool is_away; /* and because of that: a server is away */

	pthread_mutex_t lock; /* guards: all below, and additions to state */
	pthread_cond_t changed;
	unsigned in_flight;
	int64_t due_ns;	 /* --rate: when the next may go */
	int state_error; /* -errno: it cannot be remembered */
};

void dlq_resend_init(struct dlq_resend *resend);
void dlq_resend_fini(struct dlq_resend *resend);

/* As evh_dead_letter: arg is the resend.  On the keeper's thread. */
int dlq_resend_letter(void *arg, const struct evh_letter *letter);
/* Tells it to stop, and wakes it where it waits; arg is the resend. [any] */
void dlq_resend_stop(void *arg);
/* Events that are on their way. [any] */
unsigned dlq_resend_in_flight(struct dlq_resend *resend);

#endif
