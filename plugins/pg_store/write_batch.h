/*
 * write_batch.h - the batch that the writer has in hand: written, each event's
 * result noted, and answered.
 *
 * Four ways, each for what the one before leaves: copy.h, for ids that are new
 * or have run before; update.h, for rows that wait; the upsert (range.h);
 * and the upsert without those that the table refuses (sieve.h).  What even
 * that cannot tell, halving.h can.
 */
#ifndef PG_STORE_WRITE_BATCH_H
#define PG_STORE_WRITE_BATCH_H

#include "batch.h"
#include "connection.h"
#include "failure.h"
#include "rows.h"

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum write_outcome {
	WRITE_BATCH_DONE = 1, /* each event is settled */
	WRITE_BATCH_LOST,     /* the connection is of no more use */
	WRITE_BATCH_REFUSED,  /* the server answers, but takes no writes */
};

/* Below, what a COPY or an UPDATE saves is less than its round trips cost. */
#define WRITE_ROWS_MIN 100

/* What the last batches say of the next one's ids. */
enum write_ids {
	WRITE_IDS_NEW,	 /* nothing against it */
	WRITE_IDS_MIXED, /* some of the last ones' are there */
	WRITE_IDS_OLD,	 /* most are, and wait to be changed */
};

/* sieve.h's statement, on this connection. */
enum write_sieve {
	WRITE_SIEVE_UNKNOWN, /* its function was not made yet */
	WRITE_SIEVE_READY,
	WRITE_SIEVE_NONE, /* this user may not make it */
};

struct write_batch {
	struct evh_ctx *ctx;
	struct connection *connection; /* open; its cancel_fd ends waits */
	struct failure *failure;       /* the last one */
	struct rows rows;
	struct fields copy;
	unsigned copy_pause; /* batches that pass COPY by, after a refusal */
	unsigned copy_left;  /* of those */
	enum write_ids ids;
	unsigned looks_left;	/* that find nothing, until ids are new again */
	bool *is_there;		/* of each event: its row is, and may change */
	enum write_sieve sieve; /* of the connection */
	struct batch batch;
	struct evh_event **evs;	    /* in hand, in the order they came */
	enum evh_result *results;   /* of each; 0: none yet */
	size_t n;		    /* of both */
	int64_t deadline;	    /* of what is in hand */
	enum write_outcome outcome; /* of the last run */
	int64_t began_ns;	    /* of the transaction in hand */
	size_t n_rows;		    /* of it */
	bool is_halving;	    /* in it, the sieve did not do */
	struct evh_metric *commit_seconds, *batch_rows, *bisections,
		*rows_by_status[EVH_DROPPED + 1];
};

/* Room for max events.  Borrows ctx, connection and failure. 0 or -ENOMEM.
 * [main] */
int write_batch_init(struct write_batch *hand, struct evh_ctx *ctx,
		     struct connection *connection, struct failure *failure,
		     size_t max);
void write_batch_fini(struct write_batch *hand);

/*
 * Of a new connection: prepares what it executes and runs the upsert with no
 * rows, which finds a missing column or permission and a server that takes no
 * writes before an event has to.  0, or -errno and *hand->failure.  [writer]
 */
int write_batch_prepare(struct write_batch *hand, int64_t deadline);

/*
 * Writes hand->evs until hand->deadline and notes each one's result; what has
 * none yet when it returns is to be tried again.  With other than
 * WRITE_BATCH_DONE, *hand->failure says why.  [writer]
 */
enum write_outcome write_batch_run(struct write_batch *hand);

/* Answers all of them, in order.  From the first without a result on it is
 * EVH_RETRY for each: nothing overtakes what is to be tried again, and what is
 * written already is written again to no effect. */
void write_batch_answer(struct write_batch *hand);

#endif
