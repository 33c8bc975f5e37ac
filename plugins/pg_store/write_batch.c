#include "write_batch.h"

#include "backoff.h"
#include "clock.h"
#include "deadline.h"
#include "halving.h"
#include "status.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_FIRST_MS 10
#define AGAIN_LAST_MS  1000

struct attempt {
	struct write_batch *hand;
	enum write_outcome outcome; /* when a try was stopped */
};

static void
metrics_make(struct write_batch *hand)
{
	struct evh_ctx *ctx = hand->ctx;
	char labels[32];
	unsigned s;

	hand->commit_seconds =
		ctx->metric(ctx, EVH_HISTOGRAM, "store_commit_seconds", NULL,
			    "from sending a batch to its commit");
	hand->batch_rows = ctx->metric(ctx, EVH_HISTOGRAM, "store_batch_rows",
				       NULL, "rows in a transaction");
	hand->bisections = ctx->metric(
		ctx, EVH_COUNTER, "store_bisections", NULL,
		"batches and parts of batches that were halved for a bad row");
	for (s = EVH_PENDING; s <= EVH_DROPPED; s++) {
		snprintf(labels, sizeof(labels), "status=%s",
			 status_word((enum evh_status)s));
		hand->rows_by_status[s] = ctx->metric(
			ctx, EVH_COUNTER, "store_rows", labels,
			"events that were committed, by the status written");
	}
}

int
write_batch_init(struct write_batch *hand, struct evh_ctx *ctx,
		 struct connection *connection, struct failure *failure,
		 size_t max)
{
	int rc;

	*hand = (struct write_batch){
		.ctx = ctx,
		.connection = connection,
		.failure = failure,
		.evs = calloc(max, sizeof(*hand->evs)),
		.results = calloc(max, sizeof(*hand->results)),
	};
	rows_init(&hand->rows);
	rc = batch_init(&hand->batch, max);
	if (rc < 0 || !hand->evs || !hand->results) {
		write_batch_fini(hand);
		return -ENOMEM;
	}
	metrics_make(hand);
	return 0;
}

void
write_batch_fini(struct write_batch *hand)
{
	rows_fini(&hand->rows);
	batch_fini(&hand->batch);
	free(hand->evs);
	free(hand->results);
}

static int
statement_run(struct write_batch *hand)
{
	struct evh_ctx *ctx = hand->ctx;
	int64_t start = clock_ns();
	int rc = connection_execute(hand->connection, WRITE_BATCH_STATEMENT,
				    &hand->rows.params, hand->deadline, NULL,
				    hand->failure);

	if (rc == 0)
		ctx->record(hand->commit_seconds, clock_ns() - start);
	return rc;
}

/* The same statement, as long as it is only in somebody's way.  Deadlocks and
 * lock timeouts end; the deadline ends it where they do not. */
static int
statement_run_again(struct write_batch *hand)
{
	struct pollfd fd = { .fd = hand->connection->cancel_fd,
			     .events = POLLIN };
	struct backoff backoff;
	int64_t until;
	int rc;

	backoff_init(&backoff, AGAIN_FIRST_MS, AGAIN_LAST_MS);
	for (;;) {
		rc = statement_run(hand);
		if (rc != -EREMOTEIO || hand->failure->policy != SQLSTATE_AGAIN)
			return rc;

		until = deadline_min(deadline_in(backoff_next(&backoff)),
				     hand->deadline);
		if (poll(&fd, 1, deadline_left_ms(until)) > 0)
			return -ECANCELED;
		if (deadline_over(hand->deadline))
			return -ETIMEDOUT;
	}
}

/* The rounds of evs[at..at+n), one statement each.  A round that is repeated
 * after a later one has failed changes nothing. */
