/*
 * reports.h - delivery reports become answers.
 *
 * A delivered event is answered OK at once.  One with an error is marked in
 * the ledger with its verdict, and answered in its turn by reports_settle().
 * All of it runs on the producer's thread, but for what says [any].
 */
#ifndef KAFKA_SINK_REPORTS_H
#define KAFKA_SINK_REPORTS_H

#include "ledger.h"

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* A batch that the broker refused as such; n is 0 when there was none. */
struct refusal {
	rd_kafka_resp_err_t err;
	size_t n, bytes;
};

struct reports {
	struct evh_ctx *ctx;
	struct ledger *ledger;
	struct evh_metric *seconds, *errors;
	struct refusal refusal;		   /* the smallest so far, */
	size_t refused_letter;		   /* the smallest alone for its size */
	atomic_int_least64_t delivered_ms; /* when the last one was OK */
};

void reports_init(struct reports *r, struct evh_ctx *ctx, struct ledger *ledger,
		  struct evh_metric *seconds, struct evh_metric *errors);

/* A message's opaque is its line in the ledger. [any] */
void *reports_opaque(uint64_t line);

/* Answers or marks each message of the event; the error of one that was not
 * delivered, and how many there were. */
rd_kafka_resp_err_t reports_read(struct reports *r, rd_kafka_event_t *event,
				 size_t *ret_n);
/* Answers all that is marked, once no line of the ledger waits. */
void reports_settle(struct reports *r);

#endif
