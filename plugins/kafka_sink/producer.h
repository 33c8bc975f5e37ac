/*
 * producer.h - one librdkafka producer, from its making to its end, the thread
 * that reads its delivery reports ("evh-kafka-dr"), and the one of hurry.h.
 *
 *        new ──▶ RUNNING ──▶ ENDING ──▶ ENDED ──▶ free
 *
 * Every event it takes is answered once, from its delivery report, and the
 * events of a key in the order in which they were taken.  A producer that has
 * said RETRY delivers nothing more: when an event is not delivered in time,
 * or a report has an error, or the producer has a fatal one, it takes no more
 * events, librdkafka is stopped and purged, and when the last report is in,
 * all that was not delivered is answered RETRY in the old order.  Then it has
 * ENDED, and its owner makes a new one.  So nothing of a key is ever delivered
 * behind something that is still to be tried again:
 *
 *  - within a partition an idempotent producer is first in, first out, and the
 *    broker refuses a sequence number behind a gap;
 *  - librdkafka's own message timeout would leave a gap and go on behind it,
 *    so ours comes first, and what it does first is to stop all sending;
 *  - behind a refused batch it would go on too: enable.gapless.guarantee makes
 *    that a fatal error, in the thread that has read the refusal.
 *
 * One gap is left, the broker's: it knows no sequence of a producer that has
 * never written to a partition, so when the very first batch there is refused,
 * one that is already on its way behind it may be accepted.
 */
#ifndef KAFKA_SINK_PRODUCER_H
#define KAFKA_SINK_PRODUCER_H

#include "endings.h"
#include "reports.h"
#include "settings.h"

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct producer;

enum producer_state { PRODUCER_RUNNING = 1, PRODUCER_ENDING, PRODUCER_ENDED };

/* What it reports to; outlives it. */
struct producer_env {
	struct evh_ctx *ctx;
	const struct settings *settings;
	struct evh_metric *queue, *seconds, *errors;
	/* Its state, its reach or (while watched) what it owes has changed.
	 * [any] */
	void (*changed)(void *arg);
	void *arg;
};

/* Logs; -EINVAL (the configuration), -ENOMEM, or -EAGAIN (no thread).  Reaches
 * for no server. */
int producer_new(const struct producer_env *env,
		 const struct batching *batching, struct producer **ret);
/* Ends it if need be, answers what it still owes, and ends the handle.
 * Nobody submits any more. */
void producer_free(struct producer *p, struct endings *endings);

/* As evh_plugin.submit. [any] */
int producer_submit(struct producer *p, struct evh_event *const *evs, int n);

/* Ends it now, what is not delivered being answered RETRY. [any] */
void producer_abandon(struct producer *p);
/* Ends it when all that it has taken is delivered; it takes no more. [any] */
void producer_retire(struct producer *p);
/* From now on changed() is also called whenever nothing is owed. [any] */
void producer_watch(struct producer *p, bool on);

enum producer_state producer_state(struct producer *p);
size_t producer_owed(struct producer *p);
/* Was there a report of a delivery in the last ms? [any] */
bool producer_has_delivered(struct producer *p, int within_ms);
/* librdkafka's last error and its text. [any] */
rd_kafka_resp_err_t producer_error(struct producer *p, char *ret, size_t size);

/* Once it is not RUNNING: why, NULL when nothing went wrong; and what a
 * broker refused, and of which size alone a dead letter (0: none). */
const char *producer_why(const struct producer *p);
const struct refusal *producer_refusal(const struct producer *p);
size_t producer_refused_letter(const struct producer *p);

/* For the topic's questions; the producer's own. */
rd_kafka_t *producer_handle(struct producer *p);
rd_kafka_topic_t *producer_topic(struct producer *p);

#endif