static int
rounds_run(struct write_batch *hand, size_t at, size_t n, bool as_raw)
{
	struct evh_event **evs = hand->evs + at;
	const uint32_t *positions;
	size_t round, n_rows;
	int rc;

	batch_plan(&hand->batch, evs, n);
	for (round = 0; round < hand->batch.n_rounds; round++) {
		n_rows = batch_round(&hand->batch, round, &positions);
		rc = rows_build(&hand->rows, evs, positions, n_rows, as_raw);
		if (rc < 0) {
			failure_set(hand->failure,
				    "%zu rows cannot be put together: %s",
				    n_rows, strerror(-rc));
			return rc;
		}
		rc = statement_run_again(hand);
		if (rc < 0)
			return rc;
		hand->ctx->record(hand->batch_rows, (int64_t)n_rows);
	}
	return 0;
}

static void
range_settle(struct write_batch *hand, size_t at, size_t n)
{
	struct evh_ctx *ctx = hand->ctx;
	int64_t counts[EVH_DROPPED + 1] = { 0 };
	unsigned s;
	size_t i;

	for (i = at; i < at + n; i++) {
		hand->results[i] = EVH_OK;
		if (hand->evs[i]->status <= EVH_DROPPED)
			counts[hand->evs[i]->status]++;
	}
	for (s = EVH_PENDING; s <= EVH_DROPPED; s++)
		if (counts[s])
			ctx->record(hand->rows_by_status[s], counts[s]);
}

static enum halving
range_stop(struct attempt *attempt, enum write_outcome outcome)
{
	attempt->outcome = outcome;
	return HALVING_STOPPED;
}

static enum halving
range_try(void *arg, size_t at, size_t n)
{
	struct attempt *attempt = arg;
	struct write_batch *hand = attempt->hand;
	int rc = rounds_run(hand, at, n, false);

	/* A failed event that is refused once more would be kept by nobody:
	 * its bytes as bytes are always taken. */
	if (rc == -EREMOTEIO && hand->failure->policy == SQLSTATE_ROW &&
	    n == 1 && hand->evs[at]->status == EVH_FAILED)
		rc = rounds_run(hand, at, n, true);

	switch (rc) {
	case 0:
		range_settle(hand, at, n);
		return HALVING_DONE;
	case -EREMOTEIO:
		if (hand->failure->policy == SQLSTATE_ROW)
			return HALVING_BAD;
		return range_stop(attempt, WRITE_BATCH_REFUSED);
	case -EMSGSIZE: /* too much for one message: half of it may do */
		return HALVING_BAD;
	case -ENOMEM:
		return range_stop(attempt, WRITE_BATCH_REFUSED);
	default:
		return range_stop(attempt, WRITE_BATCH_LOST);
	}
}

static void
culprit_note(void *arg, size_t at)
{
	struct attempt *attempt = arg;
	struct write_batch *hand = attempt->hand;
	struct evh_ctx *ctx = hand->ctx;

	hand->results[at] = EVH_FAIL;
	/* When even that is out of memory, the event has its FAIL. */
	(void)ctx->set_error(ctx, hand->evs[at],
			     *hand->failure->sqlstate ? hand->failure->sqlstate
						      : "too_large",
			     "%s", hand->failure->text);
}

enum write_outcome
write_batch_run(struct write_batch *hand)
{
	static const struct halving_ops ops = { .try = range_try,
						.bad = culprit_note };
	struct attempt attempt = { .hand = hand };
	unsigned splits = 0;
	size_t settled;

	memset(hand->results, 0, hand->n * sizeof(*hand->results));
	settled = halving_run(&ops, &attempt, hand->n, &splits);
	if (splits)
		hand->ctx->record(hand->bisections, splits);
	return settled == hand->n ? WRITE_BATCH_DONE : attempt.outcome;
}

void
write_batch_answer(struct write_batch *hand)
{
	struct evh_ctx *ctx = hand->ctx;
	size_t start = 0, i;

	for (i = 0; i < hand->n; i++)
		if (!hand->results[i])
			hand->results[i] = EVH_RETRY;

	for (i = 1; i <= hand->n; i++) {
		if (i < hand->n && hand->results[i] == hand->results[start])
			continue;
		ctx->done(ctx, hand->evs + start, (int)(i - start),
			  hand->results[start]);
		start = i;
	}
}
