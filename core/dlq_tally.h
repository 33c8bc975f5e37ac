/*
 * dlq_tally.h - how far a retry has come: counts, what is said of single
 * letters, and a bar on a terminal.
 */
#ifndef EVH_DLQ_TALLY_H
#define EVH_DLQ_TALLY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum dlq_outcome {
	DLQ_RETRIED = 1,
	DLQ_WOULD_RETRY,  /* --dry-run */
	DLQ_PASSED_OVER,  /* there is nothing to do any more */
	DLQ_FAILED_AGAIN, /* a handler ran here, or nobody new keeps it */
	DLQ_NOT_RETRIED,  /* cannot be, or did not get through */
	DLQ_OUTCOMES,
};

struct dlq_tally {
	bool json;
	bool has_bar;
	int64_t begin_ns;
	int64_t expected; /* for the bar; 0: not known */

	pthread_mutex_t lock; /* guards: n, last_bar_ns, what is written */
	int64_t n[DLQ_OUTCOMES];
	int64_t last_bar_ns;
};

void dlq_tally_init(struct dlq_tally *tally, bool json);
void dlq_tally_fini(struct dlq_tally *tally);

/* Counts a letter and says of it what there is to say; why: a sentence, or
 * NULL. [any] */
void dlq_tally_add(struct dlq_tally *tally, const unsigned char id[16],
		   enum dlq_outcome outcome, const char *why);
int64_t dlq_tally_n(struct dlq_tally *tally, enum dlq_outcome outcome);
/* Draws the bar, if it is time; and takes it away. */
void dlq_tally_draw(struct dlq_tally *tally);
void dlq_tally_clear(struct dlq_tally *tally);
/* The last word. */
void dlq_tally_sum(struct dlq_tally *tally);

#endif
