#include "reports.h"
#include "clock.h"
#include "message.h"
#include "verdict.h"

#include <scratch.h>

#define BATCH 512 /* answered at once */

void
reports_init(struct reports *r, struct evh_ctx *ctx, struct ledger *ledger,
	     struct evh_metric *seconds, struct evh_metric *errors)
{
	r->ctx = ctx;
	r->ledger = ledger;
	r->seconds = seconds;
	r->errors = errors;
	r->refusal = (struct refusal){ 0 };
	r->refused_letter = 0;
	atomic_init(&r->delivered_ms, INT64_MIN / 2);
}

/* NULL is no line. */
void *
reports_opaque(uint64_t line)
{
	return (void *)(uintptr_t)(line + 1);
}

static uint64_t
line_of(const rd_kafka_message_t *message)
{
	return (uint64_t)(uintptr_t)message->_private - 1;
}

/*
 * What became of it.  librdkafka calls a batch a success, without an offset,
 * when its numbers lie below those that the broker has acknowledged (2.0.2,
 * rd_kafka_handle_idempotent_Produce_error).  Mostly it is one, sent twice.
 * But a broker that refuses the first batch of a new producer, while the
 * partition is being made, say, takes the second one that is on its way; the
 * first one then comes again too late, and nobody has it.  So only an offset
 * is proof, and without one the event is sent again under its id.
 */
static rd_kafka_resp_err_t
reports_error(const rd_kafka_message_t *message)
{
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset < 0)
		return RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER;
	return message->err;
}

/* A dead letter too large for the topic can still be kept without its bytes,
 * by the next producer. */
static enum evh_result
letter_verdict(struct reports *r, const rd_kafka_message_t *message)
{
	size_t size = verdict_is_size(message->err)
			      ? message_letter_size(message)
			      : 0;

	if (size == 0)
		return EVH_FAIL;
	if (r->refused_letter == 0 || size < r->refused_letter)
		r->refused_letter = size;
	return EVH_RETRY;
}

static void
reports_fail(struct reports *r, const rd_kafka_message_t *message,
	     size_t n_batch, struct refusal *refusal)
{
	enum evh_result verdict = verdict_of(reports_error(message));
	struct evh_event *ev;

	/* Refused in company: it may not be this one. */
	if (verdict == EVH_FAIL) {
		refusal->err = message->err;
		refusal->n = n_batch;
		refusal->bytes += message->len + message->key_len;
		verdict = n_batch > 1 ? EVH_RETRY : letter_verdict(r, message);
	}
	ev = ledger_mark(r->ledger, line_of(message), verdict);
	if (ev != NULL && verdict == EVH_FAIL)
		r->ctx->set_error(r->ctx, ev, rd_kafka_err2name(message->err),
				  "Kafka refuses it: %s",
				  rd_kafka_err2str(message->err));
}

static void
reports_deliver(struct reports *r, const uint64_t *lines, int n)
{
	EVH_SCRATCH struct evh_event *evs[BATCH];

	atomic_store(&r->delivered_ms, clock_ms());
	n = ledger_answer(r->ledger, lines, n, evs);
	if (n > 0)
		r->ctx->done(r->ctx, evs, n, EVH_OK);
}

/* At most BATCH messages; how many of them were not delivered. */
static size_t
reports_answer(struct reports *r, const rd_kafka_message_t **messages, size_t n,
	       size_t n_batch, struct refusal *refusal)
{
	EVH_SCRATCH uint64_t lines[BATCH];
	size_t failed = 0;
	int ok = 0;

	for (size_t i = 0; i < n; i++) {
		if (reports_error(messages[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
			reports_fail(r, messages[i], n_batch, refusal);
			failed++;
			continue;
		}
		lines[ok++] = line_of(messages[i]);
		r->ctx->record(r->seconds,
			       rd_kafka_message_latency(messages[i]) * 1000);
	}
	if (ok > 0)
		reports_deliver(r, lines, ok);
	if (failed > 0)
		r->ctx->record(r->errors, (int64_t)failed);
	return failed;
}

rd_kafka_resp_err_t
reports_read(struct reports *r, rd_kafka_event_t *event, size_t *ret_n)
{
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	size_t n_batch = rd_kafka_event_message_count(event);
	EVH_SCRATCH const rd_kafka_message_t *messages[BATCH];
	struct refusal refusal = { 0 };
	size_t n, failed = 0;

	/* One event is one produce request, or what was purged or timed out
	 * of one partition together: all of it has one error. */
	while ((n = rd_kafka_event_message_array(event, messages, BATCH)) > 0) {
		if (reports_error(messages[0]) != RD_KAFKA_RESP_ERR_NO_ERROR)
			err = reports_error(messages[0]);
		failed += reports_answer(r, messages, n, n_batch, &refusal);
	}
	if (refusal.n > 0 &&
	    (r->refusal.n == 0 || refusal.bytes < r->refusal.bytes))
		r->refusal = refusal;
	*ret_n = failed;
	return err;
}

void
reports_settle(struct reports *r)
{
	EVH_SCRATCH struct evh_event *evs[BATCH];
	enum evh_result result;
	int n;

	while ((n = ledger_settle(r->ledger, evs, BATCH, &result)) > 0)
		r->ctx->done(r->ctx, evs, n, result);
}
